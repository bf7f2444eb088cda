"""What one reply says: (stage, reply) → Reading. Pure, total, and linear in what it reads.

The order of trust. Each line speaks only where all above it are silent:

    1  the first digit       2xx accepts, 252 hardly, 3xx is no answer to anything we ask
    2  agreement             an enhanced code of another class: unclear, whatever the words say
    3  exact phrases         whole sentences of known servers, provider rules among them
    4  plain phrases         what the words say; refusals of us before refusals of the mailbox
    5  hints                 single words ("spam", "policy", "blocked")
    6  the enhanced code     enhanced.py
    7  faint phrases         "mailbox unavailable", "rejected": weak, they need contrast
    8  the reply code        what its three digits leave open

Wording stands before the enhanced code because servers choose their words with more care: 5.1.1 is
what many filters say to all they refuse, and 5.7.1 is said of mailboxes that do not exist.
Last, the stage: a reply to anything before RCPT cannot speak of the recipient's mailbox.

Not here: the phrases (phrases.toml), what follows for the host or the address (outcomes.py).
"""

import re
from types import MappingProxyType

from ..values.evidence import Meaning as M
from ..values.evidence import Reading, Stage
from ..wire.reply import Reply
from .enhanced import meaning_of
from .phrasebook import Level, Phrase, Phrasebook, parse_phrasebook
from .wording import MAX_READ_CHARS, fold

__all__ = ["Phrasebook", "classify", "parse_phrasebook"]

# Who is heard first where phrases of one level disagree. A refusal of us, of the sender, of the
# message or of the moment explains a mailbox wording beside it ("mailbox unavailable: your IP is
# listed"), never the other way round; among mailboxes, the reading that condemns least comes first.
_PRECEDENCE: tuple[M, ...] = (
    M.UNCLEAR,  # sentences known to say two things at once
    M.GREYLISTED,  # "greylisted, service temporarily unavailable" is no trouble
    M.VERIFYING,
    M.TLS_REQUIRED,
    M.NULL_SENDER_REFUSED,
    M.AUTH_REQUIRED,
    M.SENDER_REJECTED,  # "sender address rejected: IP not allowed by SPF"
    M.CLIENT_BLOCKED,
    M.RATE_LIMITED,
    M.FULL,  # "mailbox size limit exceeded" is not about the size of a message
    M.CONTENT_OR_POLICY,
    M.SERVER_TROUBLE,
    M.SYNTAX,
    M.UNKNOWN_DOMAIN,  # "unknown recipient domain" contains "unknown recipient"
    M.MOVED,
    M.DISABLED_USER,
    M.UNKNOWN_USER,
    M.AMBIGUOUS_ACCEPT,  # these two follow from the code alone
    M.ACCEPTED,
)
_RANK = MappingProxyType({meaning: rank for rank, meaning in enumerate(_PRECEDENCE)})

_MAILBOX = frozenset({M.UNKNOWN_USER, M.DISABLED_USER, M.MOVED, M.FULL})
# What a permanent refusal at the door comes to, whatever its words: this host does not want us.
_AT_THE_DOOR = _MAILBOX | {M.UNKNOWN_DOMAIN, M.UNCLEAR, M.SERVER_TROUBLE, M.CONTENT_OR_POLICY}
# Said to MAIL FROM:<> without a reason that can be read: it is the null sender that is not liked.
_OF_NULL_SENDER = frozenset({"5.1.0", "5.7.0", "5.7.1"})
_BEFORE_MAIL = frozenset({Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.STARTTLS})
_ASKS_FOR_MAILBOX = frozenset({Stage.RCPT, Stage.VRFY, None})

# What the three digits leave open when nothing else speaks (RFC 5321 section 4.2.3).
_OF_CODE = MappingProxyType(
    {
        421: M.SERVER_TROUBLE,
        432: M.SERVER_TROUBLE,
        452: M.SERVER_TROUBLE,
        500: M.SYNTAX,
        501: M.SYNTAX,
        502: M.SYNTAX,
        503: M.SYNTAX,
        504: M.SYNTAX,
        521: M.CLIENT_BLOCKED,  # RFC 7504: accepts no mail, at least not from us
        523: M.TLS_REQUIRED,
        530: M.AUTH_REQUIRED,  # RFC 4954
        534: M.AUTH_REQUIRED,
        535: M.AUTH_REQUIRED,
        538: M.TLS_REQUIRED,
        555: M.SYNTAX,
        556: M.UNKNOWN_DOMAIN,  # RFC 7504 and RFC 7505
    }
)
_WEAK_CODES = frozenset({550, 551, 553})
_MARKED = re.compile(r"\(?#?\b([245]\.\d{1,3}\.\d{1,3})\b")  # "(#5.1.1)", "#5.7.1 denied"


def classify(
    stage: Stage | None, reply: Reply, book: Phrasebook, *, null_sender: bool = True
) -> Reading:
    """Say what `reply` to `stage` means. `stage` is None where it is not known.

    `null_sender`: MAIL FROM was "<>", so that a refusal of the sender is a refusal of bounces.
    """
    if reply.code < 400:
        return _success(reply.code)
    if reply.contradicts_itself:
        return Reading(M.UNCLEAR, f"contradiction {reply.code} {reply.enhanced}")
    reading, of_sender = _refusal(stage, reply, book)
    return _at_stage(stage, reply, reading, of_sender and null_sender, null_sender)


def _success(code: int) -> Reading:
    if code == 252:
        return Reading(M.AMBIGUOUS_ACCEPT, "code 252")
    return Reading(M.ACCEPTED if code < 300 else M.UNCLEAR, f"code {code}")


def _refusal(stage: Stage | None, reply: Reply, book: Phrasebook) -> tuple[Reading, bool]:
    """Read a 4xx or 5xx; also say whether it speaks of the sender's address."""
    text = reply.text
    folded = fold(text)
    code, enhanced = str(reply.code), reply.enhanced or _marked(text, reply.code)
    for level in (Level.EXACT, Level.PLAIN, Level.HINT):
        if phrase := _best(book.phrases[level], stage, code, enhanced, folded):
            return _phrase_reading(phrase, reply, enhanced), phrase.of_sender
    meaning = meaning_of(enhanced) if enhanced else None
    if enhanced and meaning:
        weak = meaning is M.UNKNOWN_USER and _may_be_weak(reply, enhanced)
        return Reading(meaning, f"enhanced {enhanced}", weak), meaning is M.SENDER_REJECTED
    for level in (Level.FAINT, Level.EMPTY):
        if phrase := _best(book.phrases[level], stage, code, enhanced, folded):
            return _phrase_reading(phrase, reply, enhanced), phrase.of_sender
    meaning = _OF_CODE.get(reply.code, M.UNCLEAR)
    silent = meaning is M.UNCLEAR and not _says_something(folded)
    return Reading(meaning, f"code {reply.code}", silent and _may_be_weak(reply, enhanced)), False


def _best(
    phrases: tuple[Phrase, ...], stage: Stage | None, code: str, enhanced: str | None, folded: str
) -> Phrase | None:
    found = (
        phrase
        for phrase in phrases
        if phrase.applies(stage, code, enhanced) and phrase.found_in(folded)
    )
    return min(found, key=lambda phrase: _RANK[phrase.meaning], default=None)


def _phrase_reading(phrase: Phrase, reply: Reply, enhanced: str | None) -> Reading:
    if not phrase.weak:
        return Reading(phrase.meaning, phrase.rule)
    if enhanced and enhanced[2:].startswith("7."):  # a policy that borrows the mailbox's words
        return Reading(M.UNCLEAR, phrase.rule)
    return Reading(phrase.meaning, phrase.rule, _may_be_weak(reply, enhanced))


def _may_be_weak(reply: Reply, enhanced: str | None) -> bool:
    """evidence.md section 3: which codes may be believed about a mailbox, given contrast."""
    fits = enhanced is None or enhanced == "5.4.1" or enhanced.startswith("5.1.")
    return reply.code >= 500 and fits


def _marked(text: str, code: int) -> str | None:
    """Find an enhanced code inside the text, as qmail writes it, of the reply's own class."""
    found = _MARKED.search(text[:MAX_READ_CHARS])
    return found[1] if found and found[1][0] == str(code)[0] else None


def _says_something(folded: str) -> bool:
    return any(char.isalpha() for char in folded.replace("@", " "))


def _at_stage(
    stage: Stage | None, reply: Reply, reading: Reading, bounce: bool, null_sender: bool
) -> Reading:
    """Correct `reading` by what the command asked."""
    meaning, permanent = reading.meaning, reply.code >= 500
    if meaning is M.SENDER_REJECTED and bounce and permanent:
        return Reading(M.NULL_SENDER_REFUSED, reading.rule)
    if stage in _ASKS_FOR_MAILBOX:
        return reading
    if stage in _BEFORE_MAIL:
        if meaning in (_AT_THE_DOOR if permanent else _MAILBOX):
            meaning = M.CLIENT_BLOCKED
    elif meaning in _MAILBOX:
        meaning = M.SENDER_REJECTED
    elif meaning is M.UNCLEAR and null_sender and reply.enhanced in _OF_NULL_SENDER:
        return Reading(M.NULL_SENDER_REFUSED, f"null sender {reply.enhanced}")
    return Reading(meaning, reading.rule)
