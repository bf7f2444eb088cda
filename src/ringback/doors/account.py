"""A report told as an expert would: what was asked, what was said, what it means, which rule decided,
and what would change it. Lines of text without colour. Not here: printing them (doors/cli/).
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from ..values.evidence import About, Exchange, Fault, Stage
from ..values.query import Report
from ..values.text import printable
from ..values.verdict import Blame, Reason
from .cli.output import utc

# Where the meaning of a reply begins on its line, if there is room.
_MEANING_COLUMN = 64
_MAX_REPLY_LINES = 12  # of one reply; what hosts write beyond that helps nobody

_WHOSE = MappingProxyType(
    {
        Blame.ADDRESS: "the address",
        Blame.PEER: "the other side",
        Blame.US: "us",
        Blame.NETWORK: "the network or the DNS",
        Blame.POLICY: "our own policy",
    }
)

_BEGIN_AGAIN = "Nothing until the verdict expires; --fresh asks anew."
_TIME = "Time: it is asked again after the hour named above."
_WOULD_CHANGE = MappingProxyType(
    {
        Reason.ACCEPTED: "A permanent refusal, twice, at least an hour apart.",
        Reason.BAD_SYNTAX: "Only another address: this one is impossible under RFC 5321.",
        Reason.NO_SUCH_DOMAIN: "The domain appearing in the DNS.",
        Reason.NO_MAIL_HOST: "An MX, A or AAAA record appearing for the domain.",
        Reason.NULL_MX: "The domain publishing another MX record.",
        Reason.NO_SUCH_MAILBOX: "The mailbox being made; an old refusal is confirmed before it counts.",
        Reason.MAILBOX_DISABLED: "The mailbox being enabled again.",
        Reason.MAILBOX_MOVED: "Nothing here: the mailbox has another address now.",
        Reason.ACCEPTS_ANY: "The host refusing addresses that nobody has.",
        Reason.REFUSES_ANY: "The host accepting its own postmaster, as RFC 5321 demands.",
        Reason.REFUSES_NULL_SENDER: "The host taking bounces, as RFC 5321 demands.",
        Reason.AMBIGUOUS_REPLY: "A reply that says more.",
        Reason.POLICY_REFUSAL: "The policy of the other side.",
        Reason.DOMAIN_NOT_SERVED: "The MX record or the host being put right: they contradict each other.",
        Reason.GREYLISTED: _TIME,
        Reason.PEER_IS_VERIFYING: _TIME,
        Reason.PEER_TROUBLE: _TIME,
        Reason.PROTOCOL_ERROR: "The host speaking SMTP.",
        Reason.TLS_REQUIRED: "A TLS handshake that succeeds; see smtp.tls.",
        Reason.NEEDS_SMTPUTF8: "The host offering SMTPUTF8.",
        Reason.MAILBOX_FULL: "Its owner making room.",
        Reason.REFUSES_US: "Our standing with the host: see what its reply says of us.",
        Reason.RATE_LIMITED: "Asking that host less.",
        Reason.IDENTITY_UNFIT: "Our own set-up: see [identity] in the configuration.",
        Reason.OUR_TROUBLE: "The trouble of ours being mended; the log names it.",
        Reason.DNS_FAILURE: _TIME,
        Reason.UNREACHABLE: _TIME,
        Reason.OPTED_OUT: "The owner's wish, which is respected.",
        Reason.OVER_BUDGET: "Time, or a larger [budget].",
        Reason.NOT_ASKED: "The setting behind that gate.",
        Reason.DEADLINE: "A moment's patience: the callout goes on.",
    }
)

_ABOUT = MappingProxyType(
    {
        About.CONTROL: "the control: an address that nobody has",
        About.POSTMASTER: "contrast: every host has a postmaster",
    }
)

_IN_WORDS = MappingProxyType(
    {
        Fault.NO_SUCH_DOMAIN: "the domain does not exist",
        Fault.NO_MAIL_HOST: "nothing takes mail for it",
        Fault.NULL_MX: "it takes no mail, and says so",
        Fault.UNUSABLE_MX: "no address to call",
        Fault.DNS_FAILURE: "no answer that can be believed",
        Fault.FORBIDDEN_NETWORK: "not called",
        Fault.OPTED_OUT: "not called: opted out",
        Fault.OVER_BUDGET: "not called: budget used up",
        Fault.SOURCE_UNUSABLE: "our own fault",
        Fault.REFUSED: "no connection",
        Fault.TIMEOUT: "no answer in time",
        Fault.CLOSED: "the host went away",
        Fault.NOT_SMTP: "not SMTP",
        Fault.OUT_OF_STEP: "out of step",
        Fault.TLS_FAILED: "TLS failed",
        Fault.NO_SMTPUTF8: "not asked",
    }
)


def tell(report: Report) -> Iterator[str]:
    """Give the account of one report, line by line, the verdict first."""
    yield f"{printable(report.address)}: {report.verdict} ({report.reason})"
    yield from dialogue(report.evidence)
    yield f"  Decided: {printable(report.rule)}."
    because = report.because
    if because is not None and because.code is not None:
        where = f"{because.host} [{because.ip}]" if because.host != because.ip else because.ip
        yield f"  By: {because.code}{_enhanced(because)} to {because.stage.upper()} at {where}."
    yield f"  Whose doing: {_WHOSE[report.blame]}."
    yield f"  Would change it: {_WOULD_CHANGE[report.reason]}"
    yield f"  {_how_fresh(report)}"


def dialogue(evidence: Sequence[Exchange]) -> Iterator[str]:
    """Write out what was asked and said, one connection after the other."""
    connection = 0
    about = About.ADDRESS
    for exchange in evidence:
        if exchange.connection != connection:
            connection = exchange.connection
            yield f"  {exchange.host} [{exchange.ip}], preference {exchange.preference}"
        elif not exchange.connection and exchange.stage is not Stage.ROUTE:
            yield f"  remembered of {exchange.host} [{exchange.ip}], {utc(exchange.at)}"
        if exchange.about is not about and exchange.about in _ABOUT:
            yield f"    ({_ABOUT[exchange.about]})"
        about = exchange.about
        yield from _lines_of(exchange)


def _lines_of(exchange: Exchange) -> Iterator[str]:
    if exchange.stage is Stage.ROUTE:
        said = f"DNS: {exchange.command} → {exchange.text}" if exchange.command else exchange.text
        yield f"  {_with_note(printable(said), _fault(exchange))}"
        return
    if exchange.command:
        yield f"    C: {printable(exchange.command)}"
    if exchange.fault:
        yield f"    !  {_fault(exchange)}: {printable(exchange.text)}"
    elif exchange.stage is Stage.EHLO:
        offered = ", ".join(exchange.text.split("\n"))  # its lines are names of extensions
        yield _with_note(f"    S: {exchange.code} {printable(offered)}", _meaning(exchange))
    elif exchange.code is not None:
        *before, last = exchange.text.split("\n")
        for line in before[:_MAX_REPLY_LINES]:
            yield f"    S: {exchange.code}-{printable(line)}"
        text = f"    S: {exchange.code}{_enhanced(exchange)} {printable(last)}".rstrip()
        yield _with_note(text, _meaning(exchange))
    elif exchange.stage is Stage.TLS:
        yield f"    (TLS: {printable(exchange.text)})"


def _with_note(text: str, note: str) -> str:
    return f"{text:<{_MEANING_COLUMN}}  ← {note}" if note else text


def _meaning(exchange: Exchange) -> str:
    if exchange.meaning is None:
        return exchange.rule if exchange.stage is not Stage.QUIT else ""
    if (
        exchange.stage in (Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.QUIT, Stage.RSET)
        and (exchange.code or 0) < 400
    ):
        return ""
    weak = ", weakly" if exchange.weak else ""
    return f"{exchange.meaning}{weak} ({exchange.rule})"


def _fault(exchange: Exchange) -> str:
    return _IN_WORDS[exchange.fault] if exchange.fault else ""


def _enhanced(exchange: Exchange) -> str:
    return f" {exchange.enhanced}" if exchange.enhanced else ""


def _how_fresh(report: Report) -> str:
    told = "Remembered from" if report.from_cache else "Asked"
    parts = [f"{told} {utc(report.checked_at)}"]
    if report.retry_at is not None:
        parts.append(f"asked again after {utc(report.retry_at)}")
    elif report.expires_at is not None:
        parts.append(f"holds until {utc(report.expires_at)}")
    plural = "" if report.callouts == 1 else "s"
    parts.append(f"{report.callouts} connection{plural} made")
    return ", ".join(parts) + "."
