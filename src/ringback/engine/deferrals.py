"""Which mail was told to come back, and which clients have shown that they do: rules/waiting.py remembered.

Not here: why a mail is told so (rules/actions.py, rules/gates.py).
"""

import asyncio
from weakref import WeakValueDictionary

from ..rules.gates import Gate
from ..rules.organisation import Organisation
from ..rules.waiting import (
    ACQUAINTED_S,
    Acquaintance,
    Greeting,
    greet,
    is_doubted,
    is_trusted,
    may_defer,
    network_of,
    wait_key,
)
from ..values.address import Address
from ..values.settings import Etiquette
from .ports import Clock, Store

# An acquaintance in use is saved again when this much of its time is gone, not at every mail.
RENEW_AFTER_S = 86_400.0


class Deferrals:
    """The memory of deferrals; everything raises StoreError when the store is gone."""

    def __init__(
        self, store: Store, clock: Clock, etiquette: Etiquette, organisation: Organisation
    ) -> None:
        self._store, self._clock = store, clock
        self._etiquette, self._organisation = etiquette, organisation
        # What is counted of a network rests on what was: one mail at a time. A lock lasts while it is held.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        """Say whether this mail may be told once more to come back, and count that it is."""
        key = wait_key(client_address, sender, recipient)
        wait = await self._store.load_wait(key)
        deferred, kept = may_defer(wait, key, self._clock.now(), self._etiquette.max_deferrals)
        if wait is None and await self.is_crowded(client_address):
            return False  # what cannot be counted might be deferred for ever
        if deferred and kept is not wait:
            self._store.save_wait(kept)
            await self._store.flush()  # nor can what is not kept, on a full disk say
        return deferred

    async def is_crowded(self, client_address: str) -> bool:
        """True if no further mail of this client can be remembered."""
        return (await self._store.count_waits(network_of(client_address))).is_full

    async def greet(self, client_address: str, sender: Address, recipient: str) -> Greeting | Gate:
        """Judge a mail that nobody vouches for; a Gate where its network's other mail speaks against it."""
        turn = self._turns.setdefault(network_of(client_address), asyncio.Lock())
        async with turn:
            return await self._greet(client_address, sender, recipient)

    async def _greet(self, client_address: str, sender: Address, recipient: str) -> Greeting | Gate:
        now, network = self._clock.now(), network_of(client_address)
        # One organisation's mail through one client: what has come back once need not do so again.
        pair = f"{network} {self._organisation(sender.domain)}"
        known = await self._store.load_acquaintance(network)
        doubted = is_doubted(known, now)
        key = wait_key(client_address, sender.key, recipient)
        wait = await self._store.load_wait(key)
        trusted = None if doubted else await self._trusted(pair, known, now)
        if trusted is not None:
            self._renew(trusted, now)
            # Put off before its client was known, it comes back all the same, and is no miss.
            returned = greet(wait, known, key, now, 0.0)
            self._remember(returned if returned.came_back else Greeting(came_back=True))
            return Greeting(came_back=True)
        if wait is None and await self.is_crowded(client_address):
            return Gate.CROWDED
        greeting = greet(wait, known, key, now, self._etiquette.retried_wait_s)
        self._remember(greeting)
        if not greeting.came_back:
            return greeting
        if doubted:
            return Gate.DOUBTED
        self._store.save_acquaintance(Acquaintance(pair, 1, 1, now + ACQUAINTED_S))
        return greeting

    async def _trusted(
        self, pair: str, known: Acquaintance | None, now: float
    ) -> Acquaintance | None:
        """What says that the mail need not be put off: its organisation's, or its network's, came back."""
        friend = await self._store.load_acquaintance(pair)
        if friend is not None and now < friend.expires_at:
            return friend
        return known if is_trusted(known, now) else None

    def _remember(self, greeting: Greeting) -> None:
        if greeting.wait is not None:
            self._store.save_wait(greeting.wait)
        if greeting.acquaintance is not None:
            self._store.save_acquaintance(greeting.acquaintance)

    def _renew(self, known: Acquaintance, now: float) -> None:
        if known.expires_at < now + ACQUAINTED_S - RENEW_AFTER_S:
            self._store.save_acquaintance(known.but(expires_at=now + ACQUAINTED_S))
