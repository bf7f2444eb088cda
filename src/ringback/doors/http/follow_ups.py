"""Reports that were not final when their asker had to be answered, kept until he comes back for them.

Bounded in number and in time; ids cannot be guessed, and whoever has one may read its report.
Not here: the callout itself, which goes on in the engine (engine/verifier.py).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_urlsafe

from ...engine.ports import Sink
from ...rules.reports import Heading, unasked
from ...values.events import Trouble
from ...values.query import Query, Report
from ...values.verdict import Reason

# A report with its evidence takes some 5 kB.
MAX_KEPT = 5_000
KEPT_S = 3_600.0
ID_OCTETS = 18

# A conclusion may be waited for by way of an acceptance whose control is still open, and of gates whose
# DNS was late; a third time means that something is wrong.
_MAX_STEPS = 3

Verify = Callable[[Query], Awaitable[Report]]
Concluded = Callable[[str], "asyncio.Future[Report] | None"]


@dataclass(slots=True)
class _Kept:
    report: Report  # the last that is known
    until: float  # elapsed
    task: "asyncio.Task[None] | None" = None


class FollowUps:
    """Follows callouts to their end. `elapsed` is Clock.elapsed."""

    def __init__(self, elapsed: Callable[[], float], sink: Sink, most: int = MAX_KEPT) -> None:
        self._elapsed, self._sink, self._most = elapsed, sink, most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def follow_nowait(
        self, query: Query, provisional: Report, verify: Verify, concluded: Concluded
    ) -> str:
        """Keep a provisional report, follow its callout, and return an id for it."""
        self._sweep(self._most - 1)
        name = token_urlsafe(ID_OCTETS)
        kept = self._kept[name] = _Kept(provisional, self._elapsed() + KEPT_S)
        # Looked up now: at this moment the callout that was too slow is still under way.
        flight = concluded(query.address)
        kept.task = asyncio.create_task(_follow(kept, query, verify, concluded, flight))
        kept.task.add_done_callback(self._land)
        return name

    def find(self, name: str) -> Report | None:
        """The last report under an id; None where it was never given or is no longer kept."""
        self._sweep(self._most)
        kept = self._kept.get(name)
        return kept.report if kept else None

    async def close(self) -> None:
        """Give up all of them."""
        tasks = [kept.task for kept in self._kept.values() if kept.task]
        self._kept.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._sink(Trouble.of_bug("http", bug))

    def _sweep(self, most: int) -> None:
        """Drop what is over, and the oldest of more than `most`."""
        now = self._elapsed()
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            if kept.until > now and len(self._kept) <= most:
                return
            del self._kept[name]
            if kept.task is not None:
                kept.task.cancel()


async def _follow(
    kept: _Kept,
    query: Query,
    verify: Verify,
    concluded: Concluded,
    flight: "asyncio.Future[Report] | None",
) -> None:
    lost = Heading(query.address, kept.report.checked_at)
    last = unasked(lost, Reason.OUR_TROUBLE, "the conclusion of the callout was lost")
    patient = query.but(answer_by_at=None)
    try:
        for _ in range(_MAX_STEPS):
            report = await (asyncio.shield(flight) if flight else verify(patient))
            if report.reason is not Reason.DEADLINE:
                last = report.but(address=query.address)
                return
            flight = concluded(query.address)
    finally:
        kept.report = last
