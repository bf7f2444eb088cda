"""What one reply says: (stage, reply) → Reading. Pure, total, and linear in what it reads.

The order of trust. Each line speaks only where all above it are silent:

    1  the first digit      2xx accepts, 252 hardly, 3xx is no answer to anything we ask
    2  agreement            an enhanced code of another class: unclear, whatever the words say
    3  exact phrases        whole sentences of known servers, provider rules among them
    4  plain phrases        what the words say; refusals of us before refusals of the mailbox
    5  hints                single words ("spam", "policy"), and whom beside what, in any words
    6  the enhanced code    enhanced.py
    7  faint phrases        "mailbox unavailable", "rejected": weak, they need contrast
    8  the reply code       what its three digits leave open

Of a mailbox phrase (4, 5, 7) and of a mailbox's enhanced code, what else the reply speaks of is heard,
too: a doubt silences it, a hint at another reason makes it weak. No words outweigh a doubt but exact ones.

Words stand before the enhanced code because servers choose them with more care: 5.1.1 is what many
filters say to all they refuse, and 5.7.1 is said of mailboxes that do not exist. Last comes the stage:
a reply to anything before RCPT cannot speak of the recipient's mailbox.

Not here: the phrases (phrases.json, which is written from phrases.toml), what follows for the host or the
address (outcomes.py).
"""

import re
from functools import cache, lru_cache
from itertools import islice
from types import MappingProxyType

from ..values.evidence import Meaning, Reading, Stage
from ..wire.reply import Reply
from .enhanced import meaning_of
from .folding import MAX_READ_CHARS, fold
from .phrasebook import Book, Level, Phrase, Phrasebook, Said

__all__ = ["Book", "Phrasebook", "classify"]

# Who is heard first where phrases of one level disagree. A refusal of us, of the sender, of the
# message or of the moment explains a mailbox wording beside it ("mailbox unavailable: your IP is
# listed"), never the other way round; among mailboxes, the reading that condemns least comes first.
_PRECEDENCE = (
    Meaning.UNCLEAR,  # sentences known to say two things at once
    Meaning.GREYLISTED,  # "greylisted, service temporarily unavailable" is no trouble
    Meaning.VERIFYING,
    Meaning.TLS_REQUIRED,
    Meaning.NULL_SENDER_REFUSED,
    Meaning.AUTH_REQUIRED,
    Meaning.SENDER_REJECTED,  # "sender address rejected: IP not allowed by SPF"
    Meaning.CLIENT_BLOCKED,
    Meaning.RATE_LIMITED,
    Meaning.FULL,  # "mailbox size limit exceeded" is not about the size of a message
    Meaning.CONTENT_OR_POLICY,
    Meaning.SERVER_TROUBLE,
    Meaning.SYNTAX,
    Meaning.UNKNOWN_DOMAIN,  # "unknown recipient domain" contains "unknown recipient"
    Meaning.MOVED,
    Meaning.DISABLED_USER,
    Meaning.UNKNOWN_USER,
    Meaning.AMBIGUOUS_ACCEPT,  # these two follow from the code alone
    Meaning.ACCEPTED,
)
_RANK = MappingProxyType({meaning: rank for rank, meaning in enumerate(_PRECEDENCE)})

_CONDEMNS = frozenset({Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED})
_MAILBOX = _CONDEMNS | {Meaning.FULL}
_BEFORE_MAIL = frozenset({Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.STARTTLS})
# A permanent refusal at the door comes to this, whatever its words: the host does not want us.
_AT_THE_DOOR = _MAILBOX | {
    Meaning.UNKNOWN_DOMAIN,
    Meaning.UNCLEAR,
    Meaning.SERVER_TROUBLE,
    Meaning.CONTENT_OR_POLICY,
    Meaning.NULL_SENDER_REFUSED,
    Meaning.SENDER_REJECTED,  # nobody has named one yet
}
# Said to MAIL FROM:<> without a better reason, these codes speak of the null sender.
_OF_NULL_SENDER = frozenset({"5.1.0", "5.1.7", "5.1.8", "5.7.0", "5.7.1"})
_NO_BETTER_REASON = _MAILBOX | {Meaning.UNCLEAR, Meaning.SYNTAX, Meaning.UNKNOWN_DOMAIN}
# What the three digits leave open when nothing else speaks (RFC 5321 section 4.2.3).
_OF_CODE = MappingProxyType(
    {
        421: Meaning.SERVER_TROUBLE,
        432: Meaning.SERVER_TROUBLE,
        452: Meaning.SERVER_TROUBLE,
        500: Meaning.SYNTAX,
        501: Meaning.SYNTAX,
        502: Meaning.SYNTAX,
        503: Meaning.SYNTAX,
        504: Meaning.SYNTAX,
        521: Meaning.CLIENT_BLOCKED,  # RFC 7504: it accepts no mail, at least not from us
        523: Meaning.TLS_REQUIRED,
        530: Meaning.AUTH_REQUIRED,  # RFC 4954 section 6
        534: Meaning.AUTH_REQUIRED,
        535: Meaning.AUTH_REQUIRED,
        538: Meaning.TLS_REQUIRED,
        555: Meaning.SYNTAX,
        556: Meaning.UNKNOWN_DOMAIN,  # RFC 7504 and RFC 7505
    }
)
_SILENT_CODES = frozenset({550, 551, 553})  # those that may speak of the mailbox without a word
_CLOSING = 421  # of the service, never of a mailbox
# Once addresses are folded, hosts say the same words again and again: so many short replies are kept as
# read, which takes two megabytes at most.
MAX_REMEMBERED, MAX_REMEMBERED_CHARS = 1_024, 400
_MARKED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")  # "(#5.1.1)", "#5.7.1 denied", "5.7.0, denied"


def classify(stage: Stage | None, reply: Reply, book: Book, *, null_sender: bool = True) -> Reading:
    """Say what `reply` to `stage` means. `stage` is None where it is not known.

    `null_sender`: MAIL FROM was "<>", so that a refusal of the sender is a refusal of bounces.
    """
    if reply.code < 400:
        return _by_first_digit(reply.code)
    if reply.contradicts_itself:
        return Reading(Meaning.UNCLEAR, f"contradiction {reply.code} {reply.enhanced}")
    reading, of_sender = _read(stage, reply, book)
    if null_sender and reply.code >= 500 and _refuses_bounces(stage, reply, reading, of_sender):
        return Reading(Meaning.NULL_SENDER_REFUSED, reading.rule)
    return _at_stage(stage, reply, reading)


@cache  # two hundred of them
def _by_first_digit(code: int) -> Reading:
    """Read a 2xx or 3xx, whose words do not matter."""
    if code == 252:
        return Reading(Meaning.AMBIGUOUS_ACCEPT, "code 252")
    return Reading(Meaning.ACCEPTED if code < 300 else Meaning.UNCLEAR, f"code {code}")


def _read(stage: Stage | None, reply: Reply, book: Book) -> tuple[Reading, bool]:
    """Read a 4xx or 5xx for its words and codes; also say whether it speaks of MAIL FROM."""
    text = reply.text
    folded, enhanced = fold(text), reply.enhanced or _marked(text, reply.code)
    read = _read_often if len(folded) <= MAX_REMEMBERED_CHARS else _read_folded
    return read(stage, reply.code, enhanced, folded, book)


def _read_folded(
    stage: Stage | None, code: int, enhanced: str | None, folded: str, book: Book
) -> tuple[Reading, bool]:
    """Do so, where whom and what the reply names is nothing to it."""
    said = Said(folded, book.anchors_in(folded), stage, str(code), enhanced)
    found, doubt = _heard(said, book)
    phrase = found[0] if found else None
    if phrase and phrase.level <= Level.HINT:
        phrase = _undoubted(phrase, found, doubt)
        return _by_phrase(phrase, code, enhanced, found), phrase.of_sender
    meaning = meaning_of(enhanced) if enhanced else None
    if meaning in _CONDEMNS and (doubt or code < 500 or code in _OF_CODE):
        meaning = None  # a mailbox is named by nothing else, and something speaks against it
    if meaning:
        reading = Reading(meaning, f"enhanced {enhanced}", meaning in _CONDEMNS)
        return reading, meaning is Meaning.SENDER_REJECTED
    if phrase:
        phrase = _undoubted(phrase, found, doubt)
        return _by_phrase(phrase, code, enhanced, found), phrase.of_sender
    meaning = _OF_CODE.get(code, Meaning.UNCLEAR)
    silent = meaning is Meaning.UNCLEAR and not _has_words(folded)
    return Reading(meaning, f"code {code}", silent and _may_be_silent(code, enhanced)), False


_read_often = lru_cache(MAX_REMEMBERED)(_read_folded)


def _heard(said: Said, book: Book) -> tuple[list[Phrase], Phrase | None]:
    """Return the phrases that matter, first who is heard first, and the doubt if it matters.

    Levels are looked at one after the other, until what has been found cannot change any more.
    """
    found: list[Phrase] = []
    for level in (Level.EXACT, Level.PLAIN, Level.HINT):
        heard = book.heard_in(said, level, _order)
        found += heard if found else islice(heard, 1)
        if found and (level is Level.EXACT or found[0].meaning not in _CONDEMNS):
            return found, None
    doubt = next(book.heard_in(said, Level.DOUBT, _order), None)
    for level in (Level.FAINT, Level.EMPTY):
        found = found or list(islice(book.heard_in(said, level, _order), 1))
    return found, doubt


def _order(phrase: Phrase) -> tuple[int, str]:
    return _RANK[phrase.meaning], phrase.id


def _undoubted(phrase: Phrase, found: list[Phrase], doubt: Phrase | None) -> Phrase:
    """Return what stands against a mailbox phrase, if something does.

    A server that speaks of the sender, of us or of spam in the same breath may refuse for that.
    """
    if doubt is None or phrase.meaning not in _CONDEMNS:
        return phrase
    others = (it for it in found if it.level <= Level.HINT and it.meaning not in _MAILBOX)
    return next(others, doubt)


def _by_phrase(phrase: Phrase, code: int, enhanced: str | None, found: list[Phrase]) -> Reading:
    if not phrase.weak:
        weak = code >= 500 and _hinted_otherwise(phrase, found)
        return Reading(phrase.meaning, phrase.rule, weak)
    if enhanced and enhanced[2:].startswith("7."):  # a policy that borrows the mailbox's words
        return Reading(Meaning.UNCLEAR, phrase.rule)
    weak = phrase.meaning is Meaning.UNKNOWN_USER or _may_be_silent(code, enhanced)
    return Reading(phrase.meaning, phrase.rule, weak)


def _hinted_otherwise(phrase: Phrase, found: list[Phrase]) -> bool:
    """Say whether something besides a mailbox phrase hints at another reason than the mailbox."""
    if phrase.meaning not in _CONDEMNS or phrase.level is Level.EXACT:
        return False
    return any(it.level is Level.HINT and it.meaning not in _MAILBOX for it in found)


def _may_be_silent(code: int, enhanced: str | None) -> bool:
    """Say whether a reply that gives no reason may count, given contrast (evidence.md section 3)."""
    fits = enhanced is None or enhanced == "5.4.1" or enhanced.startswith("5.1.")
    return code in _SILENT_CODES and fits


def _marked(text: str, code: int) -> str | None:
    """Find an enhanced code within the text, as qmail writes it, of the reply's own class."""
    found = _MARKED.search(text[:MAX_READ_CHARS])
    return found[0] if found and found[0][0] == str(code)[0] else None


def _has_words(folded: str) -> bool:
    return any(char.isalpha() for char in folded)


def _refuses_bounces(stage: Stage | None, reply: Reply, reading: Reading, of_sender: bool) -> bool:
    """Say whether a refusal of the sender "<>" is a refusal of all bounces. Before MAIL nobody knows it."""
    if stage in _BEFORE_MAIL:
        return False
    if reading.meaning is Meaning.SENDER_REJECTED and of_sender:
        return True
    vague = reading.meaning in _NO_BETTER_REASON and reply.enhanced in _OF_NULL_SENDER
    return stage is Stage.MAIL and vague


def _at_stage(stage: Stage | None, reply: Reply, reading: Reading) -> Reading:
    """Correct `reading` by what the command asked."""
    if stage in _BEFORE_MAIL:
        refuses_us = reading.meaning in (_AT_THE_DOOR if reply.code >= 500 else _MAILBOX)
        meaning = Meaning.CLIENT_BLOCKED if refuses_us else reading.meaning
        return Reading(meaning, reading.rule)
    if reply.code == _CLOSING and reading.meaning in _CONDEMNS:
        return Reading(Meaning.SERVER_TROUBLE, f"code {_CLOSING}")
    if stage is Stage.MAIL:
        of_mailbox = reading.meaning in _MAILBOX
        meaning = Meaning.SENDER_REJECTED if of_mailbox else reading.meaning
        return Reading(meaning, reading.rule)
    return reading
