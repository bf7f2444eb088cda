"""One callout under way, and those who wait for it.

Not here: which callouts there are, and what is remembered of how they ended (engine/flights.py).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..rules.freshness import Entry
from ..rules.gates import Passed
from ..values.address import Address
from ..values.query import Query, Report
from .asker import Asker
from .walk import News


class Passenger(Protocol):
    """One who waits for a callout: an object, and no task with a future, for there may be thousands."""

    @property
    def is_early(self) -> bool:
        """Say whether an acceptance serves him, whatever the control shows."""
        ...

    def tell(self, news: Report, /) -> None: ...


@dataclass(slots=True, eq=False)
class Flight:
    """There are two moments at which its askers may leave with an answer."""

    key: str  # askers with the same one share it
    address: Address
    query: Query  # the first that asked
    passed: Passed  # what let it through
    old: Entry | None  # what was remembered when it started
    asker: Asker  # of the first that asked: what the callout asks the DNS comes out of the same allowance
    started_at: float  # Unix seconds
    on_news: Callable[["Flight", News], None]  # who takes in what is known in the middle of it
    report: Report | None = None  # the conclusion
    accepted: Report | None = None  # the address was accepted; the control is still open
    _told: int = 0  # how many of its askers have left with an answer, so far
    _waiting: list[Passenger] = field(default_factory=list)
    _concluded: asyncio.Future[Report] | None = None

    @property
    def concluded(self) -> asyncio.Future[Report]:
        """The conclusion, for who can wait for nothing but a future: all of them share this one."""
        if self._concluded is None:
            self._concluded = asyncio.get_running_loop().create_future()
            if self.report:
                self._concluded.set_result(self.report)
        return self._concluded

    @property
    def served(self) -> int:
        """How many askers it has answered, or will in a moment; none of those who lost patience."""
        return self._told + sum(self._news_for(one) is not None for one in self._waiting)

    def pass_on(self, news: News) -> None:
        self.on_news(self, news)

    def join(self, one: Passenger) -> None:
        """Have `one` told the conclusion, or if it serves him what comes before it; never at once."""
        self._waiting.append(one)
        if self._news_for(one):
            self._tell_soon()

    def leave(self, one: Passenger) -> None:
        """Wait no longer."""
        if one in self._waiting:
            self._waiting.remove(one)

    def accept(self, report: Report) -> None:
        """Let those go who need not wait for the control."""
        self.accepted = report
        self._tell_soon()

    def conclude(self, report: Report) -> None:
        """Answer all, if that is not done."""
        if self.report is None:
            self.report = report
            if self._concluded is not None and not self._concluded.done():
                self._concluded.set_result(report)
            self._tell_soon()

    def _news_for(self, one: Passenger) -> Report | None:
        return self.report or (self.accepted if one.is_early else None)

    def _tell_soon(self) -> None:
        """Not at once: what ends in the same moment, the callout itself for one, has ended by then."""
        asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        loop, waiting, self._waiting = asyncio.get_running_loop(), self._waiting, []
        for one in waiting:
            if news := self._news_for(one):
                self._told += 1
                loop.call_soon(one.tell, news)  # what goes wrong with one costs no other
            else:
                self._waiting.append(one)
