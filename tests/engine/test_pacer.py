"""Budgets charged together or not at all, and places that are always given back."""

import asyncio

from fakes import FakeClock
from ringback.engine import pacer as pacer_module
from ringback.engine.pacer import Pacer
from ringback.values.settings import Budget


def _second(budget: Budget, ip: str, domain: str) -> str | None:
    pacer = Pacer(budget, FakeClock())
    pacer.admit("192.0.2.1", "a.example")
    return pacer.admit(ip, domain)


def test_each_budget_refuses_by_its_name() -> None:
    told = {
        _second(Budget(per_host=1), "192.0.2.1", "b.example"),
        _second(Budget(per_domain=1), "192.0.2.2", "a.example"),
        _second(Budget(overall=1), "192.0.2.2", "b.example"),
    }

    assert None not in told
    assert 3 == len(told)


def test_a_refusal_charges_nothing() -> None:
    pacer = Pacer(Budget(per_host=4, per_domain=1), FakeClock())
    pacer.admit("192.0.2.1", "a.example")

    refused = [pacer.admit("192.0.2.2", "a.example") for _ in range(10)]
    other_domain = pacer.admit("192.0.2.2", "b.example")

    assert None not in refused
    assert other_domain is None


def test_refused_recipients_close_a_host_and_time_opens_it() -> None:
    clock = FakeClock()
    pacer = Pacer(Budget(refused_recipients_per_host=4), clock)
    for _ in range(4):
        pacer.note_refused("192.0.2.1")

    closed = pacer.admit("192.0.2.1", "a.example")
    elsewhere = pacer.admit("192.0.2.2", "a.example")
    clock.at += 4 * 3_600
    later = pacer.admit("192.0.2.1", "a.example")

    assert closed is not None
    assert elsewhere is None
    assert later is None


def test_whole_budgets_are_forgotten() -> None:
    clock = FakeClock()
    pacer = Pacer(Budget(), clock)
    for number in range(pacer_module.SWEEP_AT_KEYS):
        clock.at += 1_000
        pacer.admit(f"host {number}", f"domain {number}")

    held = len(pacer._hosts.full_at)
    pacer.admit("one", "more")

    assert pacer_module.SWEEP_AT_KEYS == held
    assert len(pacer._hosts.full_at) < 10


async def test_a_third_connection_to_a_host_waits_for_a_place() -> None:
    pacer = Pacer(Budget(concurrent_per_host=2), FakeClock())
    await pacer.wait_slot("192.0.2.1")
    await pacer.wait_slot("192.0.2.1")

    third = asyncio.create_task(pacer.wait_slot("192.0.2.1"))
    await asyncio.sleep(0)
    waited = not third.done()
    pacer.release("192.0.2.1")
    await third

    assert waited


async def test_who_gives_up_waiting_holds_no_place() -> None:
    pacer = Pacer(Budget(concurrent_per_host=1, concurrent=1), FakeClock())
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

    assert 1 == len(pacer._users)


def test_another_budget_forgets_nothing_that_was_charged() -> None:
    clock = FakeClock()
    pacer = Pacer(Budget(per_host=4, per_domain=1_000), clock)
    pacer.admit("192.0.2.1", "a.example")

    pacer.adopt(Budget(per_host=8, per_domain=1_000))  # a burst of two, of which one is charged
    raised = [pacer.admit("192.0.2.1", "a.example") for _ in range(2)]
    pacer.adopt(Budget(per_host=4, per_domain=1_000))  # a burst of one, and no debt beyond it
    lowered = pacer.admit("192.0.2.1", "a.example")
    clock.at += 1_201  # the interval of four an hour
    later = pacer.admit("192.0.2.1", "a.example")

    assert [None, "connections to this host"] == raised
    assert lowered is not None
    assert later is None


async def test_another_budget_changes_how_many_connect_at_a_time() -> None:
    pacer = Pacer(Budget(concurrent_per_host=1), FakeClock())
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
