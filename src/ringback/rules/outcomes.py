"""What one host did: the table of evidence.md section 2, as data, and reading a conversation by it.

Not here: what a reply means (rules/classify.py), and what several hosts amount to (rules/conclude.py).
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import MappingProxyType

from ..values.evidence import About, Exchange, Fault, Meaning, Stage
from ..values.record import Record
from ..values.verdict import Outcome


class Phase(StrEnum):
    """The columns of the table: a word at RCPT may be about the mailbox, one before it hardly."""

    HELLO = "hello"
    MAIL = "mail"
    RCPT = "rcpt"


class Then(StrEnum):
    """Where the callout goes from this host."""

    STOP = "stop"
    NEXT_HOST = "next_host"
    ONE_MORE_HOST = "one_more_host"


class Remember(StrEnum):
    """What the host or the domain is remembered for."""

    NOTHING = "nothing"
    NO_BOUNCES = "no_bounces"  # of the domain
    REFUSAL = "refusal"  # opens the host's breaker
    WINDOW = "window"  # how long the host makes newcomers wait


class Cell(Record, frozen=True):
    """One cell. `outcome` None: the reply lets the conversation go on and decides nothing."""

    outcome: Outcome | None
    then: Then
    remember: Remember = Remember.NOTHING


_COLUMN = MappingProxyType(
    {
        Stage.GREETING: Phase.HELLO,
        Stage.EHLO: Phase.HELLO,
        Stage.HELO: Phase.HELLO,
        Stage.STARTTLS: Phase.HELLO,
        Stage.AUTH: Phase.HELLO,
        Stage.RSET: Phase.MAIL,
        Stage.MAIL: Phase.MAIL,
        Stage.RCPT: Phase.RCPT,
        Stage.VRFY: Phase.RCPT,
    }
)

_O = Outcome
# Meaning → (HELLO, MAIL, RCPT), where to go, what to remember. A mailbox-class 4xx at RCPT is DEFERRED.
# Refused before a mailbox was named, it is us whom the host refuses, whatever it says: see _AT_THE_DOOR.
_ROWS: dict[Meaning, tuple[tuple[Outcome | None, ...], Then, Remember]] = {
    Meaning.ACCEPTED: ((None, None, _O.ACCEPTED), Then.STOP, Remember.NOTHING),
    Meaning.AMBIGUOUS_ACCEPT: ((None, None, _O.UNSURE), Then.STOP, Remember.NOTHING),
    Meaning.UNKNOWN_USER: ((_O.REFUSED, _O.REFUSED, _O.REJECTED), Then.STOP, Remember.NOTHING),
    Meaning.DISABLED_USER: ((_O.REFUSED, _O.REFUSED, _O.REJECTED), Then.STOP, Remember.NOTHING),
    Meaning.MOVED: ((_O.REFUSED, _O.REFUSED, _O.REJECTED), Then.STOP, Remember.NOTHING),
    Meaning.FULL: ((_O.REFUSED, _O.REFUSED, _O.FULL), Then.STOP, Remember.NOTHING),
    Meaning.UNKNOWN_DOMAIN: (
        (_O.REFUSED, _O.REFUSED, _O.UNSURE),
        Then.NEXT_HOST,
        Remember.NOTHING,
    ),
    Meaning.NULL_SENDER_REFUSED: (
        (_O.REFUSED, _O.NO_BOUNCES, _O.NO_BOUNCES),
        Then.NEXT_HOST,
        Remember.NO_BOUNCES,
    ),
    Meaning.SENDER_REJECTED: ((_O.REFUSED,) * 3, Then.ONE_MORE_HOST, Remember.REFUSAL),
    Meaning.CLIENT_BLOCKED: ((_O.REFUSED,) * 3, Then.ONE_MORE_HOST, Remember.REFUSAL),
    Meaning.RATE_LIMITED: ((_O.REFUSED,) * 3, Then.STOP, Remember.REFUSAL),
    # Backup hosts are often traps for those who don't wait.
    Meaning.GREYLISTED: ((_O.DEFERRED,) * 3, Then.STOP, Remember.WINDOW),
    Meaning.VERIFYING: ((_O.DEFERRED,) * 3, Then.STOP, Remember.WINDOW),
    Meaning.SERVER_TROUBLE: ((_O.DEFERRED,) * 3, Then.NEXT_HOST, Remember.NOTHING),
    # The probe has started TLS and gone on where it could; what is left over could not.
    Meaning.TLS_REQUIRED: ((_O.UNSURE,) * 3, Then.NEXT_HOST, Remember.NOTHING),
    **dict.fromkeys(
        (Meaning.AUTH_REQUIRED, Meaning.CONTENT_OR_POLICY, Meaning.SYNTAX, Meaning.UNCLEAR),
        ((_O.REFUSED, _O.REFUSED, _O.UNSURE), Then.NEXT_HOST, Remember.NOTHING),
    ),
}

# Outcomes that no callout to the host will change, where they are permanent and come before RCPT
# (etiquette.md, Budgets). TLS that is demanded and does not come about is one.
_AT_THE_DOOR = frozenset({_O.REFUSED, _O.UNSURE})


def _remembered(phase: Phase, outcome: Outcome | None, of_meaning: Remember) -> Remember:
    at_the_door = phase is not Phase.RCPT and outcome in _AT_THE_DOOR
    return Remember.REFUSAL if at_the_door and of_meaning is Remember.NOTHING else of_meaning


TABLE = MappingProxyType(
    {
        (phase, meaning): Cell(outcome, then, _remembered(phase, outcome, remember))
        for meaning, (outcomes, then, remember) in _ROWS.items()
        for phase, outcome in zip(Phase, outcomes, strict=True)
    }
)

_SILENCE = Cell(Outcome.UNREACHABLE, Then.NEXT_HOST)
_NOISE = Cell(Outcome.GARBLED, Then.NEXT_HOST)
FAULTS = MappingProxyType(
    {
        **dict.fromkeys(Fault, _SILENCE),
        Fault.NOT_SMTP: _NOISE,
        Fault.OUT_OF_STEP: _NOISE,
        Fault.TLS_FAILED: Cell(Outcome.UNSURE, Then.NEXT_HOST),
        Fault.NO_LOGIN: Cell(Outcome.UNSURE, Then.NEXT_HOST),
        Fault.NO_SMTPUTF8: Cell(Outcome.UNSURE, Then.NEXT_HOST),
        # Our own side is broken: the next host would get the same, from the same source.
        Fault.SOURCE_UNUSABLE: Cell(Outcome.REFUSED, Then.STOP),
    }
)


class Finding(Record, frozen=True):
    """What one host did about one mailbox, and the exchange that shows it."""

    outcome: Outcome
    then: Then
    remember: Remember
    because: Exchange


def cell_of(exchange: Exchange) -> Cell | None:
    """Look one exchange up; None where it says nothing (QUIT, or void behind a refused command)."""
    if exchange.stage is Stage.QUIT:
        return None
    if exchange.fault is not None:
        return FAULTS[exchange.fault]
    phase = _COLUMN.get(exchange.stage)
    if phase is None or exchange.meaning is None:
        return None
    return _as_said(TABLE[phase, exchange.meaning], exchange)


def _as_said(cell: Cell, exchange: Exchange) -> Cell:
    """What the table says, weighed by the reply's first digit and by the command."""
    if cell.remember is Remember.REFUSAL and not (names_us(exchange) or _is_for_good(exchange)):
        return Cell(cell.outcome, cell.then)
    if cell.outcome is Outcome.REJECTED and not is_permanent(exchange):
        return Cell(Outcome.DEFERRED, cell.then)  # the first digit rules (scenario 41)
    if cell.outcome is Outcome.REJECTED and exchange.stage is Stage.VRFY:
        return Cell(Outcome.UNSURE, cell.then)  # only RCPT condemns a mailbox
    return cell


_OF_US = frozenset(
    meaning for meaning, (_, _, remember) in _ROWS.items() if remember is Remember.REFUSAL
)


def names_us(exchange: Exchange) -> bool:
    """True for a refusal that says in words, or by its code, that it is for us."""
    return exchange.meaning in _OF_US


def _is_for_good(exchange: Exchange) -> bool:
    """A 4xx is for the moment, and the second transaction of a session may be one too many."""
    return is_permanent(exchange) and exchange.about is About.ADDRESS


def is_permanent(exchange: Exchange) -> bool:
    return exchange.code is not None and exchange.code >= 500


def judge(conversation: Iterable[Exchange], about: About) -> Finding | None:
    """Say what one connection showed of the mailbox `about`; None if it was not asked for.

    The last word decides: an EHLO refused before a HELO taken, or a wish for TLS that was fulfilled,
    is the past. A success that lets the conversation go on decides nothing. Who refuses us and then
    leaves the next command without an answer has said his last word before.
    """
    heard = [said for said in conversation if said.about is about]
    if len(heard) > 1 and _cuts_off(heard[-1]) and _is_last_word(heard[-2]):
        heard.pop()
    for exchange in reversed(heard):
        cell = cell_of(exchange)
        if cell and cell.outcome:
            return Finding(cell.outcome, cell.then, cell.remember, exchange)
    return None


def judge_each(conversation: Sequence[Exchange]) -> dict[About, Finding]:
    """The findings of all mailboxes that one connection showed something of."""
    abouts = dict.fromkeys([said.about for said in conversation])
    return {about: found for about in abouts if (found := judge(conversation, about))}


def broken_tls(said: Iterable[Exchange]) -> list[Exchange]:
    """What shows that a host offers STARTTLS and fails at it."""
    return [exchange for exchange in said if exchange.fault and exchange.stage is Stage.TLS]


def _cuts_off(exchange: Exchange) -> bool:
    return exchange.fault is not None and FAULTS[exchange.fault] is _SILENCE


def is_refusal_of_us(exchange: Exchange) -> bool:
    cell = cell_of(exchange)
    return cell is not None and cell.remember is Remember.REFUSAL


def _is_last_word(exchange: Exchange) -> bool:
    """Nothing goes on behind a refusal of us. One of the word EHLO has HELO behind it."""
    final = names_us(exchange) or exchange.stage is Stage.MAIL
    return final and is_refusal_of_us(exchange)


def by_connection(evidence: Sequence[Exchange]) -> list[list[Exchange]]:
    """Split evidence into its conversations, oldest first; what preceded any connection is left out."""
    conversations: dict[int, list[Exchange]] = {}
    for exchange in evidence:
        if exchange.connection:
            conversations.setdefault(exchange.connection, []).append(exchange)
    return list(conversations.values())
