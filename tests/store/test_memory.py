"""What is particular to the store in memory; the rest is in test_both_stores.py."""

import pytest

from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.rules.waiting import NEWCOMER_S, Acquaintance, Crowd, Wait
from ringback.store import memory
from ringback.store.memory import MemoryStore
from ringback.values.calls import Call
from ringback.values.facts import Fact


async def test_a_flood_of_addresses_does_not_grow_it_for_ever(
    monkeypatch: pytest.MonkeyPatch,
    entry: Entry,
    fact: Fact,
    wait: Wait,
    acquaintance: Acquaintance,
    call: Call,
) -> None:
    for limit in ("MAX_ENTRIES", "MAX_SUBJECTS", "MAX_WAITS", "MAX_ACQUAINTANCES", "MAX_CALLS"):
        monkeypatch.setattr(memory, limit, 3)
    store = MemoryStore()
    for number in range(10):
        store.save(entry.but(key=f"{number}@example.org"))
        store.save_fact(fact.but(subject=f"{number}.example.org"))
        store.save_wait(wait.but(key=f"{number}"))
        store.save_acquaintance(acquaintance.but(network=f"{number}"))
        store.save_call(call.but(id=f"{number}"))

    stats = await store.stats()

    assert ({"no_such_mailbox": 3}, {"selective": 3}, 3) == (
        stats.entries,
        stats.facts,
        stats.waits,
    )
    assert (3, 3) == (stats.acquaintances, stats.calls)
    assert await store.load("9@example.org") is not None
    assert 0 == stats.size_bytes


def _wait(network: str, number: int, at: float = 0.0) -> Wait:
    return Wait(f"{network} {number}@a b@c", at, 1, at + NEWCOMER_S)


async def test_a_network_that_floods_pushes_out_only_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "MAX_OF_NETWORK", 3)
    store = MemoryStore()
    store.save_wait(_wait("198.51.100.0/24", 0))
    for number in range(10):
        store.save_wait(_wait("192.0.2.0/24", number))

    assert Crowd(3, 3, 4) == await store.count_waits("192.0.2.0/24")
    assert await store.load_wait(_wait("198.51.100.0/24", 0).key) is not None
    assert await store.load_wait(_wait("192.0.2.0/24", 9).key) is not None
    assert await store.load_wait(_wait("192.0.2.0/24", 6).key) is None


async def test_an_owner_of_many_networks_pushes_out_only_himself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "MAX_OF_WIDE_NETWORK", 3)
    store = MemoryStore()
    store.save_wait(_wait("198.51.100.0/24", 0))
    for number in range(10):
        store.save_wait(_wait(f"2001:db8:0:{number}::/64", 0))

    assert Crowd(1, 3, 4) == await store.count_waits("2001:db8:0:9::/64")
    assert Crowd(0, 3, 4) == await store.count_waits("2001:db8::/64")
    assert Crowd(1, 1, 4) == await store.count_waits("198.51.100.0/24")


async def test_one_that_is_full_says_so_of_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_WAITS", 2)
    store = MemoryStore()
    store.save_wait(_wait("192.0.2.0/24", 0))
    before = await store.count_waits("198.51.100.0/24")
    store.save_wait(_wait("192.0.2.0/24", 1))
    after = await store.count_waits("198.51.100.0/24")

    assert (False, True) == (before.is_full, after.is_full)


async def test_waits_that_have_expired_count_no_more() -> None:
    store = MemoryStore()
    for number in range(3):
        store.save_wait(_wait("192.0.2.0/24", number, at=float(number)))
    store.save_wait(_wait("192.0.2.0/24", 9, at=NEWCOMER_S + 1.0))

    assert Crowd(2, 2, 2) == await store.count_waits("192.0.2.0/24")


def _charge(number: int) -> Charge:
    return Charge(f"host {number}", Rate(1), "calls")


async def test_budgets_that_are_whole_again_go() -> None:
    store = MemoryStore()
    for number in range(5_000):
        await store.spend((_charge(number),), None, float(10 * number))

    assert (await store.stats()).budgets < 2_000


async def test_too_many_budgets_are_spent_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_BUDGETS", 3)
    store = MemoryStore()
    for number in range(3):
        await store.spend((_charge(number),), None, 0.0)
    with pytest.raises(StoreError, match="too many budgets"):
        await store.spend((_charge(4),), None, 0.0)


async def test_two_stores_share_nothing(entry: Entry) -> None:
    one, other = MemoryStore(), MemoryStore()
    one.save(entry)

    assert await other.load(entry.key) is None
    assert await one.secret("control") != await other.secret("control")
