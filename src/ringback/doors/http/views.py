"""What pages show, as values for templates: accounts, dialogues, calls, bars.

Not here: HTML (templates/), which page comes where (pages.py), the first page's (now.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...rules.forwarding import Routes, parse_key
from ...rules.freshness import Entry, Freshness
from ...rules.reports import doubted, from_entry
from ...values.address import parse_address
from ...values.calls import Call
from ...values.evidence import Exchange
from ...values.facts import Fact
from ...values.query import Purpose, Report
from ...values.settings import RecipientRoute, Settings
from ..account import dialogue, points
from ..calls import UNDER_WAY
from ..remembered import state_of

MAX_BARS = 10  # reasons and gates; the rest is told in one number


@dataclass(frozen=True, slots=True)
class Bar:
    """A word and how often it was counted. `part` is of the longest bar, in per cent."""

    name: str
    count: int
    part: float
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a dialogue, and who speaks."""

    kind: str  # "client", "server", "note", "place"
    text: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account of why."""

    report: Report
    lines: tuple[Line, ...]
    points: tuple[tuple[str, str], ...]
    state: str = ""  # of what is remembered
    hosts: tuple[tuple[str, str], ...] = ()
    via: str = ""  # of a recipient: the host of its route, in words


@dataclass(frozen=True, slots=True)
class CallView:
    """A call of the audit."""

    call: Call
    lines: tuple[Line, ...]
    outcome: str


def lines_of(evidence: Sequence[Exchange]) -> tuple[Line, ...]:
    return tuple(_line(text) for text in dialogue(evidence))


_SPEAKERS = (
    ("  C: ", "client"),
    ("  S: ", "server"),
    ("  !  ", "fault"),
    ("     ", "note"),
    ("  ", "note"),
)


def _line(text: str) -> Line:
    for head, kind in _SPEAKERS:
        if text.startswith(head):
            return Line(kind, text.removeprefix(head).lstrip())
    return Line("place", text)


def account_of(report: Report, state: str = "", via: str = "") -> Account:
    hosts = {step.ip: step.host for step in report.evidence if step.ip}
    return Account(
        report,
        lines_of(report.evidence),
        tuple(points(report)),
        state,
        tuple(hosts.items()),
        via,
    )


def account_of_entry(entry: Entry, settings: Settings, now: float) -> Account:
    """What is remembered, as it would answer now."""
    text, purpose = parse_key(entry.key)
    state = state_of(entry, settings, now)
    as_told = doubted if state == Freshness.DOUBTFUL.value else from_entry
    forward = purpose is Purpose.RECIPIENT
    via = via_of(Routes.of(settings.recipient.route), text) if forward else ""
    return account_of(as_told(text, entry), state, via)


def via_of(routes: Routes, recipient: str) -> str:
    """Name the hosts that are asked about a recipient."""
    route = routes.find(parse_address(recipient).domain)
    return _hosts_of(route) if route else "a route that is gone"


def _hosts_of(route: RecipientRoute) -> str:
    hosts = ", ".join(route.host)
    return f"the route of {route.domain} to {hosts}"


def scope_of(fact: Fact) -> str:
    """What of its subject a fact is about, where that is not all of it."""
    subject, purpose = parse_key(fact.subject)
    if purpose is Purpose.RECIPIENT:
        return "of its recipients, as the host of their route has it"
    _, _, domain = subject.partition(" ")
    return f"for {domain}" if domain else ""


def view_of_call(call: Call) -> CallView:
    return CallView(call, lines_of(call.said), call.outcome or UNDER_WAY)


def bars(counts: Iterable[tuple[str, int]], kind: str = "") -> tuple[Bar, ...]:
    """The largest counts, and all others as one."""
    ranked = sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    shown, rest = ranked[:MAX_BARS], sum(count for _, count in ranked[MAX_BARS:])
    if rest:
        shown.append(("all others", rest))
    most = max((count for _, count in shown), default=1) or 1
    return tuple(Bar(name, count, 100 * count / most, kind) for name, count in shown)
