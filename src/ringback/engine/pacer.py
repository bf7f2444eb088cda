"""Who is being called at this moment: places among the connections, overall and at each host.

One Pacer lasts as long as its process: a reload hands it on. Not here: budgets by the hour, which all who
share a store share (rules/burden.py, engine/ledger.py).
"""

import asyncio
from collections import defaultdict

from ..values.settings import Budget
from .places import Places
from .pledges import Pledges


class Pacer:
    """Concurrency by host and overall, and what is under way that others must not repeat meanwhile."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._everywhere = Places(budget.concurrent)
        self._at_host: defaultdict[str, Places] = defaultdict(
            lambda: Places(self._budget.concurrent_per_host)
        )
        self.tried: set[str] = set()  # half-open breakers, by subject, that somebody is trying
        self.pledges = Pledges()

    def adopt(self, budget: Budget) -> None:
        """Go by another budget, without forgetting who is connected."""
        self._budget = budget
        self._everywhere.resize(budget.concurrent)
        for places in self._at_host.values():
            places.resize(budget.concurrent_per_host)

    def take_slot(self, ip: str) -> bool:
        """Take a place among the connections to the host, and among all, if they are free; see release."""
        if not self._everywhere.take_place():
            return False
        if not self._at_host[ip].take_place():
            self._everywhere.give_back()
            return False
        return True

    async def wait_slot(self, ip: str) -> None:
        """Wait for a place among the connections to the host, and among all; give it back by release."""
        held: list[Places] = []
        try:
            for places in (self._at_host[ip], self._everywhere):
                await places.wait_place()
                held.append(places)
        except asyncio.CancelledError:
            for places in held:
                places.give_back()
            self._forget_idle(ip)
            raise

    def release(self, ip: str) -> None:
        self._everywhere.give_back()
        self._at_host[ip].give_back()
        self._forget_idle(ip)

    def _forget_idle(self, ip: str) -> None:
        if self._at_host[ip].is_idle:
            del self._at_host[ip]
