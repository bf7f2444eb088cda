"""Charges callouts to those who bear them and writes them down, before they are made.

Not here: the budgets (rules/burden.py, rules/pacing.py), and keeping what is written (store/).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count

from ..rules.burden import forgery_charge, refusal_charge
from ..rules.networks import bearer
from ..rules.pacing import Charge
from ..values.calls import Call
from ..values.evidence import Exchange
from ..values.settings import Budget
from ..values.verdict import Outcome
from .pacer import Pacer
from .ports import Clock, Store

_numbers = count(1)  # of the calls of this process


class Ledger:
    """One serves all callouts. `draw` gives numbers from 0 to 1."""

    def __init__(
        self, budget: Budget, store: Store, clock: Clock, pacer: Pacer, draw: Callable[[], float]
    ) -> None:
        self._budget, self._store, self._clock, self._pacer = budget, store, clock, pacer
        self._draw = draw

    async def spend(self, charges: Sequence[Charge], call: Call) -> Charge | None:
        """Charge `call` and have it kept; or say which budget is used up.

        Raises StoreError; then nobody may be called.
        """
        return await self._store.spend(charges, call, self._clock.elapsed())

    def complete(self, call: Call, said: Sequence[Exchange], outcome: Outcome | None) -> None:
        self._store.save_call(call.but(said=tuple(said), outcome=str(outcome or "")))

    def new_id(self) -> str:
        """A name that no other call has, in whatever process and after whatever restart."""
        moment, chance = int(self._clock.now() * 1_000), int(self._draw() * 2**32)
        return f"{moment:x}-{next(_numbers):x}-{chance:x}"

    async def pledge(self, ip: str, wanted: int, until_at: float) -> int:
        """Set aside up to `wanted` recipients that the host may refuse; return how many its budget has.

        What others have set aside is theirs: refusals come all at once, and are charged when they have come.
        Where they leave nothing, wait for what they give back, until `until_at` by the loop's clock.
        """
        charge, ip, pledges = refusal_charge(ip, self._budget), bearer(ip), self._pacer.pledges
        if pledges.is_free(ip):
            return await self._pledge_first(charge, ip, wanted)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until_at), pledges.turn(ip):
                while True:
                    held = pledges.of(ip)
                    fits = await self._count_fitting(charge, held, wanted)
                    if fits or not held:
                        # Since the decision nothing has waited.
                        pledges.set_aside(ip, fits)
                        return fits
                    await pledges.wait_fewer(ip, held)
        return 0

    async def _pledge_first(self, charge: Charge, ip: str, wanted: int) -> int:
        """The same where there is nothing to wait for, which is usual."""
        fits = 0
        self._pacer.pledges.set_aside(ip, wanted)  # who comes during the look must not have it
        try:
            fits = await self._count_fitting(charge, 0, wanted)
        finally:
            self._pacer.pledges.give_back(ip, wanted - fits)
        return fits

    async def _count_fitting(self, charge: Charge, held: int, wanted: int) -> int:
        fits = max(0, min(wanted, charge.rate.burst - held))
        while fits and await self._is_too_many(charge, held + fits):
            fits -= 1
        return fits

    async def _is_too_many(self, charge: Charge, count: int) -> bool:
        # Of a burst, that many fit now if one had fitted by so many intervals earlier.
        earlier = self._clock.elapsed() - (count - 1) * charge.rate.interval_s
        return await self._store.is_used_up(charge, earlier)

    def end_pledge(self, ip: str, count: int) -> None:
        self._pacer.pledges.give_back(bearer(ip), count)

    async def is_forged(self, name: str) -> bool:
        """True while strangers have used too many senders that this domain, or host, refused."""
        charge = forgery_charge(name, self._budget)
        return await self._store.is_used_up(charge, self._clock.elapsed())

    def note_forged(self, *names: str) -> None:
        """Charge a sender that was refused, in the mail of a stranger."""
        for name in names:
            self._store.charge(forgery_charge(name, self._budget), self._clock.elapsed())

    def note_refused(self, ip: str) -> None:
        """Charge one refused recipient. It has happened, so it is charged even beyond the budget."""
        self._store.charge(refusal_charge(ip, self._budget), self._clock.elapsed())
