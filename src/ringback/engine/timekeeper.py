"""One timer of the event loop for all who wait, each until an instant of his own.

A timer for each would hold half a kilobyte, and thousands wait.
Not here: what they wait for (engine/flight.py, engine/sessions.py).
"""

import asyncio
from bisect import bisect_left, bisect_right, insort
from operator import attrgetter
from typing import Protocol


class Due(Protocol):
    """One who waits. His instant, by the loop's clock, does not change meanwhile."""

    due_at: float

    def lose_patience(self) -> None: ...


_by_due_at = attrgetter("due_at")


class Timekeeper:
    """It belongs to one event loop."""

    def __init__(self) -> None:
        # The first who is due comes first; who comes last mostly goes last.
        self._waiting: list[Due] = []
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = 0.0  # when it goes off

    def add(self, one: Due) -> None:
        """Let `one` know when his time is up, if he is not taken out before; never at once."""
        insort(self._waiting, one, key=_by_due_at)
        self._look_in_time()

    def discard(self, one: Due) -> None:
        """Take `one` out, if he is in."""
        waiting = self._waiting
        for at in range(bisect_left(waiting, one.due_at, key=_by_due_at), len(waiting)):
            if waiting[at] is one:
                del waiting[at]
                break
            if waiting[at].due_at > one.due_at:
                break

    def _look_in_time(self) -> None:
        # One that comes too early, or for nobody, looks again: so none is made or unmade when the first
        # goes, as most do in time.
        due_at = self._waiting[0].due_at
        if self._timer is None or self._looks_at > due_at:
            if self._timer is not None:
                self._timer.cancel()
            self._looks_at = due_at  # not every loop's timers tell it
            self._timer = asyncio.get_running_loop().call_at(due_at, self._look)

    def _look(self) -> None:
        self._timer, loop = None, asyncio.get_running_loop()
        # Loops round: who was waited for is due now, though the clock may lack some of it.
        now = max(loop.time(), self._looks_at)
        over = bisect_right(self._waiting, now, key=_by_due_at)
        late, self._waiting = self._waiting[:over], self._waiting[over:]
        for one in late:
            loop.call_soon(one.lose_patience)  # what goes wrong with one costs no other
        if self._waiting:
            self._look_in_time()
