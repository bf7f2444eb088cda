"""What is particular to the store in memory; the rest is in test_both_stores.py."""

from dataclasses import replace

import pytest

from ringback.rules.freshness import Entry
from ringback.rules.waiting import Wait
from ringback.store import memory
from ringback.store.memory import MemoryStore
from ringback.values.facts import Fact


async def test_a_flood_of_addresses_does_not_grow_it_for_ever(
    monkeypatch: pytest.MonkeyPatch, entry: Entry, fact: Fact, wait: Wait
) -> None:
    for limit in ("MAX_ENTRIES", "MAX_SUBJECTS", "MAX_WAITS"):
        monkeypatch.setattr(memory, limit, 3)
    store = MemoryStore()
    for number in range(10):
        store.save(replace(entry, key=f"{number}@example.org"))
        store.save_fact(replace(fact, subject=f"{number}.example.org"))
        store.save_wait(replace(wait, key=f"{number}"))

    stats = await store.stats()

    assert ({"no_such_mailbox": 3}, {"selective": 3}, 3) == (
        stats.entries,
        stats.facts,
        stats.waits,
    )
    assert await store.load("9@example.org") is not None
    assert 0 == stats.size_bytes


async def test_two_stores_share_nothing(entry: Entry) -> None:
    one, other = MemoryStore(), MemoryStore()
    one.save(entry)

    assert await other.load(entry.key) is None
    assert await one.secret("control") != await other.secret("control")
