"""A report told as an expert would: what was asked, what was said, what it means, which rule decided,
and what would change it. Lines of text without colour. Not here: the words (words.py), printing (doors/cli/).
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from ..engine.router import ROUTE_COMMAND
from ..values.evidence import About, Exchange, Stage
from ..values.query import Report
from ..values.text import printable
from ..values.verdict import Reason
from .instants import utc
from .words import ASKED_FOR, BEHIND_GATE, FAILED, SAID, WHOSE, WOULD_CHANGE

_MAX_REPLY_LINES = 12  # of one reply; what hosts write beyond that helps nobody
_LABEL_COLUMNS = 13
_WHOM = MappingProxyType({About.CONTROL: "the control", About.POSTMASTER: "postmaster"})
_ANSWERS = (Stage.RCPT, Stage.VRFY)  # where an acceptance says something of a mailbox


def shown_address(report: Report) -> str:
    return printable(report.address) or "<>"


def said_in_short(report: Report) -> str:
    """What decided, for the rest of a line: a host's words, or else our own."""
    because = report.because
    if because is None or because.code is None:
        return printable(report.rule)
    return printable(f"{because.host} said: {_code(because)} {because.text}")


def tell(report: Report) -> Iterator[str]:
    """Give the account of one report, line by line; the verdict itself stands above it."""
    if report.from_cache and report.evidence:
        yield f"Nobody was asked now; this was said {utc(report.checked_at)}:"
    yield from dialogue(report.evidence)
    yield from (f"{label:<{_LABEL_COLUMNS}} {text}" for label, text in points(report))


def points(report: Report) -> Iterator[tuple[str, str]]:
    """Give what follows from the dialogue: what each point is about, and what there is to say of it."""
    yield "decided by", printable(report.rule)
    if report.because is not None:
        yield "resting on", _resting_on(report.because)
    yield "whose doing", WHOSE[report.blame]
    yield "would change", _would_change(report)
    yield "when", _when(report)


def dialogue(evidence: Sequence[Exchange]) -> Iterator[str]:
    """Write out what was asked and said, one connection after the other."""
    before: Exchange | None = None
    about = About.ADDRESS
    for exchange in evidence:
        heading = _heading(exchange, before)
        if heading:
            yield heading
        if exchange.about is not about and exchange.about is not About.ADDRESS:
            yield f"  ({ASKED_FOR[exchange.about]})"
        before, about = exchange, exchange.about
        yield from _lines_of(exchange)


def _heading(exchange: Exchange, before: Exchange | None) -> str:
    """Who is talking, where that has changed."""
    if exchange.stage is Stage.ROUTE:
        return ""
    if not exchange.connection:
        known = "not called" if exchange.fault else f"remembered, {utc(exchange.at)}"
        return f"{_place(exchange)}, {known}"
    if before is not None and before.connection == exchange.connection:
        return ""
    return f"{_place(exchange)}, preference {exchange.preference}"


def _place(exchange: Exchange) -> str:
    host = printable(exchange.host)
    return f"{host} [{exchange.ip}]" if exchange.ip and exchange.ip != exchange.host else host


def _lines_of(exchange: Exchange) -> Iterator[str]:
    if exchange.stage is Stage.ROUTE:
        yield _looked_up(exchange)
    elif exchange.command:
        yield f"  C: {printable(exchange.command)}"
    if exchange.fault:
        if exchange.stage is not Stage.ROUTE:
            yield f"  !  {printable(exchange.text)}"
        yield f"     → {FAILED[exchange.fault]}"
    elif exchange.code is not None:
        yield from _reply_lines(exchange)
        if note := _note(exchange):
            yield f"     → {note}"
    elif exchange.stage is Stage.TLS:
        yield f"  (TLS: {printable(exchange.text)})"


def _looked_up(exchange: Exchange) -> str:
    if exchange.command.startswith(f"{ROUTE_COMMAND} "):
        return printable(f"{exchange.command}: {exchange.text}")
    asked = f"{exchange.command}: " if exchange.command else ""
    return f"DNS {printable(asked + exchange.text)}"


def _reply_lines(exchange: Exchange) -> Iterator[str]:
    if exchange.stage is Stage.EHLO and (exchange.code or 0) < 300:
        offered = ", ".join(exchange.text.split("\n"))  # its lines are names of extensions
        yield f"  S: {exchange.code} {printable(offered)}"
        return
    *before, last = exchange.text.split("\n")
    for line in before[:_MAX_REPLY_LINES]:
        yield f"  S: {exchange.code}-{printable(line)}"
    if len(before) > _MAX_REPLY_LINES:
        yield f"     … {len(before) - _MAX_REPLY_LINES} lines more"
    yield f"  S: {_code(exchange)} {printable(last)}".rstrip()


def _note(exchange: Exchange) -> str:
    """What a reply means, and who says so; "" where it goes without saying."""
    if exchange.stage is Stage.QUIT:
        return ""
    if exchange.meaning is None:
        return exchange.rule
    if (exchange.code or 0) < 400 and exchange.stage not in _ANSWERS:
        return ""
    weak = ", in words that count only with contrast" if exchange.weak else ""
    return f"{SAID[exchange.meaning]}{weak} ({exchange.meaning}, by {exchange.rule})"


def _code(exchange: Exchange) -> str:
    return f"{exchange.code} {exchange.enhanced}" if exchange.enhanced else f"{exchange.code}"


def _resting_on(because: Exchange) -> str:
    if because.stage is Stage.ROUTE:
        return _looked_up(because)
    if because.code is None:
        fault = FAILED[because.fault] if because.fault else printable(because.text)
        return f"{fault} ({because.stage.upper()}) at {_place(because)}"
    about = "" if because.about is About.ADDRESS else f" for {_WHOM[because.about]}"
    read = f", read as {because.meaning} by {because.rule}" if because.meaning else ""
    return f"{_code(because)} to {because.stage.upper()}{about} at {_place(because)}{read}"


def _would_change(report: Report) -> str:
    change = BEHIND_GATE.get(report.gate) or WOULD_CHANGE[report.reason]
    if report.retry_at is None:
        return change
    return f"{change}; worth asking again from {utc(report.retry_at)}"


def _when(report: Report) -> str:
    how = "without calling anyone"
    if report.reason is Reason.DEADLINE:
        how = "before the callout was over"
    elif report.from_cache:
        how = "answered from memory now"
    elif report.callouts:
        how = f"over {report.callouts} connection{'' if report.callouts == 1 else 's'}"
    until = ""
    if report.expires_at is not None and report.retry_at is None:
        until = f"; holds until {utc(report.expires_at)}"
    return f"{utc(report.checked_at)}, {how}{until}"
