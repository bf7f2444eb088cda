"""Who may be called now: the budgets of rules/pacing.py remembered, and connections counted.

One Pacer lasts as long as its process: what hosts were burdened with is not undone by a reload.
Not here: what becomes of an address that may not be asked (rules/conclude.py).
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from ..rules.pacing import Rate
from ..values.settings import Budget
from .places import Places
from .ports import Clock

# Budgets that are whole again are forgotten when this many are held. What remains is bounded by the
# overall budget: nothing is charged that was not called.
SWEEP_AT_KEYS = 10_000


@dataclass(slots=True)
class _Purse:
    """One kind of budget, a state for each key."""

    rate: Rate
    full_at: dict[str, float] = field(default_factory=dict)

    def after(self, key: str, now: float) -> float | None:
        return self.rate.spend(self.full_at.get(key), now)

    def spend(self, key: str, after: float, now: float) -> None:
        self.full_at[key] = after
        if len(self.full_at) > SWEEP_AT_KEYS:
            self.full_at = {key: full for key, full in self.full_at.items() if full > now}

    def adopt(self, rate: Rate, now: float) -> None:
        """Count by another rate. As many events stay charged, but none beyond a budget used up."""
        old, self.rate = self.rate, rate
        most_s = rate.burst * rate.interval_s
        scale = rate.interval_s / old.interval_s
        self.full_at = {
            key: now + min((full - now) * scale, most_s)
            for key, full in self.full_at.items()
            if full > now
        }


class Pacer:
    """Budgets by host, by recipient domain and overall; concurrency by host and overall."""

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._clock = clock
        self._budget = budget
        self._hosts = _Purse(Rate(budget.per_host))
        self._domains = _Purse(Rate(budget.per_domain))
        self._overall = _Purse(Rate(budget.overall))
        self._refused = _Purse(Rate(budget.refused_recipients_per_host))
        self._everywhere = Places(budget.concurrent)
        self._at_host: defaultdict[str, Places] = defaultdict(
            lambda: Places(self._budget.concurrent_per_host)
        )
        self._users: defaultdict[str, int] = defaultdict(int)

    def adopt(self, budget: Budget) -> None:
        """Go by another budget, without forgetting what was charged and who is connected."""
        now = self._clock.now()
        self._budget = budget
        self._hosts.adopt(Rate(budget.per_host), now)
        self._domains.adopt(Rate(budget.per_domain), now)
        self._overall.adopt(Rate(budget.overall), now)
        self._refused.adopt(Rate(budget.refused_recipients_per_host), now)
        self._everywhere.resize(budget.concurrent)
        for places in self._at_host.values():
            places.resize(budget.concurrent_per_host)

    def admit(self, ip: str, domain: str) -> str | None:
        """Charge one connection to every budget it falls under, or to none.

        Returns None if it may be made, else which budget is used up.
        """
        now = self._clock.now()
        if self._refused.after(ip, now) is None:
            return "refused recipients of this host"
        charges = (
            (self._hosts, ip, "connections to this host"),
            (self._domains, domain, "connections for this domain"),
            (self._overall, "", "connections overall"),
        )
        afters: list[float] = []
        for purse, key, name in charges:
            after = purse.after(key, now)
            if after is None:
                return name
            afters.append(after)
        for (purse, key, _), after in zip(charges, afters, strict=True):
            purse.spend(key, after, now)
        return None

    def note_refused(self, ip: str) -> None:
        """Charge one refused recipient. It has happened, so it is charged even beyond the budget."""
        now = self._clock.now()
        start = max(self._refused.full_at.get(ip, now), now)
        self._refused.spend(ip, start + self._refused.rate.interval_s, now)

    async def wait_slot(self, ip: str) -> bool:
        """Wait for a place among the connections to the host, and among all; give it back by release.

        Returns whether it took a wait.
        """
        self._users[ip] += 1
        held: list[Places] = []
        waited = False
        try:
            for places in (self._at_host[ip], self._everywhere):
                waited |= await places.wait_place()
                held.append(places)
        except asyncio.CancelledError:
            for places in held:
                places.give_back()
            self._forget_user(ip)
            raise
        return waited

    def release(self, ip: str) -> None:
        self._everywhere.give_back()
        self._at_host[ip].give_back()
        self._forget_user(ip)

    def _forget_user(self, ip: str) -> None:
        self._users[ip] -= 1
        if not self._users[ip]:
            del self._users[ip], self._at_host[ip]
