"""The store that ends with its process: for tests, the lab, and the one-shot command line.

Little expires here; callers judge the age of what they load, and bounds keep the whole finite.
Not here: anything that outlives us (sqlite.py).
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from heapq import nlargest
from itertools import takewhile

from ..errors import StoreError
from ..rules.freshness import Entry
from ..rules.pacing import Charge, Spent, is_used_up, spend_all, spend_beyond
from ..rules.waiting import (
    MAX_OF_ALL,
    MAX_OF_NETWORK,
    MAX_OF_WIDE_NETWORK,
    Acquaintance,
    Crowd,
    Wait,
    wide_network,
)
from ..values.calls import Call
from ..values.facts import FIRST_PLACE, Fact, FactKind, FactPlace
from ..values.storage import StoreStats
from . import pattern as patterns
from .lru import Lru
from .memory_lists import MemoryLists

# Anybody can make us remember one more forged address, so all that is kept has a bound: with a dialogue
# of 3 to 5 kB each, these come to half a gigabyte.
MAX_ENTRIES = 100_000
MAX_SUBJECTS = 20_000
MAX_WAITS = 100_000
MAX_ACQUAINTANCES = 100_000
MAX_CALLS = 20_000
# Budgets that were forgotten would be whole: beyond this, nothing is spent. Some 200 bytes each.
MAX_BUDGETS = 1_000_000

SECRET_BYTES = 32


class _Waits:
    """At most MAX_WAITS, and of one network or what surrounds it no more than its bounds.

    The least recently saved of a network goes for the sake of its next one, never for another's
    unless the whole is full. What has expired goes: it counts as if its network were flooding us.
    """

    def __init__(self) -> None:
        self._waits: dict[str, Wait] = {}  # the least recently saved first, here and below
        self._of_networks: dict[str, dict[str, None]] = {}
        self._of_wide_networks: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._waits)

    def find(self, key: str) -> Wait | None:
        return self._waits.get(key)

    def keep(self, wait: Wait) -> None:
        self._drop(wait.key)
        self._drop_expired(wait.last_at)
        bounds = (
            (self._of_networks.get(wait.network, {}), MAX_OF_NETWORK),
            (self._of_wide_networks.get(wait.wide_network, {}), MAX_OF_WIDE_NETWORK),
            (self._waits, MAX_WAITS),
        )
        for crowd, bound in bounds:
            if len(crowd) >= bound:
                self._drop(next(iter(crowd)))
        self._waits[wait.key] = wait
        self._of_networks.setdefault(wait.network, {})[wait.key] = None
        self._of_wide_networks.setdefault(wait.wide_network, {})[wait.key] = None

    def count(self, network: str) -> Crowd:
        wide = self._of_wide_networks.get(wide_network(network), {})
        # Where nothing fits without pushing out another's, it is full, whatever others would hold.
        of_all = len(self) if len(self) < MAX_WAITS else MAX_OF_ALL
        return Crowd(len(self._of_networks.get(network, {})), len(wide), of_all)

    def _drop_expired(self, now: float) -> None:
        for wait in list(takewhile(lambda wait: wait.expires_at <= now, self._waits.values())):
            self._drop(wait.key)

    def _drop(self, key: str) -> None:
        wait = self._waits.pop(key, None)
        if wait is None:
            return
        for crowds, name in (
            (self._of_networks, wait.network),
            (self._of_wide_networks, wait.wide_network),
        ):
            del crowds[name][key]
            if not crowds[name]:
                del crowds[name]


class _Budgets:
    """The states of budgets; those that are whole again go when there have come as many new ones."""

    def __init__(self) -> None:
        self._states: dict[str, Spent] = {}
        self._sweep_at = 1_000  # states

    def __len__(self) -> int:
        return len(self._states)

    def spend(self, charges: Sequence[Charge], elapsed: float) -> Charge | None:
        self._make_room(elapsed)
        if len(self) >= MAX_BUDGETS:
            raise StoreError("too many budgets are in use at once", "use an SQLite store")
        spent = spend_all(charges, self._states, elapsed, None)
        if isinstance(spent, Charge):
            return spent
        self._states |= spent
        return None

    def charge(self, charge: Charge, elapsed: float) -> None:
        self._make_room(elapsed)
        state = self._states.get(charge.key)
        self._states[charge.key] = spend_beyond(charge, state, elapsed, None)

    def is_used_up(self, charge: Charge, elapsed: float) -> bool:
        return is_used_up(charge, self._states.get(charge.key), elapsed, None)

    def _make_room(self, elapsed: float) -> None:
        if len(self) >= self._sweep_at:
            self._states = {
                key: spent for key, spent in self._states.items() if spent.full_at > elapsed
            }
            self._sweep_at = max(1_000, 2 * len(self))


class MemoryStore:
    """Dictionaries behind the engine's Store protocol."""

    def __init__(self, draw_octets: Callable[[int], bytes] = secrets.token_bytes) -> None:
        """`draw_octets`: what secrets are made of, for those who want the same ones every time."""
        self._draw_octets = draw_octets
        self._entries: Lru[str, Entry] = Lru(MAX_ENTRIES)
        self._facts: Lru[str, dict[str, Fact]] = Lru(MAX_SUBJECTS)  # by subject, then by kind
        self._waits = _Waits()
        self._acquaintances: Lru[str, Acquaintance] = Lru(MAX_ACQUAINTANCES)
        self._budgets = _Budgets()
        self._calls: Lru[str, Call] = Lru(MAX_CALLS)
        self._secrets: dict[str, bytes] = {}
        self.jobs = MemoryLists()

    async def load(self, key: str) -> Entry | None:
        return self._entries.find(key)

    def load_nowait(self, key: str) -> Entry | None:
        return self._entries.find(key)

    def save(self, entry: Entry) -> None:
        self._entries.keep(entry.key, entry)

    async def load_facts(self, *subjects: str) -> tuple[Fact, ...]:
        known = (self._facts.find(subject) or {} for subject in subjects)
        return tuple(fact for facts in known for fact in facts.values())

    async def list_facts(
        self, kind: FactKind, now: float, limit: int, after: FactPlace = FIRST_PLACE
    ) -> tuple[Fact, ...]:
        of_kind = (known[kind] for known in self._facts if kind in known)
        listed = (fact for fact in of_kind if fact.expires_at > now and fact.place < after)
        return tuple(nlargest(limit, listed, key=lambda fact: fact.place))

    def save_fact(self, fact: Fact) -> None:
        known = self._facts.find(fact.subject) or {}
        self._facts.keep(fact.subject, {**known, fact.kind: fact})

    def forget_fact(self, subject: str, kind: str) -> None:
        known = self._facts.find(subject)
        if known is not None:
            known.pop(kind, None)

    async def load_wait(self, key: str) -> Wait | None:
        return self._waits.find(key)

    def save_wait(self, wait: Wait) -> None:
        self._waits.keep(wait)

    async def count_waits(self, network: str) -> Crowd:
        return self._waits.count(network)

    async def load_acquaintance(self, network: str) -> Acquaintance | None:
        return self._acquaintances.find(network)

    def save_acquaintance(self, acquaintance: Acquaintance) -> None:
        self._acquaintances.keep(acquaintance.network, acquaintance)

    async def spend(
        self, charges: Sequence[Charge], call: Call | None, elapsed: float
    ) -> Charge | None:
        refused = self._budgets.spend(charges, elapsed)
        if refused is None and call is not None:
            self.save_call(call)
        return refused

    def charge(self, charge: Charge, elapsed: float) -> None:
        self._budgets.charge(charge, elapsed)

    async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
        return self._budgets.is_used_up(charge, elapsed)

    def save_call(self, call: Call) -> None:
        self._calls.keep(call.id, call)

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        found = [call for call in self._calls if call.at >= since_at and _is_about(call, pattern)]
        found.sort(key=lambda call: call.at, reverse=True)
        return tuple(found[: max(limit, 0)])

    async def secret(self, name: str) -> bytes:
        return self._secrets.setdefault(name, self._draw_octets(SECRET_BYTES))

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        found = sorted(self._matching(pattern), key=lambda entry: entry.checked_at, reverse=True)
        return tuple(found[: max(limit, 0)])

    async def forget(self, pattern: str) -> int:
        entries = self._matching(pattern)
        for entry in entries:
            self._entries.drop(entry.key)
        facts = 0
        for subject in patterns.spellings(patterns.parse(pattern)):
            facts += len(self._facts.find(subject) or {})
            self._facts.drop(subject)
        return len(entries) + facts + self.jobs.forget(patterns.parse(pattern))

    async def stats(self) -> StoreStats:
        return StoreStats(
            entries=dict(Counter(str(entry.reason) for entry in self._entries)),
            facts=dict(Counter(str(kind) for known in self._facts for kind in known)),
            waits=len(self._waits),
            size_bytes=0,
            acquaintances=len(self._acquaintances),
            budgets=len(self._budgets),
            calls=len(self._calls),
        )

    async def flush(self) -> None:
        """Nothing is ever pending."""

    async def close(self) -> None:
        """Nothing is held that must be let go."""

    def _matching(self, pattern: str) -> list[Entry]:
        spelled = patterns.parse(pattern)
        return [
            entry
            for entry in self._entries
            if spelled in {patterns.bare(entry.key), patterns.domain_of(entry.key)}
        ]


def _is_about(call: Call, pattern: str) -> bool:
    if "@" in pattern:
        return call.address == patterns.parse(pattern)
    if ip := patterns.parse_ip(pattern):
        return call.ip == ip
    path = patterns.path_of(pattern)
    names = (call.domain, call.host)
    return bool(path) and any(patterns.path_of(name).startswith(path) for name in names)
