"""What every store does, tried on each, before and after what is saved has reached the disk."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ringback.engine.ports import Store
from ringback.rules.freshness import Entry
from ringback.rules.waiting import Wait
from ringback.store.memory import MemoryStore
from ringback.store.sqlite import SqliteStore
from ringback.values.evidence import Exchange, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.storage import StoreStats
from ringback.values.verdict import Reason

Settle = Callable[[], Awaitable[None]]


@pytest.fixture(params=["in memory", "on disk", "on disk, with an LRU in front"])
async def store(
    request: pytest.FixtureRequest, open_store: Callable[..., Awaitable[SqliteStore]]
) -> Store:
    if request.param == "in memory":
        return MemoryStore()
    return await open_store(memory_entries=100 if "LRU" in request.param else 0)


@pytest.fixture(params=["pending", "committed"])
def settle(request: pytest.FixtureRequest, store: Store) -> Settle:
    """Brings what was saved to the state that the test is tried in."""

    async def leave_alone() -> None: ...

    return store.flush if request.param == "committed" else leave_alone


async def test_an_unknown_key_has_no_entry(store: Store) -> None:
    assert await store.load("nobody@example.org") is None


async def test_an_entry_is_loaded_as_it_was_saved(
    store: Store, settle: Settle, entry: Entry
) -> None:
    store.save(entry)
    await settle()

    assert entry == await store.load(entry.key)


async def test_an_entry_keeps_what_decided_even_if_that_is_not_among_its_evidence(
    store: Store, settle: Settle, entry: Entry
) -> None:
    odd = replace(entry, because=Exchange(at=1.0, stage=Stage.ROUTE, host="elsewhere.example"))
    store.save(odd)
    await settle()

    assert odd == await store.load(entry.key)


async def test_a_bare_entry_is_loaded_as_it_was_saved(store: Store, settle: Settle) -> None:
    bare = Entry("a@example.org", Reason.UNREACHABLE, False, "no reply", 1_000.0, 90_000.0)
    store.save(bare)
    await settle()

    assert bare == await store.load(bare.key)


async def test_a_later_entry_takes_the_place_of_an_earlier_one(
    store: Store, settle: Settle, entry: Entry
) -> None:
    later = replace(entry, reason=Reason.ACCEPTED, because=None, evidence=())
    store.save(entry)
    await settle()
    store.save(later)
    await settle()

    assert later == await store.load(entry.key)
    assert {Reason.ACCEPTED: 1} == (await store.stats()).entries


async def test_local_parts_that_differ_in_case_are_two_mailboxes(
    store: Store, settle: Settle, entry: Entry
) -> None:
    store.save(replace(entry, key="Jo@example.org"))
    await settle()

    assert await store.load("jo@example.org") is None


async def test_keys_may_hold_any_character(store: Store, settle: Settle, entry: Entry) -> None:
    keys = ['"a@b"@example.org', "用户@例子.example", "o'brien@example.org", "a\0b@example.org"]
    for key in keys:
        store.save(replace(entry, key=key))
    await settle()

    assert keys == [found.key for key in keys if (found := await store.load(key))]


async def test_facts_are_kept_by_subject_and_kind(store: Store, settle: Settle, fact: Fact) -> None:
    other = replace(fact, kind=DomainFact.REFUSES_NULL_SENDER, window_s=None, evidence=())
    host = replace(fact, subject="192.0.2.25", kind=HostFact.GREYLISTS)
    for each in (fact, other, host):
        store.save_fact(each)
    await settle()

    assert {fact, other} == set(await store.load_facts("example.org"))
    assert (host,) == await store.load_facts("192.0.2.25")
    assert () == await store.load_facts("example.net")


async def test_a_later_fact_takes_the_place_of_an_earlier_one(
    store: Store, settle: Settle, fact: Fact
) -> None:
    later = replace(fact, noted_at=2_000.0)
    store.save_fact(fact)
    await settle()
    store.save_fact(later)
    await settle()

    assert (later,) == await store.load_facts("example.org")


async def test_a_forgotten_fact_is_gone_and_the_others_stay(
    store: Store, settle: Settle, fact: Fact
) -> None:
    other = replace(fact, kind=DomainFact.REFUSES_VRFY)
    store.save_fact(fact)
    store.save_fact(other)
    await settle()
    store.forget_fact("example.org", fact.kind)
    store.forget_fact("example.net", fact.kind)
    await settle()

    assert (other,) == await store.load_facts("example.org")


async def test_a_fact_can_be_learned_again_after_it_was_forgotten(
    store: Store, settle: Settle, fact: Fact
) -> None:
    store.save_fact(fact)
    await settle()
    store.forget_fact("example.org", fact.kind)
    store.save_fact(fact)
    await settle()

    assert (fact,) == await store.load_facts("example.org")


async def test_a_wait_is_loaded_as_it_was_last_saved(
    store: Store, settle: Settle, wait: Wait
) -> None:
    later = replace(wait, count=3)
    store.save_wait(wait)
    await settle()
    store.save_wait(later)
    await settle()

    assert later == await store.load_wait(wait.key)
    assert await store.load_wait("another mail") is None


async def test_a_secret_is_made_once(store: Store) -> None:
    secret = await store.secret("control")

    assert 32 == len(secret)
    assert secret == await store.secret("control")
    assert secret != await store.secret("something else")


async def _save_some(store: Store, entry: Entry) -> None:
    keys = ["Old@example.org", "new@example.org", "a@sub.example.org", "a@notexample.org"]
    for age, key in enumerate(keys):
        store.save(replace(entry, key=key, checked_at=1_000.0 + age))


async def _found(store: Store, pattern: str, limit: int = 10) -> list[str]:
    return [entry.key for entry in await store.search(pattern, limit)]


async def test_a_search_finds_one_address_or_all_of_a_domain(
    store: Store, settle: Settle, entry: Entry
) -> None:
    await _save_some(store, entry)
    await settle()

    assert ["new@example.org", "Old@example.org"] == await _found(store, "example.org")
    assert ["new@example.org", "Old@example.org"] == await _found(store, "Example.ORG")
    assert ["Old@example.org"] == await _found(store, "Old@EXAMPLE.org")
    assert [] == await _found(store, "old@example.org")
    assert ["new@example.org"] == await _found(store, "example.org", limit=1)
    assert [] == await _found(store, "example.org", limit=0)
    assert [] == await _found(store, "example.org", limit=-1)


@pytest.mark.parametrize(
    "pattern", ["", "@", "%", "%@example.org", "_ew@example.org", "*", "?ew@example.org", "org"]
)
async def test_no_pattern_stands_for_more_than_itself(
    store: Store, entry: Entry, pattern: str
) -> None:
    await _save_some(store, entry)

    assert [] == await _found(store, pattern)
    assert 0 == await store.forget(pattern)


async def test_forgetting_an_address_leaves_its_domain(
    store: Store, settle: Settle, entry: Entry, fact: Fact
) -> None:
    await _save_some(store, entry)
    store.save_fact(fact)
    await settle()

    assert 1 == await store.forget("Old@Example.org")
    assert ["new@example.org"] == await _found(store, "example.org")
    assert await store.load("Old@example.org") is None
    assert (fact,) == await store.load_facts("example.org")


async def test_forgetting_a_domain_takes_its_entries_and_its_facts(
    store: Store, settle: Settle, entry: Entry, fact: Fact
) -> None:
    await _save_some(store, entry)
    store.save_fact(fact)
    store.save_fact(replace(fact, kind=DomainFact.REFUSES_VRFY))
    await settle()

    assert 4 == await store.forget("Example.org")
    assert [] == await _found(store, "example.org")
    assert () == await store.load_facts("example.org")
    assert ["a@sub.example.org"] == await _found(store, "sub.example.org")
    assert 0 == await store.forget("example.org")


async def test_what_was_forgotten_can_be_learned_again(store: Store, entry: Entry) -> None:
    store.save(entry)
    await store.forget(entry.key)
    store.save(entry)
    await store.flush()

    assert entry == await store.load(entry.key)


async def test_stats_count_what_is_held(
    store: Store, settle: Settle, entry: Entry, fact: Fact, wait: Wait
) -> None:
    await _save_some(store, entry)
    store.save(replace(entry, reason=Reason.ACCEPTED))
    store.save_fact(fact)
    store.save_fact(replace(fact, subject="example.net"))
    store.save_wait(wait)
    await settle()

    stats = await store.stats()

    expected = StoreStats(
        entries={"no_such_mailbox": 4, "accepted": 1},
        facts={"selective": 2},
        waits=1,
        size_bytes=stats.size_bytes,
    )
    assert expected == stats


async def test_closing_twice_is_closing(store: Store, entry: Entry) -> None:
    store.save(entry)
    await store.close()
    await store.close()
