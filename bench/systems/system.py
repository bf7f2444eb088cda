"""One of those who are measured, and one measurement of it.

Not here: how each is set up (its own module).
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .. import usage
from ..orders import Order, Outcome, Way
from ..places import ANSWERS_AT_ONCE
from ..world import World

# Every order asks about mailboxes that no order before it could have asked about.
MOST_A_RUN = 200_000
MOST_DOMAINS = 1_000_000
PART = " · "
# Ringback takes so many questions at a time on one connection, and a thousand connections.
_POLICY_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run showed."""

    rate: float  # answers a second
    p50_ms: float
    p99_ms: float
    worst_ms: float
    cpu_s: float  # of the verifier, for 1,000 answers
    wrong: dict[str, int]  # answers that are not what is true of a mailbox that exists


@dataclass(slots=True)
class System:
    """Asked at `host` and `port`; `pid` is the process whose family does the work, 0 if there is none."""

    name: str
    way: Way
    host: str
    port: int
    pid: int
    good: frozenset[str]  # what it says of a mailbox that exists
    world: World
    command: list[str] = field(default_factory=lambda: [sys.executable, "-m", "bench.load"])
    least_s: float = 0.0  # a run shorter than that would show nothing
    about: str = ""  # its version, or the settings it runs with, section by section
    stop: Callable[[], None] = lambda: None  # before the world ends

    @contextmanager
    def waiting(self, kind: str, questions: int, seconds: float) -> Iterator[None]:
        """Have so many questions open, each about a mailbox at a host of its own, of `kind`."""
        depth = _POLICY_DEPTH if self.way is Way.POLICY else 1
        with self._busy(kind, questions, seconds, askers=questions // depth, depth=depth):
            yield

    @contextmanager
    def streaming(self, kind: str, questions: int, seconds: float, askers: int) -> Iterator[None]:
        """Have them asked one after the other, by so many askers."""
        with self._busy(kind, questions, seconds, askers=askers, depth=1):
            yield

    @contextmanager
    def _busy(
        self, kind: str, questions: int, seconds: float, *, askers: int, depth: int
    ) -> Iterator[None]:
        order = self._order(
            askers,
            seconds,
            questions=questions // depth * depth,
            kind=kind,
            domains=MOST_DOMAINS,
            depth=depth,
        )
        with self.world.busy(self.command, order):
            yield

    def warm_up(
        self, askers: int, seconds: float, questions: int, first: int | None = None
    ) -> None:
        """Have it asked so many questions, as far as it gets in that time."""
        with self.asked(askers, seconds, questions=questions, first=first):
            pass

    @contextmanager
    def asked(
        self,
        askers: int,
        seconds: float,
        *,
        questions: int = 0,
        kind: str = ANSWERS_AT_ONCE,
        domains: int = 1_000,
        first: int | None = None,
        known: int = 0,
    ) -> Iterator[Outcome]:
        """Have `askers` ask it for so long; from mailbox `first` on, or about new ones.

        The askers stay connected for the time of the context.
        """
        order = self._order(
            askers,
            seconds,
            questions=questions,
            kind=kind,
            domains=domains,
            first=first,
            known=known,
        )
        with self.world.obeying(self.command, order) as outcome:
            yield outcome

    def _order(
        self,
        askers: int,
        seconds: float,
        *,
        questions: int = 0,
        kind: str = ANSWERS_AT_ONCE,
        domains: int = 1_000,
        first: int | None = None,
        known: int = 0,
        depth: int = 1,
    ) -> Order:
        if first is None:
            first = self.world.asked
            self.world.asked += questions or MOST_A_RUN
        return Order(
            way=self.way,
            host=self.host,
            port=self.port,
            askers=askers,
            first=first,
            seconds=max(seconds, self.least_s),
            questions=questions,
            domains=domains,
            kind=kind,
            known=known,
            depth=depth,
        )

    def measure(
        self,
        askers: int,
        seconds: float,
        *,
        kind: str = ANSWERS_AT_ONCE,
        first: int | None = None,
        known: int = 0,
    ) -> Sample:
        """One run, and what it cost."""
        before_s = usage.cpu_s(self.pid) if self.pid else 0.0
        with self.asked(askers, seconds, kind=kind, first=first, known=known) as outcome:
            # Before connections are cut: what their processes cost may be lost when they end.
            spent_s = usage.cpu_s(self.pid) - before_s if self.pid else outcome.cpu_s
        return Sample(
            rate=outcome.rate,
            p50_ms=outcome.quantile_ms(0.5),
            p99_ms=outcome.quantile_ms(0.99),
            worst_ms=outcome.quantile_ms(1.0),
            cpu_s=spent_s * 1_000 / max(len(outcome.took_ms), 1),
            wrong={said: count for said, count in outcome.said.items() if said not in self.good},
        )


def started(start: Callable[[], None]) -> int:
    """Run `start`, which starts one program, and return the program's process."""
    before = usage.children()
    start()
    (new,) = usage.children() - before
    return new
