"""Refusals that those who are connected to a host may still cause: set aside, and given back when they leave.

They bound what comes all at once; what has come is charged. One process decides for all of a store's
askers, so they are nowhere but here. Not here: how many a budget has (engine/ledger.py).
"""

import asyncio
from collections import Counter
from weakref import WeakValueDictionary


class Pledges:
    """How many are set aside, by host."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        # One at a time decides how much he may set aside. A lock lasts while it is held.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._given_back: dict[str, asyncio.Event] = {}

    def of(self, ip: str) -> int:
        return self._held[ip]

    def is_free(self, ip: str) -> bool:
        """True where nothing is set aside, and nobody decides."""
        return ip not in self._held and ip not in self._turns

    def turn(self, ip: str) -> asyncio.Lock:
        """What is to be held while one decides, who alone may set aside then."""
        return self._turns.setdefault(ip, asyncio.Lock())

    def set_aside(self, ip: str, count: int) -> None:
        if count:
            self._held[ip] += count

    def give_back(self, ip: str, count: int) -> None:
        self._held[ip] -= count
        if not self._held[ip]:
            del self._held[ip]
        if count and (event := self._given_back.pop(ip, None)):
            event.set()

    async def wait_fewer(self, ip: str, than: int) -> None:
        """Wait until fewer than `than` are set aside."""
        while self._held[ip] >= than:
            await self._given_back.setdefault(ip, asyncio.Event()).wait()
