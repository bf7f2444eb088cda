"""Places that are taken and given back, first come, first served; how many there are may change meanwhile.

asyncio.Semaphore cannot be resized. Not here: places for what (engine/pacer.py).
"""

import asyncio
from collections import OrderedDict


class Places:
    """At most `limit` are taken at a time."""

    __slots__ = ("_limit", "_taken", "_waiting")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken = 0
        # Made for the first who waits: each host has places, and an empty one takes half a kilobyte.
        self._waiting: OrderedDict[asyncio.Future[None], None] | None = None

    @property
    def is_idle(self) -> bool:
        """True where none is taken: then nobody waits for one either."""
        return not self._taken

    def take_place(self) -> bool:
        """Take a place, if one is free."""
        if self._taken >= self._limit:
            return False
        self._taken += 1  # nobody waits, then
        return True

    async def wait_place(self) -> None:
        """Take a place, when one is free."""
        if self.take_place():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting = self._waiting or OrderedDict()
        waiting[turn] = None
        try:
            await turn
        except asyncio.CancelledError:
            waiting.pop(turn, None)
            if not turn.cancelled():  # the place and the cancellation came at the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        self._taken -= 1
        self._admit()

    def resize(self, limit: int) -> None:
        """Have `limit` places from now on; nobody loses one that he has."""
        self._limit = limit
        self._admit()

    def _admit(self) -> None:
        while self._taken < self._limit and self._waiting:
            turn, _ = self._waiting.popitem(last=False)
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
