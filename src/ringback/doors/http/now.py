"""The first page's values: what is happening, gathered from the engine, the store and what happened lately.

Not here: HTML (templates/now_parts.html), the stream that keeps it moving (live.py), counts (recent.py).
"""

from collections import Counter
from dataclasses import dataclass

from ...assemble import organisations
from ...engine.progress import UnderWay
from ...errors import StoreError
from ...values.settings import Mode, Settings
from ...values.verdict import Reason
from ..recent import Recent, Span, Tally, total
from .allowances import (
    Allowance,
    Breaker,
    allowance_of,
    charge_overall,
    open_breakers,
)
from .door import HttpDoor
from .views import Bar, bars
from .wordings import EARLY

ADVISE_FROM = 100  # callouts: fewer say nothing of their worth
# Looked through once a second while somebody looks on; the page /breakers has more.
MAX_BREAKERS = 50
MAX_UNDER_WAY = 5  # shown one by one; they change faster than more could be read


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
    progress: tuple[UnderWay, ...]  # of the oldest of them
    overall: Allowance | None
    breakers: tuple[Breaker, ...]
    store_fails: bool
    asked_at: tuple[tuple[str, str], ...]  # the doors of mail servers
    observes: bool

    @property
    def is_quiet(self) -> bool:
        return not self.recent.answers and not self.recent.callouts

    @property
    def has_more_breakers(self) -> bool:
        return len(self.breakers) == MAX_BREAKERS

    @property
    def is_in_vain(self) -> bool:
        """True where callouts were a burden on others, and changed nothing."""
        return self.sum.callouts >= ADVISE_FROM and self.sum.changed == 0


async def now_of(door: HttpDoor, span: Span) -> Now:
    """Gather it. A store that fails leaves out what it would have told."""
    recent, now = door.recent, door.clock.now()
    steps = recent.steps(span)
    counted = total(steps)
    overall: Allowance | None = None
    breakers: tuple[Breaker, ...] = ()
    fails = False
    try:
        charge = charge_overall(door.settings.budget, organisations())
        overall = await allowance_of(door.store, charge, door.clock.elapsed())
        breakers = await open_breakers(door.store, now, MAX_BREAKERS)
    except StoreError:
        fails = True
    return Now(
        span=span,
        now=now,
        recent=recent,
        steps=[(step.begins_at, step.tally) for step in steps],
        sum=counted,
        reasons=_reasons(counted),
        spent=_spent(counted),
        under_way=door.verifier.under_way,
        progress=door.verifier.progress_nowait(MAX_UNDER_WAY),
        overall=overall,
        breakers=breakers,
        store_fails=fails,
        asked_at=doors_of(door.settings),
        observes=door.settings.policy.mode is Mode.OBSERVE,
    )


def doors_of(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Where whom is answered: the name of a door, and its addresses as they were configured."""
    doors = (
        ("policy", settings.policy.listen),
        ("milter", settings.milter.listen),
        ("socketmap", settings.socketmap.listen),
    )
    return tuple((name, ", ".join(listen)) for name, listen in doors if listen)


def _reasons(counted: Tally) -> tuple[Bar, ...]:
    """Reasons of answers, and apart from the deadline those that were told early."""
    apart = Counter[str](counted.reasons)
    apart[Reason.DEADLINE] -= counted.early
    apart[EARLY] += counted.early
    return bars((+apart).items())


def _spent(counted: Tally) -> tuple[Bar, ...]:
    """Callouts made, and those that memory and each gate have saved."""
    made = (Bar("callouts made", counted.callouts, 0, "spent"),) if counted.answers else ()
    others = (
        ("answered from memory", counted.remembered),
        ("shared a callout", counted.shared),
        ("ended before a call", counted.unmade),
    )
    saved = bars((*others, *counted.gates.items()), "saved")
    both = [bar for bar in (*made, *saved) if bar.count or bar.kind == "spent"]
    most = max((bar.count for bar in both), default=1) or 1
    return tuple(Bar(bar.name, bar.count, 100 * bar.count / most, bar.kind) for bar in both)
