"""What every store does, tried on each, before and after what is saved has reached the disk."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ringback.engine.ports import Store
from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.rules.waiting import MAX_OF_NETWORK, Acquaintance, Crowd, Wait
from ringback.store.memory import MemoryStore
from ringback.store.sqlite import SqliteStore
from ringback.values.calls import Call
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


async def test_what_is_at_hand_is_the_entry_as_it_was_saved(
    store: Store, settle: Settle, entry: Entry
) -> None:
    assert store.load_nowait(entry.key) is None
    store.save(entry)
    await settle()
    at_hand = store.load_nowait(entry.key)

    assert at_hand in (entry, None)  # on disk, without an LRU, nothing is


async def test_an_entry_keeps_what_decided_even_if_that_is_not_among_its_evidence(
    store: Store, settle: Settle, entry: Entry
) -> None:
    odd = entry.but(because=Exchange(at=1.0, stage=Stage.ROUTE, host="elsewhere.example"))
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
    later = entry.but(reason=Reason.ACCEPTED, because=None, evidence=())
    store.save(entry)
    await settle()
    store.save(later)
    await settle()

    assert later == await store.load(entry.key)
    assert {Reason.ACCEPTED: 1} == (await store.stats()).entries


async def test_local_parts_that_differ_in_case_are_two_mailboxes(
    store: Store, settle: Settle, entry: Entry
) -> None:
    store.save(entry.but(key="Jo@example.org"))
    await settle()

    assert await store.load("jo@example.org") is None


async def test_keys_may_hold_any_character(store: Store, settle: Settle, entry: Entry) -> None:
    keys = ['"a@b"@example.org', "用户@例子.example", "o'brien@example.org", "a\0b@example.org"]
    for key in keys:
        store.save(entry.but(key=key))
    await settle()

    assert keys == [found.key for key in keys if (found := await store.load(key))]


async def test_facts_are_kept_by_subject_and_kind(store: Store, settle: Settle, fact: Fact) -> None:
    other = fact.but(kind=DomainFact.REFUSES_NULL_SENDER, window_s=None, evidence=())
    host = fact.but(subject="192.0.2.25", kind=HostFact.GREYLISTS)
    for each in (fact, other, host):
        store.save_fact(each)
    await settle()

    assert {fact, other} == set(await store.load_facts("example.org"))
    assert (host,) == await store.load_facts("192.0.2.25")
    assert () == await store.load_facts("example.net")


async def test_a_later_fact_takes_the_place_of_an_earlier_one(
    store: Store, settle: Settle, fact: Fact
) -> None:
    later = fact.but(noted_at=2_000.0)
    store.save_fact(fact)
    await settle()
    store.save_fact(later)
    await settle()

    assert (later,) == await store.load_facts("example.org")


async def test_a_forgotten_fact_is_gone_and_the_others_stay(
    store: Store, settle: Settle, fact: Fact
) -> None:
    other = fact.but(kind=DomainFact.REFUSES_VRFY)
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


async def test_facts_of_one_kind_are_listed_the_one_noted_last_first(
    store: Store, settle: Settle, fact: Fact
) -> None:
    facts = [
        fact.but(subject=f"192.0.2.{n}", kind=HostFact.REFUSES_US, noted_at=1_000.0 + n // 2)
        for n in range(5)
    ]
    for each in (*facts, fact, facts[3].but(kind=HostFact.GREYLISTS)):
        store.save_fact(each)
    await settle()
    listed = await store.list_facts(HostFact.REFUSES_US, 1_000.0, 9)

    assert tuple(reversed(facts)) == listed


async def test_a_list_of_facts_goes_on_where_its_page_ended(
    store: Store, settle: Settle, fact: Fact
) -> None:
    for n in range(5):
        store.save_fact(fact.but(subject=f"d{n}.example"))  # noted at one instant
    await settle()
    first = await store.list_facts(fact.kind, 1_000.0, 2)
    second = await store.list_facts(fact.kind, 1_000.0, 2, first[-1].place)
    third = await store.list_facts(fact.kind, 1_000.0, 2, second[-1].place)

    assert [4, 3, 2, 1, 0] == [int(each.subject[1]) for each in (*first, *second, *third)]
    assert () == await store.list_facts(fact.kind, 1_000.0, 2, third[-1].place)


async def test_a_list_of_facts_has_what_holds_and_no_more_than_was_asked_for(
    store: Store, settle: Settle, fact: Fact
) -> None:
    lasting = fact.but(subject="example.net", expires_at=fact.expires_at + 1)
    store.save_fact(fact)
    store.save_fact(lasting)
    await settle()

    assert (lasting,) == await store.list_facts(fact.kind, fact.expires_at, 9)
    assert () == await store.list_facts(fact.kind, 1_000.0, 0)
    assert () == await store.list_facts(fact.kind, 1_000.0, -1)


async def test_a_wait_is_loaded_as_it_was_last_saved(
    store: Store, settle: Settle, wait: Wait
) -> None:
    later = wait.but(count=3)
    store.save_wait(wait)
    await settle()
    store.save_wait(later)
    await settle()

    assert later == await store.load_wait(wait.key)
    assert await store.load_wait("another mail") is None


async def test_a_wait_whose_mail_came_back_stays_so(
    store: Store, settle: Settle, wait: Wait
) -> None:
    store.save_wait(wait)
    store.save_wait(wait.but(returned=True))
    await settle()

    assert wait.but(returned=True) == await store.load_wait(wait.key)


def _waits(network: str, number: int) -> list[Wait]:
    return [Wait(f"{network} a{n}@b c@d", 1_000.0, 1, 700_000.0) for n in range(number)]


async def test_waits_are_counted_by_network_by_what_surrounds_it_and_in_all(store: Store) -> None:
    one, neighbour, other = "192.0.2.0/24", "192.0.3.0/24", "2001:db8:0:1::/64"
    for wait in (*_waits(one, 3), *_waits(neighbour, 2), *_waits(other, 1), *_waits("unknown", 1)):
        store.save_wait(wait)
        store.save_wait(wait.but(count=2))
    await store.flush()

    assert Crowd(3, 5, 7) == await store.count_waits(one)
    assert Crowd(2, 5, 7) == await store.count_waits(neighbour)
    assert Crowd(1, 1, 7) == await store.count_waits(other)
    assert Crowd(1, 1, 7) == await store.count_waits("unknown")
    assert Crowd(0, 5, 7) == await store.count_waits("192.0.99.0/24")
    assert Crowd(0, 0, 7) == await store.count_waits("198.51.100.0/24")


async def test_a_network_that_floods_is_counted_to_its_bound(store: Store) -> None:
    for wait in _waits("192.0.2.0/24", MAX_OF_NETWORK + 9):
        store.save_wait(wait)
    await store.flush()
    crowd = await store.count_waits("192.0.2.0/24")

    assert MAX_OF_NETWORK == crowd.of_network
    assert crowd.is_full
    assert not (await store.count_waits("198.51.100.0/24")).is_full


async def test_an_acquaintance_is_loaded_as_it_was_last_saved(
    store: Store, settle: Settle, acquaintance: Acquaintance
) -> None:
    later = acquaintance.but(contacts=6)
    store.save_acquaintance(acquaintance)
    await settle()
    store.save_acquaintance(later)
    await settle()

    assert later == await store.load_acquaintance(acquaintance.network)
    assert await store.load_acquaintance("198.51.100.0/24") is None


def _charge(key: str, per_hour: int = 8) -> Charge:
    """Of eight an hour, two may be spent at once."""
    return Charge(key, Rate(per_hour), f"calls to {key}")


async def test_a_budget_can_be_spent_and_no_more(store: Store) -> None:
    charge = _charge("host")

    assert [None, None, charge] == [await store.spend((charge,), None, 500.0) for _ in range(3)]
    assert charge == await store.spend((charge,), None, 500.0 + charge.rate.interval_s - 1)
    assert await store.spend((charge,), None, 500.0 + charge.rate.interval_s) is None


async def test_what_one_budget_refuses_is_charged_to_none(store: Store, call: Call) -> None:
    tight, wide = _charge("tight", 1), _charge("wide")
    await store.spend((tight,), None, 500.0)

    assert tight == await store.spend((wide, tight), call, 500.0)
    assert [None, None] == [await store.spend((wide,), None, 500.0) for _ in range(2)]
    assert () == await store.search_calls(call.address, 0.0, 9)


async def test_spends_at_once_see_one_another(store: Store) -> None:
    host, everything = _charge("host", 40), _charge("all", 400)
    outcomes = await asyncio.gather(
        *(store.spend((host, everything), None, 500.0) for _ in range(50))
    )

    assert 10 == outcomes.count(None)
    assert 40 == outcomes.count(host)


async def test_nothing_is_spent_of_a_budget_of_none(store: Store) -> None:
    nothing = _charge("host", 0)

    assert nothing == await store.spend((nothing,), None, 500.0)


async def test_what_has_happened_is_charged_beyond_the_budget(store: Store, settle: Settle) -> None:
    charge = _charge("refused")
    assert not await store.is_used_up(charge, 500.0)

    for _ in range(4):
        store.charge(charge, 500.0)
    await settle()

    assert await store.is_used_up(charge, 500.0)
    assert charge == await store.spend((charge,), None, 500.0)
    assert await store.is_used_up(charge, 500.0 + 2 * charge.rate.interval_s)
    assert not await store.is_used_up(charge, 500.0 + 3 * charge.rate.interval_s)


async def test_looking_whether_a_budget_is_used_up_spends_nothing(store: Store) -> None:
    charge = _charge("host", 1)
    looks = [await store.is_used_up(charge, 500.0) for _ in range(3)]

    assert [False] * 3 == looks
    assert await store.spend((charge,), None, 500.0) is None
    assert await store.is_used_up(charge, 500.0)


async def test_a_budget_whose_rate_changes_keeps_what_was_spent(store: Store) -> None:
    before, after = _charge("host", 8), _charge("host", 4)
    for _ in range(2):
        await store.spend((before,), None, 500.0)

    assert after == await store.spend((after,), None, 500.0)


async def test_keys_of_budgets_may_hold_any_character(store: Store) -> None:
    charges = [_charge(key, 1) for key in ("a'; DROP TABLE budget; --", "%", "_", "\0", "用户")]
    first = [await store.spend((charge,), None, 500.0) for charge in charges]
    second = [await store.spend((charge,), None, 500.0) for charge in charges]

    assert [None] * 5 == first
    assert charges == second


async def test_a_call_is_kept_with_what_it_was_charged_to_and_completed_later(
    store: Store, settle: Settle, call: Call
) -> None:
    begun = call.but(outcome="", said=())
    await store.spend((_charge("host"),), begun, 500.0)
    before = await store.search_calls(call.address, 0.0, 9)
    store.save_call(call)
    await settle()

    assert (begun,) == before
    assert (call,) == await store.search_calls(call.address, 0.0, 9)


async def _keep_calls(store: Store, settle: Settle, call: Call, over: str) -> None:
    """Six calls, of which those that are not `over` are under way."""
    calls = (
        call.but(id="1", at=1.0),
        call.but(id="2", at=2.0, address="jo@sub.example.org", domain="Sub.Example.org"),
        call.but(id="3", at=3.0, address="a@notexample.org", domain="notexample.org"),
        call.but(id="4", at=4.0, address="a@b.example", domain="b.example", ip="2001:db8::1"),
        call.but(id="5", at=5.0, address="a@c.example", domain="c.example", host=""),
        call.but(id="6", at=6.0, address="a@example.net", domain="example.net", ip=""),
    )
    for each in calls:
        await store.spend((_charge(each.id),), each, 500.0)
        if each.id in over:
            store.save_call(each)
    await settle()


@pytest.mark.parametrize("over", ["135", "246"])
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("Jo@example.org", "1"),
        ("Jo@Example.ORG", "1"),
        ("jo@example.org", ""),
        ("example.org", "21"),
        ("Sub.example.org", "2"),
        ("mx.example.net", "64321"),
        ("example.net", "64321"),
        ("org", "321"),
        ("c.example", "5"),
        ("192.0.2.25", "5321"),
        ("2001:db8::1", "4"),
        ("2001:0DB8::0001", "4"),
        ("192.0.2", ""),
        ("0.2.25", ""),
        ("xample.org", ""),
        ("", ""),
        (".", ""),
        ("@", ""),
        ("%", ""),
        ("*", ""),
        ("example.org' OR '1'='1", ""),
        ("example.org%", ""),
    ],
)
async def test_calls_are_found_by_address_domain_host_and_ip(
    store: Store, settle: Settle, call: Call, pattern: str, found: str, over: str
) -> None:
    await _keep_calls(store, settle, call, over)

    assert found == "".join(each.id for each in await store.search_calls(pattern, 0.0, 9))


@pytest.mark.parametrize("over", ["135", "246"])
@pytest.mark.parametrize(
    ("pattern", "found"),
    [("jo@sub.example.org", ["2", "2", ""]), ("192.0.2.25", ["5321", "532", "53"])],
)
async def test_calls_about_an_address_and_an_ip_are_found_from_an_instant_on(
    store: Store, settle: Settle, call: Call, pattern: str, found: list[str], over: str
) -> None:
    await _keep_calls(store, settle, call, over)

    for since_at, expected in zip((1.0, 2.0, 2.5), found, strict=True):
        calls = await store.search_calls(pattern, since_at, 9)
        assert expected == "".join(each.id for each in calls)


@pytest.mark.parametrize("over", ["135", "246"])
async def test_only_the_newest_calls_are_found_and_none_before_an_instant(
    store: Store, settle: Settle, call: Call, over: str
) -> None:
    await _keep_calls(store, settle, call, over)

    async def found(since_at: float, limit: int) -> str:
        calls = await store.search_calls("example.net", since_at, limit)
        return "".join(each.id for each in calls)

    assert "64" == await found(0.0, 2)
    assert "643" == await found(3.0, 9)
    assert "" == await found(6.5, 9)
    assert "" == await found(0.0, 0)
    assert "" == await found(0.0, -1)


async def test_forgetting_an_address_does_not_touch_the_audit_nor_a_budget(
    store: Store, call: Call, entry: Entry
) -> None:
    store.save(entry)
    await store.spend((_charge("host", 1),), call, 500.0)
    for pattern in (call.address, "example.org", "192.0.2.25"):
        await store.forget(pattern)

    assert (call,) == await store.search_calls(call.address, 0.0, 9)
    assert await store.is_used_up(_charge("host", 1), 500.0)


async def test_a_secret_is_made_once(store: Store) -> None:
    secret = await store.secret("control")

    assert 32 == len(secret)
    assert secret == await store.secret("control")
    assert secret != await store.secret("something else")


async def _save_some(store: Store, entry: Entry) -> None:
    keys = ["Old@example.org", "new@example.org", "a@sub.example.org", "a@notexample.org"]
    for age, key in enumerate(keys):
        store.save(entry.but(key=key, checked_at=1_000.0 + age))


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
    store.save_fact(fact.but(kind=DomainFact.REFUSES_VRFY))
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
    store: Store,
    settle: Settle,
    entry: Entry,
    fact: Fact,
    wait: Wait,
    acquaintance: Acquaintance,
    call: Call,
) -> None:
    await _save_some(store, entry)
    store.save(entry.but(reason=Reason.ACCEPTED))
    store.save_fact(fact)
    store.save_fact(fact.but(subject="example.net"))
    store.save_wait(wait)
    store.save_acquaintance(acquaintance)
    await store.spend((_charge("a"), _charge("b")), call, 500.0)
    await settle()

    stats = await store.stats()

    expected = StoreStats(
        entries={"no_such_mailbox": 4, "accepted": 1},
        facts={"selective": 2},
        waits=1,
        size_bytes=stats.size_bytes,
        acquaintances=1,
        budgets=2,
        calls=1,
    )
    assert expected == stats


async def test_closing_twice_is_closing(store: Store, entry: Entry) -> None:
    store.save(entry)
    await store.close()
    await store.close()
