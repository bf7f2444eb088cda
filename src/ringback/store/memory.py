"""The store that ends with its process: for tests, the lab, and the one-shot command line.

Nothing expires here; callers judge the age of what they load, and bounds keep the whole finite.
Not here: anything that outlives us (sqlite.py).
"""

import secrets
from collections import Counter

from ..rules.freshness import Entry
from ..rules.waiting import Wait
from ..values.facts import Fact
from ..values.storage import StoreStats
from . import pattern as patterns
from .lru import Lru

# Anybody can make us remember one more forged address, so all that is kept has a bound: with a dialogue
# of 3 to 5 kB each, these come to half a gigabyte.
MAX_ENTRIES = 100_000
MAX_SUBJECTS = 20_000
MAX_WAITS = 100_000

SECRET_BYTES = 32


class MemoryStore:
    """Dictionaries behind the engine's Store protocol."""

    def __init__(self) -> None:
        self._entries: Lru[str, Entry] = Lru(MAX_ENTRIES)
        self._facts: Lru[str, dict[str, Fact]] = Lru(MAX_SUBJECTS)  # by subject, then by kind
        self._waits: Lru[str, Wait] = Lru(MAX_WAITS)
        self._secrets: dict[str, bytes] = {}

    async def load(self, key: str) -> Entry | None:
        return self._entries.find(key)

    def save(self, entry: Entry) -> None:
        self._entries.keep(entry.key, entry)

    async def load_facts(self, subject: str) -> tuple[Fact, ...]:
        return tuple((self._facts.find(subject) or {}).values())

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
        self._waits.keep(wait.key, wait)

    async def secret(self, name: str) -> bytes:
        return self._secrets.setdefault(name, secrets.token_bytes(SECRET_BYTES))

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        found = sorted(self._matching(pattern), key=lambda entry: entry.checked_at, reverse=True)
        return tuple(found[: max(limit, 0)])

    async def forget(self, pattern: str) -> int:
        entries = self._matching(pattern)
        for entry in entries:
            self._entries.drop(entry.key)
        subject = patterns.parse(pattern)
        facts = self._facts.find(subject) or {}
        self._facts.drop(subject)
        return len(entries) + len(facts)

    async def stats(self) -> StoreStats:
        return StoreStats(
            entries=dict(Counter(str(entry.reason) for entry in self._entries)),
            facts=dict(Counter(str(kind) for known in self._facts for kind in known)),
            waits=len(self._waits),
            size_bytes=0,
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
            if spelled in {entry.key, patterns.domain_of(entry.key)}
        ]
