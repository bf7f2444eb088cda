"""Places that are always given back, and what is under way."""

import asyncio

from ringback.engine.pacer import Pacer
from ringback.values.settings import Budget


async def test_a_third_connection_to_a_host_waits_for_a_place() -> None:
    pacer = Pacer(Budget(concurrent_per_host=2))
    await pacer.wait_slot("192.0.2.1")
    await pacer.wait_slot("192.0.2.1")

    third = asyncio.create_task(pacer.wait_slot("192.0.2.1"))
    await asyncio.sleep(0)
    waited = not third.done()
    pacer.release("192.0.2.1")
    await third

    assert waited


async def test_a_place_that_is_given_back_frees_no_other() -> None:
    pacer = Pacer(Budget(concurrent_per_host=2))
    taken = [pacer.take_slot("192.0.2.1") for _ in range(2)]
    pacer.release("192.0.2.1")
    taken += [pacer.take_slot("192.0.2.1") for _ in range(2)]

    assert [True, True, True, False] == taken


async def test_who_gives_up_waiting_holds_no_place() -> None:
    pacer = Pacer(Budget(concurrent_per_host=1, concurrent=1))
    await pacer.wait_slot("192.0.2.1")
    at_host = asyncio.create_task(pacer.wait_slot("192.0.2.1"))
    overall = asyncio.create_task(pacer.wait_slot("192.0.2.2"))
    await asyncio.sleep(0)

    for waiting in (at_host, overall):
        waiting.cancel()
    await asyncio.gather(at_host, overall, return_exceptions=True)
    pacer.release("192.0.2.1")
    await pacer.wait_slot("192.0.2.2")
    pacer.release("192.0.2.2")
    await pacer.wait_slot("192.0.2.1")

    assert 1 == len(pacer._at_host)


async def test_another_budget_changes_how_many_connect_at_a_time() -> None:
    pacer = Pacer(Budget(concurrent_per_host=1))
    await pacer.wait_slot("192.0.2.1")
    second = asyncio.create_task(pacer.wait_slot("192.0.2.1"))
    await asyncio.sleep(0)
    waited = not second.done()

    pacer.adopt(Budget(concurrent_per_host=2))
    await second
    pacer.adopt(Budget(concurrent=2))
    elsewhere = asyncio.create_task(pacer.wait_slot("192.0.2.2"))
    await asyncio.sleep(0)
    waits_too = not elsewhere.done()
    pacer.release("192.0.2.1")
    await elsewhere

    assert waited
    assert waits_too


async def test_a_place_is_taken_at_once_or_not_at_all() -> None:
    pacer = Pacer(Budget(concurrent_per_host=1, concurrent=2))

    first, again = pacer.take_slot("192.0.2.1"), pacer.take_slot("192.0.2.1")
    second, third = pacer.take_slot("192.0.2.2"), pacer.take_slot("192.0.2.3")
    for ip in ("192.0.2.1", "192.0.2.2"):
        pacer.release(ip)

    assert (True, False, True, False) == (first, again, second, third)
    assert not pacer._at_host
