"""One lookout for many sockets: a set of them that the loop watches as a whole, and one timer for them all.

Where each socket and each deadline is the loop's own, a call takes seven more system calls, and 1 KiB more
while it waits. Not here: what is done when a socket is ready, or too late (net/converse.py,
net/nameserver.py).
"""

import asyncio
import select
from collections.abc import Callable
from math import inf
from typing import Protocol

from .selected import READABLE, WRITABLE, Selected

__all__ = ["READABLE", "WRITABLE", "Watch", "Watched"]

# What one look at the clock takes for each who waits is a tenth of this. It is not looked at more often,
# so that no more than a tenth of the time goes by with it: of ten thousand, one may be 10 ms late. Seconds.
_PACE_S = 1e-6
# How many ready sockets one round of the loop serves; the others are served in the next.
_AT_ONCE = 256
# Who was told that he is late has left by then, unless he failed: nobody is told in every round. Seconds.
_AGAIN_S = 1.0


class Watched(Protocol):
    """Who waits for a socket: till `due_at`, by the loop's clock."""

    due_at: float

    def go_on(self, events: int) -> None:
        """The socket is ready: READABLE, WRITABLE, or broken."""
        ...

    def be_late(self) -> None:
        """`due_at` has come."""
        ...

    def fail(self, bug: Exception, /) -> None:
        """`go_on` or `be_late` raised this."""
        ...


class _Ready(Protocol):
    """The sockets that are watched, as the system tells of them."""

    def fileno(self) -> int: ...

    def register(self, number: int, events: int, /) -> None: ...

    def modify(self, number: int, events: int, /) -> None: ...

    def unregister(self, number: int, /) -> None: ...

    def poll(self, timeout: float, most: int, /) -> list[tuple[int, int]]: ...


_SYSTEM: Callable[[], _Ready] = getattr(select, "epoll", Selected)


class Watch:
    """It belongs to one event loop, which has a part in it only while anybody waits."""

    __slots__ = ("_is_awake", "_loop", "_ready", "_timer", "_timer_at", "_watched")

    def __init__(self, ready: Callable[[], _Ready] = _SYSTEM) -> None:
        self._ready = ready()
        self._watched: dict[int, Watched] = {}
        self._is_awake = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf

    def begin(self, number: int, events: int, watched: Watched) -> None:
        """Watch the socket with the descriptor `number`; a deadline that comes earlier is told by `hurry`."""
        if not self._is_awake:
            self._loop, self._is_awake = asyncio.get_running_loop(), True
            self._loop.add_reader(self._ready.fileno(), self._look)
        self._ready.register(number, events)
        self._watched[number] = watched
        self.hurry(watched.due_at)

    def change(self, number: int, events: int) -> None:
        """Watch for other `events` from now on."""
        self._ready.modify(number, events)

    def end(self, number: int) -> None:
        """Let go of a socket that is about to be closed, if it was watched."""
        if self._watched.pop(number, None) is not None:
            # Closing it would do, unless a process that was forked meanwhile holds it too.
            self._ready.unregister(number)

    def hurry(self, due_at: float) -> None:
        """See to it that the clock is looked at by then."""
        # A deadline that moves on, as most do, leaves the timer alone: it is set anew when it goes off.
        if due_at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            # Kept here, as what uvloop returns for an instant that has come has no when().
            self._timer_at = due_at
            self._timer = self._loop.call_at(due_at, self._look_at_clock)

    def _look(self) -> None:
        for number, events in self._ready.poll(0, _AT_ONCE):
            self._go_on(number, events)

    def _go_on(self, number: int, events: int) -> None:
        if watched := self._watched.get(number):  # or he was let go by one before him
            try:
                watched.go_on(events)
            # A bug of one costs the others neither their news nor their deadlines.
            except Exception as bug:
                watched.fail(bug)

    def _look_at_clock(self) -> None:
        self._timer, self._timer_at, now = None, inf, self._loop.time()
        self._judge({number for number, each in self._watched.items() if each.due_at <= now}, now)
        if self._watched:
            due_at = min(each.due_at for each in self._watched.values())
            self.hurry(max(due_at, now + _PACE_S * len(self._watched)))
        else:
            self._loop.remove_reader(self._ready.fileno())
            self._is_awake = False

    def _judge(self, late: set[int], now: float) -> None:
        """Tell those whose time is over, but first what came for them: it may be our loop that is late."""
        if late:
            for number, events in self._ready.poll(0, len(self._watched)):
                if number in late:
                    self._go_on(number, events)
        for number in late:
            watched = self._watched.get(number)
            if watched is not None and watched.due_at <= now:
                try:
                    watched.be_late()
                except Exception as bug:  # as above
                    watched.fail(bug)
                watched.due_at = now + _AGAIN_S
