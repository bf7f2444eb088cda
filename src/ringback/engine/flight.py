"""One callout under way, and those who wait for it.

Not here: which callouts there are, and what is remembered of how they ended (engine/flights.py).
"""

import asyncio
from dataclasses import dataclass, field

from ..rules.freshness import Entry
from ..rules.gates import Passed
from ..values.address import Address
from ..values.query import Query, Report
from .asker import Asker

Turn = asyncio.Future[Report | None]  # of one who waits; None when his time is up


@dataclass(slots=True, eq=False)
class Flight:
    """There are two moments at which its askers may leave with an answer."""

    key: str  # askers with the same one share it
    kept_as: str  # Entry.key
    address: Address
    query: Query  # the first that asked
    passed: Passed  # what let it through
    old: Entry | None  # what was remembered when it started
    asker: Asker  # of the first that asked: what the callout asks the DNS comes out of the same allowance
    concluded: asyncio.Future[Report]
    accepted: Report | None = None  # the address was accepted; the control is still open
    # Who waits, each for an answer in his own time: those whom `accepted` serves, and the others.
    _early: list[Turn] = field(default_factory=list)
    _late: list[Turn] = field(default_factory=list)

    @property
    def _news(self) -> Report | None:
        return self.concluded.result() if self.concluded.done() else self.accepted

    def join(self, *, early: bool) -> Turn:
        """Wait for the conclusion, or if it serves an `early` asker for what comes before it."""
        turn: Turn = self.concluded.get_loop().create_future()
        if self.concluded.done() or (early and self.accepted):
            turn.set_result(self._news)
        else:
            (self._early if early else self._late).append(turn)
        return turn

    def leave(self, turn: Turn) -> None:
        """Wait no longer."""
        for waiting in (self._early, self._late):
            if turn in waiting:
                waiting.remove(turn)

    def accept(self, report: Report) -> None:
        """Let those go who need not wait for the control."""
        self.accepted = report
        self._tell_soon(self._early)

    def conclude(self, report: Report) -> None:
        """Answer all, if that is not done."""
        if not self.concluded.done():
            self.concluded.set_result(report)
            self._tell_soon(self._early)
            self._tell_soon(self._late)

    def _tell_soon(self, waiting: list[Turn]) -> None:
        """Not at once: what ends in the same moment, the callout itself for one, has ended by then."""
        self.concluded.get_loop().call_soon(self._tell, waiting)

    def _tell(self, waiting: list[Turn]) -> None:
        for turn in waiting:
            settle(turn, self._news)
        waiting.clear()


def settle(turn: Turn, report: Report | None) -> None:
    """Say what there is, if that is not done."""
    if not turn.done():
        turn.set_result(report)
