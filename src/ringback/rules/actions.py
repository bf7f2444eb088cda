"""Report → Action: what the MTA is told, in the forms of Postfix's access(5) (evidence.md section 5). Pure.

Never OK, which would skip the site's later restrictions; never REJECT with a number in its text, which
Postfix answers with 554 5.7.1. Not here: how often one mail is deferred (rules/waiting.py), and what an
MTA is told while observing (doors/judging.py).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ..errors import AddressError
from ..values.address import parse_address
from ..values.evidence import About, Exchange, Stage
from ..values.query import RECIPIENT, SENDER, Purpose, Report
from ..values.record import Record
from ..values.settings import DeferOrAccept, Etiquette
from ..values.text import printable
from ..values.verdict import BLAME_OF, VERDICT_OF, Blame, Reason, Verdict
from .gates import Gate

# RFC 5321 section 4.5.3.1.5 allows a reply line 512 octets; the MTA puts its own words before ours.
MAX_LINE_CHARS = 400
# A valid address may be longer, but then the host's own words matter more than its tail.
MAX_ADDRESS_CHARS = 160


class Kind(StrEnum):
    """What an action does, from the mildest to the strictest."""

    DUNNO = "DUNNO"  # no opinion: the site's other restrictions decide
    DEFER_IF_PERMIT = "DEFER_IF_PERMIT"  # a 450, unless something later refuses for good
    DEFER = "DEFER"  # a 450 now
    REFUSE = "550"


_STRICTNESS = {kind: rank for rank, kind in enumerate(Kind)}


class Action(Record, frozen=True):
    """One instruction. `enhanced` is an enhanced status code (RFC 3463); only DUNNO has no text."""

    kind: Kind
    enhanced: str = ""
    text: str = ""

    @property
    def strictness(self) -> int:
        """Rank among actions: `max` of several by it is the one that holds."""
        return _STRICTNESS[self.kind]

    def __str__(self) -> str:
        return f"{self.kind} {self.enhanced} {self.text}" if self.text else str(self.kind)


DUNNO = Action(Kind.DUNNO)


class Case(StrEnum):
    """The rows of evidence.md section 5."""

    DELIVERABLE = "deliverable"
    UNDELIVERABLE = "undeliverable"
    WILL_RESOLVE = "will_resolve"  # unknown now, and worth another try
    LATE = "late"  # the asker's patience ended before the callout did
    SETTLED = "settled"  # the real address was accepted; only the control is open
    FINAL = "final"  # unknown, and waiting changes nothing
    NOT_CALLED = "not_called"  # a gate, the owner or a budget said no
    PUT_OFF = "put_off"  # and the configuration has such mail come back, for a while
    FAILED = "failed"  # something of ours is broken


_FINAL: Final = Case.FINAL  # as SENDER in values/query.py

# Total over Case and the two purposes that an MTA can have; a test walks every cell.
TABLE = MappingProxyType(
    {
        (Case.DELIVERABLE, SENDER): Kind.DUNNO,
        (Case.DELIVERABLE, RECIPIENT): Kind.DUNNO,
        (Case.UNDELIVERABLE, SENDER): Kind.REFUSE,
        (Case.UNDELIVERABLE, RECIPIENT): Kind.REFUSE,
        (Case.WILL_RESOLVE, SENDER): Kind.DEFER_IF_PERMIT,
        (Case.WILL_RESOLVE, RECIPIENT): Kind.DEFER,
        (Case.LATE, SENDER): Kind.DEFER_IF_PERMIT,
        (Case.LATE, RECIPIENT): Kind.DEFER,
        (Case.SETTLED, SENDER): Kind.DUNNO,
        (Case.SETTLED, RECIPIENT): Kind.DUNNO,
        (_FINAL, SENDER): Kind.DUNNO,
        (_FINAL, RECIPIENT): Kind.DUNNO,
        (Case.NOT_CALLED, SENDER): Kind.DUNNO,
        (Case.NOT_CALLED, RECIPIENT): Kind.DUNNO,
        (Case.PUT_OFF, SENDER): Kind.DEFER_IF_PERMIT,
        (Case.PUT_OFF, RECIPIENT): Kind.DUNNO,
        (Case.FAILED, SENDER): Kind.DUNNO,
        (Case.FAILED, RECIPIENT): Kind.DEFER,
    }
)

# Where there is a verdict, its row has its name.
_OF_REASON = MappingProxyType(
    {why: Case(said) for why, said in VERDICT_OF.items() if said is not Verdict.UNKNOWN}
)
# What the configuration has happen where nobody was called, by reason and then by gate.
_ON_REASON: Mapping[Reason, Callable[[Etiquette], DeferOrAccept]] = MappingProxyType(
    {
        Reason.OPTED_OUT: lambda etiquette: etiquette.on_opted_out,
        Reason.OVER_BUDGET: lambda etiquette: etiquette.on_over_budget,
        Reason.IDENTITY_UNFIT: lambda etiquette: etiquette.on_unfit,
    }
)
# What no host has said: a gate, a budget, our own state, or that time is up.
_NOT_SAID = frozenset(
    {*_ON_REASON, Reason.OUR_TROUBLE, *(why for why in Reason if BLAME_OF[why] is Blame.POLICY)}
)
_ON_GATE: Mapping[str, Callable[[Etiquette], DeferOrAccept]] = MappingProxyType(
    {
        Gate.RETRIED: lambda etiquette: etiquette.on_first_contact,
        Gate.UNALIGNED: lambda etiquette: etiquette.on_unaligned,
        Gate.SPF_FAIL: lambda etiquette: etiquette.on_spf_fail,
        Gate.DNSBL: lambda etiquette: etiquette.on_dnsbl,
        Gate.OPT_OUT_UNKNOWN: lambda etiquette: etiquette.on_opted_out,
    }
)


# What a refusal says of the address, and its code for a sender: RFC 3463 section 3.2, RFC 7505 section 5.
_REFUSAL = MappingProxyType(
    {
        Reason.BAD_SYNTAX: ("5.1.7", "is not a valid e-mail address"),
        Reason.NO_SUCH_DOMAIN: ("5.1.8", "is in a domain that does not exist"),
        Reason.NO_MAIL_HOST: ("5.1.8", "is in a domain that has no mail host"),
        Reason.NULL_MX: ("5.7.27", "is in a domain that takes no mail (null MX)"),
        Reason.NO_SUCH_MAILBOX: ("5.1.7", "does not exist"),
        Reason.MAILBOX_DISABLED: ("5.1.7", "is disabled"),
        Reason.MAILBOX_MOVED: ("5.1.7", "has moved"),
    }
)
_REFUSED_RECIPIENT = "5.1.1"
_REMEDY = MappingProxyType(
    {
        SENDER: "send from an address that can take replies",
        RECIPIENT: "correct the address, or ask its owner for a new one",
    }
)
_DEFERRED = MappingProxyType({SENDER: "4.1.7", RECIPIENT: "4.1.1"})
_WHY_LATER = MappingProxyType(
    {
        Reason.DEADLINE: "its mail host has not answered yet",
        Reason.DNS_FAILURE: "the DNS of its domain gives no answer",
        Reason.UNREACHABLE: "its mail host cannot be reached",
        Reason.GREYLISTED: "its mail host makes newcomers wait",
        Reason.PEER_IS_VERIFYING: "its mail host is verifying us in turn",
        Reason.OUR_TROUBLE: "the verifier has a local problem",
    }
)
_WHY_PUT_OFF: Mapping[str, str] = MappingProxyType(
    {
        Reason.OPTED_OUT: "its side wants no callouts",
        Reason.OVER_BUDGET: "its side has been asked enough for now",
        Reason.IDENTITY_UNFIT: "the verifier's own identity is not in order",
        Gate.RETRIED: "this is the first mail of its kind from your network, and its domain does not"
        " vouch for you",
        Gate.UNALIGNED: "its domain does not vouch for your host",
        Gate.SPF_FAIL: "its domain says by SPF that your host may not send its mail",
        Gate.DNSBL: "your host is on a block list",
        Gate.OPT_OUT_UNKNOWN: "the DNS does not say whether its side wants callouts",
    }
)
_HOST_SAYS_LATER = "its mail host does not say yet"
# Who got no further than this has asked about no recipient: a certificate that ran out, a password that was
# changed, a route that leads back here.
_BEFORE_ASKING = frozenset({Stage.CONNECT, Stage.STARTTLS, Stage.TLS, Stage.AUTH})


def choose(report: Report, purpose: Purpose, etiquette: Etiquette) -> Action:
    """Say what to tell the MTA. A purpose that no MTA asks for gets DUNNO."""
    case = case_of(report, etiquette)
    if purpose is RECIPIENT:
        case = _of_recipient(case, report, etiquette)
    kind = TABLE.get((case, purpose))
    if kind is None or kind is DUNNO.kind:
        return DUNNO
    return _refuse(report, purpose) if kind is Kind.REFUSE else _defer(kind, report, purpose)


def case_of(report: Report, etiquette: Etiquette) -> Case:
    """Say which row of evidence.md section 5 holds for `report`."""
    if known := _OF_REASON.get(report.reason):
        return known
    if report.settled:
        return Case.SETTLED
    if report.reason in _NOT_SAID:
        return _not_said(report, etiquette)
    # Without an instant at which to ask again, nothing says that a deferral would ever end well.
    return _FINAL if report.final or report.retry_at is None else Case.WILL_RESOLVE


def _not_said(report: Report, etiquette: Etiquette) -> Case:
    """The row where it was not its host that left it open."""
    if report.reason is Reason.DEADLINE:
        return Case.LATE if etiquette.on_deadline is DeferOrAccept.DEFER else _FINAL
    return Case.FAILED if report.reason is Reason.OUR_TROUBLE else _not_called(report, etiquette)


def _of_recipient(case: Case, report: Report, etiquette: Etiquette) -> Case:
    """The row for a recipient, whose host is our own: mail taken in vain becomes a bounce of ours."""
    unsure = case is _FINAL and report.reason is not Reason.DEADLINE
    unasked = report.because is not None and report.because.stage in _BEFORE_ASKING
    defers = unasked or etiquette.on_unsure_recipient is DeferOrAccept.DEFER
    return Case.WILL_RESOLVE if unsure and defers else case


def _not_called(report: Report, etiquette: Etiquette) -> Case:
    choice = _ON_REASON.get(report.reason) or _ON_GATE.get(report.gate)
    puts_off = choice is not None and choice(etiquette) is DeferOrAccept.DEFER
    return Case.PUT_OFF if puts_off else Case.NOT_CALLED


def failed(purpose: Purpose) -> Action:
    """What an MTA is told where something of ours broke, and there is no report."""
    if purpose is not RECIPIENT:
        return DUNNO
    text = "recipient cannot be verified now: the verifier has a local problem; try again later"
    return Action(Kind.DEFER, _DEFERRED[purpose], text)


def _refuse(report: Report, purpose: Purpose) -> Action:
    for_sender, what = _REFUSAL[report.reason]
    enhanced = for_sender if purpose is SENDER else _REFUSED_RECIPIENT
    said = f"{_subject(report, purpose)} {what}; {_REMEDY[purpose]}"
    return _bounded(Kind.REFUSE, enhanced, said + _quote(report.because, purpose))


def _defer(kind: Kind, report: Report, purpose: Purpose) -> Action:
    put_off = _WHY_PUT_OFF.get(report.reason) or _WHY_PUT_OFF.get(report.gate)
    why = put_off or _WHY_LATER.get(report.reason, _HOST_SAYS_LATER)
    said = f"{_subject(report, purpose)} cannot be verified now: {why}; try again later"
    return _bounded(kind, _DEFERRED[purpose], said + _quote(report.because, purpose))


def _subject(report: Report, purpose: Purpose) -> str:
    return f"{purpose} <{_ascii(_in_a_labels(report.address), MAX_ADDRESS_CHARS)}>"


def _in_a_labels(address: str) -> str:
    """The address as those know it who read no domain beyond ASCII."""
    try:
        return address if address.isascii() else parse_address(address).key
    except AddressError:
        return address


def _quote(because: Exchange | None, purpose: Purpose) -> str:
    """The host's own words, where it spoke of the address itself.

    Where recipients are asked for, the host is behind us and its name is nobody's business.
    """
    if because is None or because.code is None or because.about is not About.ADDRESS:
        return ""
    host = because.host if purpose is SENDER else ""
    speaker = f"its mail host {_ascii(host, MAX_ADDRESS_CHARS)}" if host else "its mail host"
    words = (str(because.code), because.enhanced or "", because.text)
    return f". In the words of {speaker}: {' '.join(word for word in words if word)}"


def _bounded(kind: Kind, enhanced: str, text: str) -> Action:
    room = MAX_LINE_CHARS - len(f"{kind} {enhanced} ")
    return Action(kind, enhanced, _ascii(text, room))


def _ascii(text: str, limit: int) -> str:
    """Replies are ASCII except to clients that asked for more (RFC 6531 section 3.7.4)."""
    shown = printable(text, limit=limit).replace("…", "...")
    safe = shown.encode("ascii", "backslashreplace").decode("ascii")
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."
