"""The one form in which replies and the phrases of phrases.toml are compared.

Not here: the language of the phrases (wording.py), what they mean (classify.py).
"""

import re
import unicodedata
from itertools import filterfalse

MAX_READ_CHARS = 2_048  # no refusal seen so far says more; bounds the work a hostile MX can cause

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # as wire/reply.py shows an octet that is not UTF-8
# UTF-8 that was taken for Latin-1 or windows-1252 and encoded again; what follows the first letter is
# whatever those two call the octets from 80 to BF.
_TWICE_ENCODED = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122]{1,3}"
)
_ADDRESS = re.compile(
    r"<[^<>\s]{0,256}@[^<>\s]{0,256}>|[^\s<>@\"'(\[,;:=]{1,128}@\w[\w\-]{0,63}(?:\.[\w\-]{1,63}){0,20}"
)
_IP_ADDRESS = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}|\b(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f:]{0,30}"
)
_PUNCTUATION = str.maketrans(dict.fromkeys('()[]{}|*~%"', " "))  # signs of the language, or quotes
# Quotes and dashes of all kinds, and letters that do not decompose into a plain one and an accent.
_PLAINER = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "–": "-",
        "—": "-",
        "ı": "i",
        "ł": "l",
        "ø": "o",
        "đ": "d",
    }
)
# One spelling for what is said in many: contractions, compounds, and the addresses that are not the
# recipient's, made single words so that no phrase about a mailbox can match inside them. The first
# column is cheap: what it matches holds one of these texts.
_SPELLINGS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = tuple(
    (tuple(needed.split("|")), re.compile(pattern, re.ASCII), usual)
    for needed, pattern, usual in (
        ("can", r"\b(?:can ?not|can[\"']?t)\b", "can not"),
        ("won", r"\bwon[\"']?t\b", "will not"),
        ("dosn", r"\bdosn[\"']?t\b", "does not"),
        (
            "n't|nt|n\"t",
            r"\b(do|does|did|is|was|were|are|has|have|had|could|would|should)n[\"']?t\b",
            r"\1 not",
        ),
        ("e-mail|emails", r"\be-?mails?\b", "email"),
        ("mail box|mail-box", r"\bmail[ -]box", "mailbox"),
        ("existent|existant", r"\bnone?[ -]?exist[ae]nt\b", "nonexistent"),
        (" list|-list", r"\b(black|block|white|allow|deny|grey)[ -]list", r"\1list"),
        ("gray|grai", r"\bgra[iy][ -]?list", "greylist"),
        (
            "mail from|mailfrom",
            r"\bmail ?from(?=:| (?:@|<>|address|domain|command|arg))",
            "sender",
        ),
        (
            "envelope|header|return|reverse",
            r"\b(?:envelope|header|return|reverse)[ -](?:sender|from|path)\b",
            "sender",
        ),
        (
            "address|mailbox|account|user",
            r"\b(?:sender|sending|from|return|source|originator|originating|reply|your)(?:'s)?"
            r"(?: e?mail)? (?:address(?:es)?|mailbox|account|user)\b"
            r"|\b(?:address|mailbox|account) of (?:the |this )?sender\b",
            "senderaddress",
        ),
        ("ip", r"\b(?:ip|ipv4|ipv6)(?:[ -]?ad{1,2}r(?:ess)?(?:es)?|s)?\b", "ipaddress"),
        ("ipaddress ipaddress", r"\b(?:ipaddress ){1,3}ipaddress\b", "ipaddress"),
        (
            " ipaddress",
            r"\b(?:sender|sending|client|source|remote)(?:'s)? ipaddress\b",
            "ipaddress",
        ),
        ("'", r"\b([cdjlmnst]|qu)'(?=[a-z])", r"\1' "),  # "l'adresse", "n'existe"
        ("reverse|rdns", r"\breverse[ -]?(?:dns|lookup)\b|\brdns\b", "rdns"),
    )
)
# What ends words and sentences without saying anything: "@...", "5.1.1:", " - ", "'user'".
_LOOSE_ENDS = re.compile(r"[.,;:!?'\"]+(?=\s|$)|(?<!\S)['\"-]+(?!\d)")


def fold(text: str) -> str:
    """Return the first MAX_READ_CHARS of `text` in the form that patterns are matched with.

    Addresses become "@": what a local part spells ("no-such-user@…") is not what the server says.
    """
    folded = plain(_once_encoded(text[:MAX_READ_CHARS]).casefold())
    folded = _IP_ADDRESS.sub("ip", _ADDRESS.sub(" @ ", folded))
    folded = spell(" ".join(_LOOSE_ENDS.sub(" ", folded).split()))
    return " ".join(folded.translate(_PUNCTUATION).split())


def _once_encoded(text: str) -> str:
    """Undo a second encoding in UTF-8, where there was one."""
    return text if text.isascii() else _TWICE_ENCODED.sub(_decode_again, text)


def _decode_again(found: re.Match[str]) -> str:
    for charset in ("cp1252", "latin-1"):
        try:
            return found[0].encode(charset).decode("utf-8")
        except UnicodeError:
            continue
    return found[0]


def spell(text: str) -> str:
    """Write in one way what is said in many."""
    for needed, spelling, usual in _SPELLINGS:
        for one in needed:  # a plain loop: this is run for each pattern and each reply
            if one in text:
                text = spelling.sub(usual, text)
                break
    return text


def plain(text: str) -> str:
    """Take accents off, and turn quotes and dashes into those of ASCII."""
    if "\\x" in text:  # Latin-1, as mail servers of western Europe still send it
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAINER))
    return "".join(filterfalse(unicodedata.combining, decomposed)).casefold()
