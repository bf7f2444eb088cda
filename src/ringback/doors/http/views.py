"""What pages show: values for templates, gathered from the engine, the store and what happened lately.

Not here: HTML (templates/), which page comes where (pages.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...assemble import organisations
from ...engine.ports import Store
from ...errors import StoreError
from ...rules.freshness import Entry, Freshness, ages_of, judge
from ...rules.reports import Heading, doubted, from_entry
from ...values.calls import Call
from ...values.evidence import Exchange
from ...values.facts import Fact
from ...values.query import Report
from ...values.settings import Settings
from ..account import dialogue, points
from ..calls import UNDER_WAY
from ..recent import Recent, Span, Tally, total
from .allowances import Allowance, Breaker, allowance_of, breakers_of, charge_overall
from .door import HttpDoor

MAX_BARS = 10  # reasons and gates; the rest is told in one number
ADVISE_FROM = 100  # callouts: fewer say nothing of their worth


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


def account_of(report: Report, state: str = "") -> Account:
    hosts = {step.ip: step.host for step in report.evidence if step.ip}
    return Account(
        report,
        lines_of(report.evidence),
        tuple(points(report)),
        state,
        tuple(hosts.items()),
    )


def account_of_entry(entry: Entry, settings: Settings, now: float) -> Account:
    """What is remembered, as it would answer now."""
    state = judge(entry, now, ages_of(settings.cache))
    heading = Heading(entry.key, now)
    as_told = doubted if state is Freshness.DOUBTFUL else from_entry
    return account_of(as_told(heading, entry), state.value)


def view_of_call(call: Call) -> CallView:
    return CallView(call, lines_of(call.said), call.outcome or UNDER_WAY)


@dataclass(frozen=True, slots=True)
class Now:
    """What is happening: everything of the first page that moves."""

    span: Span
    now: float
    recent: Recent
    steps: list[tuple[float, Tally]]
    sum: Tally
    reasons: tuple[Bar, ...]
    spent: tuple[Bar, ...]
    under_way: int
    overall: Allowance | None
    breakers: tuple[Breaker, ...]
    store_fails: bool

    @property
    def is_quiet(self) -> bool:
        return not self.recent.answers and not self.recent.callouts

    @property
    def is_in_vain(self) -> bool:
        """True where callouts were a burden on others, and changed nothing."""
        return self.sum.callouts >= ADVISE_FROM and self.sum.changed == 0


async def now_of(door: HttpDoor, span: Span) -> Now:
    """Gather it. A store that fails leaves out what it would have told."""
    recent, now = door.recent, door.clock.now()
    steps = recent.steps(span)
    counted = total(steps)
    budget, elapsed = door.settings.budget, door.clock.elapsed()
    overall: Allowance | None = None
    breakers: tuple[Breaker, ...] = ()
    fails = False
    try:
        charge = charge_overall(budget, organisations())
        overall = await allowance_of(door.store, charge, elapsed)
        breakers = await _breakers_lately(door.store, recent, now)
    except StoreError:
        fails = True
    return Now(
        span=span,
        now=now,
        recent=recent,
        steps=[(step.begins_at, step.tally) for step in steps],
        sum=counted,
        reasons=bars(counted.reasons.items()),
        spent=_spent(counted),
        under_way=door.verifier.under_way,
        overall=overall,
        breakers=breakers,
        store_fails=fails,
    )


def bars(counts: Iterable[tuple[str, int]], kind: str = "") -> tuple[Bar, ...]:
    """The largest counts, and all others as one."""
    ranked = sorted(counts, key=lambda pair: (-pair[1], pair[0]))
    shown, rest = ranked[:MAX_BARS], sum(count for _, count in ranked[MAX_BARS:])
    if rest:
        shown.append(("all others", rest))
    most = max((count for _, count in shown), default=1) or 1
    return tuple(Bar(name, count, 100 * count / most, kind) for name, count in shown)


def _spent(counted: Tally) -> tuple[Bar, ...]:
    """Callouts made, and those that memory and each gate have saved."""
    made = (Bar("callouts made", counted.callouts, 0, "spent"),) if counted.answers else ()
    others = (("answered from memory", counted.remembered), ("ended before a call", counted.unmade))
    saved = bars((*others, *counted.gates.items()), "saved")
    both = [bar for bar in (*made, *saved) if bar.count or bar.kind == "spent"]
    most = max((bar.count for bar in both), default=1) or 1
    return tuple(Bar(bar.name, bar.count, 100 * bar.count / most, bar.kind) for bar in both)


async def _breakers_lately(store: Store, recent: Recent, now: float) -> tuple[Breaker, ...]:
    """Of the hosts that were called lately, and the subjects of recent troubles."""
    facts: list[Fact] = []
    for ip in reversed(recent.hosts):
        facts += await store.load_facts(ip)
    return breakers_of(facts, now)
