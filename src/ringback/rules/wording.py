"""The small language in which phrases.toml writes what servers say, and the text it is matched with.

    plain text      itself, folded as the reply is: case, accents and white space do not matter
    (a|b)     one of them
    x? (a)?   the letter or the choice before it may be missing
    {a |b }   up to MAX_REPEATS of them, one after the other
    <name>    one of the words listed under that name
    ~         the rest of a word
    $         any word
    %         a number
    *         anything, at most GAP_CHARS of it, between two words

No other repetition can be written, so the work grows with the length of a reply and no reply can make
it explode. Not here: which phrases there are (phrases.toml), what they mean (classify.py).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

MAX_READ_CHARS = 2_048  # no refusal seen so far says more; bounds the work a hostile MX can cause
MAX_PATTERN_CHARS = 2_000  # longer than that is two phrases
MAX_GAPS = 3  # each one multiplies the ways in which a pattern can fail
MAX_REPEATS = 6  # words that may stand between the two that matter
GAP_CHARS = 40  # within a sentence, not across the whole of an explanation

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")  # as wire/reply.py shows an octet that is not UTF-8
_ADDRESS = re.compile(
    r"<[^<>\s]{0,256}@[^<>\s]{0,256}>|[^\s<>@\"'(\[,;:=]{1,128}@[\w.\-]{0,255}\w"
)
_IP_ADDRESS = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}|\b(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f:]{0,30}"
)
_PUNCTUATION = str.maketrans(dict.fromkeys('()[]{}|*~%"', " "))  # signs of the language, or quotes
# Quotes and dashes of all kinds, and letters that do not decompose into a plain one and an accent.
_PLAINER = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "´": "'", "–": "-", "—": "-", "ı": "i", "ł": "l", "ø": "o", "đ": "d"}
)
# One spelling for what is said in many: contractions, compounds, and the addresses that are not the
# recipient's, made single words so that no phrase about a mailbox can match inside them.
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.ASCII), plain)
    for pattern, plain in (
        (r"\b(?:can ?not|can[\"']?t)\b", "can not"),
        (r"\bwon[\"']?t\b", "will not"),
        (r"\bdosn[\"']?t\b", "does not"),
        (r"\b(do|does|did|is|was|were|are|has|have|had|could|would|should)n[\"']?t\b", r"\1 not"),
        (r"\be-?mails?\b", "email"),
        (r"\bmail[ -]box", "mailbox"),
        (r"\bnone?[ -]?exist[ae]nt\b", "nonexistent"),
        (r"\b(black|block|white|allow|deny|grey)[ -]list", r"\1list"),
        (r"\bgra[iy][ -]?list", "greylist"),
        (r"\bmail ?from(?=:| (?:address|domain|command|arg))", "sender"),
        (r"\b(?:envelope|header|return|reverse)[ -](?:sender|from|path)\b", "sender"),
        (
            r"\b(?:sender|sending|from|return|source|originator|originating|reply|your)(?:'s)?"
            r"(?: e?mail)? (?:address(?:es)?|mailbox|account|user)\b"
            r"|\b(?:address|mailbox|account) of (?:the |this )?sender\b",
            "senderaddress",
        ),
        (r"\b(?:ip|ipv4|ipv6)(?:[ -]?addr(?:ess)?(?:es)?|s)?\b", "ipaddress"),
        (r"\b(?:ipaddress ){1,3}ipaddress\b", "ipaddress"),
        (r"\b(?:sender|sending|client|source|remote)(?:'s)? ipaddress\b", "ipaddress"),
        (r"\breverse[ -]?(?:dns|lookup)\b|\brdns\b", "rdns"),
    )
)
# What ends words and sentences without saying anything: "@...", "5.1.1:", " - ", "'user'".
_LOOSE_ENDS = re.compile(r"[.,;:!?'\"]+(?=\s|$)|(?<!\S)['\"-]+(?!\d)")


def fold(text: str) -> str:
    """Return the first MAX_READ_CHARS of `text` in the form that patterns are matched with.

    Addresses become "@": what a local part spells ("no-such-user@…") is not what the server says.
    """
    folded = _plain(text[:MAX_READ_CHARS].casefold())
    folded = _IP_ADDRESS.sub("ip", _ADDRESS.sub(" @ ", folded))
    folded = _LOOSE_ENDS.sub(" ", _spell(folded).translate(_PUNCTUATION))
    return " ".join(folded.split())


def _spell(text: str) -> str:
    for spelling, plain in _SPELLINGS:
        text = spelling.sub(plain, text)
    return text


def _plain(text: str) -> str:
    if "\\x" in text:  # Latin-1, as mail servers of western Europe still send it
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAINER))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern. A text without any of `anchors` cannot match, and is not searched."""

    regex: re.Pattern[str]
    anchors: tuple[str, ...]

    def found_in(self, folded: str) -> bool:
        return any(anchor in folded for anchor in self.anchors) and bool(self.regex.search(folded))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a pattern. `anchors`: one of them stands in whatever it matches; empty: unknown."""

    regex: str
    anchors: frozenset[str] = frozenset()


def compile_pattern(written: str, words: Mapping[str, str]) -> Pattern:
    """Compile `written`; `words` are the named lists. Raises ValueError saying what is wrong."""
    written = _AROUND_GAP.sub("*", written)
    if not written or len(written) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters: {written!r}")
    if written != _plain(written) and written.isascii():
        raise ValueError(f"patterns are written in lower case: {written!r}")
    if written.count("*") > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps: {written!r}")
    whole = _Writer(_spell(expand(_plain(written), words)), written).sequence_to_end()
    if not whole.anchors:
        raise ValueError(f"nothing in it must stand in the text: {written!r}")
    return Pattern(re.compile(_edge(whole.regex)), tuple(sorted(whole.anchors)))


def _edge(regex: str) -> str:
    """A phrase is made of whole words."""
    return rf"(?<!{_WORD})(?:{regex})(?!{_WORD})"


def expand(written: str, words: Mapping[str, str]) -> str:
    """Write out the named lists. Raises ValueError."""

    def listed(found: re.Match[str]) -> str:
        if not found[1]:
            return "<>"  # the null sender stands for itself
        if found[1] not in words:
            raise ValueError(f"no list of words is called {found[1]!r}: {written!r}")
        return f"({_plain(words[found[1]])})"

    return re.sub(r"<([a-z_]*)>", listed, written)


_WORD = "[a-z0-9_]"  # Chinese, Japanese and Korean do not divide words
_GAP = rf"(?!{_WORD}).{{0,{GAP_CHARS}}}?(?<!{_WORD})"
_SPECIAL = {"~": _Piece(r"\w{0,20}"), "*": _Piece(_GAP), "%": _Piece(r"\d{1,9}"), "$": _Piece(r"\S{1,64}")}
_CLOSING = {"(": ")", "{": "}"}
_SIGNS = frozenset("(){}|~*%$")
_AROUND_GAP = re.compile(r" ?\* ?")
_MIN_ANCHOR_CHARS = 2


class _Writer:
    """Reads a pattern once, left to right, and writes the regular expression."""

    def __init__(self, source: str, written: str) -> None:
        self._source, self._written, self._at = source, written, 0

    def sequence_to_end(self) -> _Piece:
        piece = self._choice("")
        if self._at < len(self._source):
            raise ValueError(f"unbalanced {self._source[self._at]!r}: {self._written!r}")
        return piece

    def _choice(self, closing: str) -> _Piece:
        """Read alternatives up to `closing`, or the end where it is ""."""
        options = [self._sequence()]
        while self._at < len(self._source) and self._source[self._at] == "|":
            self._at += 1
            options.append(self._sequence())
        if closing and self._source[self._at : self._at + 1] != closing:
            raise ValueError(f"{closing!r} is missing: {self._written!r}")
        self._at += len(closing)
        sets = [option.anchors for option in options]
        anchors = frozenset().union(*sets) if all(sets) else frozenset[str]()
        return _Piece(f"(?:{'|'.join(option.regex for option in options)})", anchors)

    def _sequence(self) -> _Piece:
        pieces: list[_Piece] = []
        while self._at < len(self._source) and self._source[self._at] not in ")}|":
            piece = self._piece()
            if self._source[self._at : self._at + 1] == "?":
                self._at += 1
                piece = _Piece(f"{piece.regex}?")
            pieces.append(piece)
        anchors = max((piece.anchors for piece in pieces), key=_worth, default=frozenset())
        return _Piece("".join(piece.regex for piece in pieces), anchors)

    def _piece(self) -> _Piece:
        char = self._source[self._at]
        if char in _SPECIAL:
            self._at += 1
            return _SPECIAL[char]
        if char not in _CLOSING:
            return self._literal()
        start, self._at = self._at, self._at + 1
        choice = self._choice(_CLOSING[char])
        if char == "(":
            return choice
        if "*" in self._source[start : self._at]:
            raise ValueError(f"a gap cannot be repeated: {self._written!r}")
        return _Piece(f"{choice.regex}{{0,{MAX_REPEATS}}}")

    def _literal(self) -> _Piece:
        start = self._at
        while self._at < len(self._source) and self._source[self._at] not in _SIGNS | {"?"}:
            self._at += 1
        if self._source[self._at : self._at + 1] == "?" and self._at - start > 1:
            self._at -= 1  # only the last letter may be missing
        literal = self._source[start : self._at]
        word = max(literal.split(), key=len, default="")
        long_enough = len(word) >= _MIN_ANCHOR_CHARS or not word.isascii()
        return _Piece(re.escape(literal), frozenset({word} if word and long_enough else ()))


def _worth(anchors: frozenset[str]) -> float:
    """Long words that must stand there tell texts apart best, and few of them are soonest tried."""
    return min(map(len, anchors)) / (1 + len(anchors) / 8) if anchors else 0.0
