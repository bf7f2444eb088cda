"""What came of runs, as a table for people: one line for each receiver, whatever the number of seeds.

Not here: running (harm.py).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .harm import Harm, Told
from .schedules import DAY_S, HOUR_S, MINUTE_S
from .traffic import Truth

PER_MESSAGES = 10_000
_MOST_CAUSES = 5  # of a line
_QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run comes to; small enough to be handed from one process to another."""

    forged: int
    honest: int
    to_innocents: int
    to_victims: int
    busiest_innocent: int
    busiest_hour: int
    refused_at_worst: int
    forged_taken: int
    honest_lost: int
    delays: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # honest, by cause
    lost: Mapping[str, int] = field(default_factory=dict)  # honest, by cause and kind


def figures_of(harm: Harm) -> Figures:
    delays: defaultdict[str, list[float]] = defaultdict(list)
    for fate in harm.honest_delayed:
        delays[fate.why].append(fate.delay_s)
    lost = Counter(f"{fate.why}; {fate.message.why}" for fate in harm.honest_lost)
    return Figures(
        forged=len(harm.of(Truth.FORGED)),
        honest=len(harm.of(Truth.HONEST)),
        to_innocents=harm.to_innocents,
        to_victims=harm.to_victims,
        busiest_innocent=harm.busiest_innocent,
        busiest_hour=harm.busiest_hour,
        refused_at_worst=harm.refused_at_worst,
        forged_taken=harm.count(Truth.FORGED, Told.TAKEN),
        honest_lost=len(harm.honest_lost),
        delays={cause: tuple(values) for cause, values in delays.items()},
        lost=dict(lost),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One receiver, with bots that try again so often, in all seeds."""

    name: str
    retried_share: float
    runs: Sequence[Figures]

    def innocents_called(self) -> float:
        """Connections for each 10,000 forged messages."""
        return PER_MESSAGES * sum(run.to_innocents for run in self.runs) / self.forged()

    def forged(self) -> int:
        return max(1, sum(run.forged for run in self.runs))

    def lost(self) -> int:
        return sum(run.honest_lost for run in self.runs)

    def delays(self) -> dict[str, list[float]]:
        """By cause, the most frequent first."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for run in self.runs:
            for cause, values in run.delays.items():
                found[cause] += values
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))

    def busiest_hour(self) -> int:
        return max(run.busiest_hour for run in self.runs)


_HEAD = (
    ("", 22),
    ("bots", 6),
    ("calls to", 10),
    ("calls to", 9),
    ("busiest", 9),
    ("busiest", 9),
    ("refused", 9),
    ("forged", 8),
    ("honest", 8),
    ("honest", 8),
    ("delay", 10),
    ("", 10),
    ("", 10),
    ("", 10),
)
_SECOND = (
    "",
    "retry",
    "innocents",
    "victims",
    "innocent",
    "hour",
    "at worst",
    "let in",
    "lost",
    "delayed",
    "p50",
    "p90",
    "p99",
    "max",
)
LEGEND = """
calls to innocents  connections for forged mail, which their owners never wrote, for each 10,000 of it
calls to victims    connections to hosts of innocents that a spammer's MX names
busiest innocent    the most of both at one host in a whole run
busiest hour        connections that any one host got in any 60 minutes, whatever for
refused at worst    recipients that one host refused in a whole run
forged let in       of the forged mail
honest lost         refused, or deferred until its server gave up; delayed: taken at a later attempt
"""


def render(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the lines of the account: the table, what it means, and why honest mail was late or lost."""
    lines = tuple(lines)
    yield _row([name for name, _ in _HEAD])
    yield _row(_SECOND)
    for line in lines:
        yield _row(_cells(line))
    yield from LEGEND.splitlines()
    yield ""
    yield "honest mail delayed, by cause of its first deferral"
    for line in lines:
        yield from _causes(line)
    yield ""
    yield "honest mail lost, by cause and kind"
    for line in lines:
        yield from _losses(line)


def _cells(line: Line) -> list[str]:
    runs, delays = line.runs, [one for values in line.delays().values() for one in values]
    taken = sum(run.forged_taken for run in runs)
    honest = max(1, sum(run.honest for run in runs))
    return [
        line.name,
        f"{line.retried_share:.0%}",
        f"{line.innocents_called():,.1f}",
        f"{sum(run.to_victims for run in runs):,}",
        f"{max(run.busiest_innocent for run in runs):,}",
        f"{line.busiest_hour():,}",
        f"{max(run.refused_at_worst for run in runs):,}",
        f"{taken / line.forged():.1%}",
        f"{line.lost():,}",
        f"{len(delays) / honest:.1%}",
        *([_span(one) for one in quantiles(delays)] or ["-"] * len(_QUANTILES)),
    ]


def _row(cells: Sequence[str]) -> str:
    first, *rest = zip(cells, (width for _, width in _HEAD), strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest)


def quantiles(values: Sequence[float]) -> tuple[float, ...]:
    """The p50, p90, p99 and the largest of `values`; nothing of none."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return tuple(ordered[min(last, int(part * len(ordered)))] for part in _QUANTILES if ordered)


def _span(seconds: float) -> str:
    for unit_s, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.1f} {name}"
    return f"{seconds:.0f} s"


def _title(line: Line) -> str:
    return f"  {line.name}, bots retry {line.retried_share:.0%}"


def _causes(line: Line) -> Iterator[str]:
    yield _title(line)
    for cause, values in line.delays().items():
        spans = ", ".join(_span(one) for one in quantiles(values))
        yield f"    {len(values):>6} {cause}: p50, p90, p99, max {spans}"


def _losses(line: Line) -> Iterator[str]:
    lost: Counter[str] = Counter()
    for run in line.runs:
        lost.update(run.lost)
    if lost:
        yield _title(line)
    ranked = sorted(lost.items(), key=lambda item: (-item[1], item[0]))
    for cause, count in ranked[:_MOST_CAUSES]:
        yield f"    {count:>6} {cause}"
    if more := sum(count for _, count in ranked[_MOST_CAUSES:]):
        yield f"    {more:>6} more"
