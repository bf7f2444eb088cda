"""Callouts that several askers share: who leaves when, what is kept, and how they are ended."""

import asyncio

import pytest

from fakes import START, FakeHost, FakeOutside
from ringback.engine import flights as flights_module
from ringback.errors import StoreError
from ringback.values.events import CalledOut, Trouble
from ringback.values.evidence import Fault
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Budget, Bulk
from ringback.values.verdict import Reason

HOUR_S = 3_600
CLIENT = Client("198.51.100.7")


def shop() -> FakeHost:
    return FakeHost(mailboxes={"ann@shop.example", "bob@shop.example"}, ehlo="250 mx")


async def test_four_askers_of_a_new_address_share_one_connection(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()

    reports = await asyncio.gather(*(verifier.verify("ann@shop.example") for _ in range(4)))

    assert ["192.0.2.1"] == world.dialer.calls
    assert [Reason.ACCEPTED] * 4 == [report.reason for report in reports]


async def test_mail_is_answered_while_the_control_is_still_open(world: FakeOutside) -> None:
    gate = asyncio.Event()
    host = shop()

    def slow_control(recipient: str) -> str:
        if recipient == "ann@shop.example":
            return "250 Ok"
        host.may_answer = gate
        return "550 5.1.1 No such user"

    host.rcpt = slow_control
    world.host("shop.example", host)
    verifier = world.verifier()
    query = Query("ann@shop.example", client=CLIENT, answer_by_at=START + 10)

    early = await verifier.verify(query)
    gate.set()
    later = await verifier.verify("ann@shop.example")

    assert (Reason.DEADLINE, True) == (early.reason, early.settled)
    assert Reason.ACCEPTED == later.reason
    assert 1 == len(world.dialer.calls)


async def test_an_asker_without_patience_leaves_and_the_callout_goes_on(
    world: FakeOutside,
) -> None:
    gate = asyncio.Event()
    host = shop()
    host.may_answer = gate
    world.host("shop.example", host)
    verifier = world.verifier()

    early = await verifier.verify(Query("ann@shop.example", answer_by_at=START))
    gate.set()
    later = await verifier.verify("ann@shop.example")

    assert (Reason.DEADLINE, False) == (early.reason, early.settled)
    assert Reason.ACCEPTED == later.reason
    assert 1 == len(world.dialer.calls)


async def test_a_store_that_fails_in_the_middle_is_our_trouble_too(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(name: str) -> bytes:
        raise StoreError("the disk is gone")

    world.host("shop.example", shop())
    monkeypatch.setattr(world.store, "secret", gone)

    report = await world.verifier().verify("ann@shop.example")

    assert Reason.OUR_TROUBLE == report.reason


@pytest.mark.parametrize(("purpose", "gives_up"), [(Purpose.SENDER, True), (Purpose.BULK, False)])
async def test_mail_does_not_wait_for_ever_behind_another_address_and_a_list_does(
    world: FakeOutside, purpose: Purpose, gives_up: bool
) -> None:
    world.host("shop.example", FakeHost(rcpt=lambda _: "451 4.7.1 Greylisted, in 10 minutes"))
    verifier = world.verifier(bulk=Bulk(consent=True))
    told = []
    for _ in range(4):
        await verifier.verify(Query("ann@shop.example", purpose))
        told.append(await verifier.verify(Query("bob@shop.example", purpose)))
        world.clock.at += 600

    assert [0] * 4 == [report.callouts for report in told]
    assert [False] * 3 + [gives_up] == [report.final for report in told]


async def test_over_budget_is_not_remembered_of_the_address(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier(budget=Budget(per_host=1))
    await verifier.verify("ann@shop.example")

    over = await verifier.verify("bob@shop.example")
    world.clock.at += 2 * HOUR_S
    later = await verifier.verify("bob@shop.example")

    assert Reason.OVER_BUDGET == over.reason
    assert Reason.ACCEPTED == later.reason


async def test_too_many_flights_are_refused(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights_module, "MAX_FLIGHTS", 0)

    report = await world.verifier().verify("ann@shop.example")

    assert Reason.OVER_BUDGET == report.reason


async def test_every_callout_is_told_of(world: FakeOutside) -> None:
    world.host("shop.example", shop())

    await world.verifier().verify("ann@shop.example")

    (event,) = world.events
    assert isinstance(event, CalledOut)
    assert (1, ("mx1.shop.example",), 1) == (event.connections, event.hosts, event.askers)


async def test_a_callout_tells_how_many_have_shared_it(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()

    await asyncio.gather(*(verifier.verify("ann@shop.example") for _ in range(3)))

    (event,) = world.events
    assert isinstance(event, CalledOut)
    assert (1, 3) == (event.connections, event.askers)


async def test_who_asks_after_a_reload_shares_the_callout_of_before(world: FakeOutside) -> None:
    host = shop()
    host.may_answer = asyncio.Event()
    world.host("shop.example", host)
    old = world.verifier()
    first = asyncio.create_task(old.verify("ann@shop.example"))
    await host.reached.wait()
    new = world.verifier(old)
    second = asyncio.create_task(new.verify("ann@shop.example"))
    await asyncio.sleep(0)
    under_way = old.under_way, new.under_way
    shown = new.progress_nowait(9)
    host.may_answer.set()

    assert [Reason.ACCEPTED] * 2 == [(await asked).reason for asked in (first, second)]
    assert ((1, 1), 1) == (under_way, len(shown))
    assert 1 == sum(isinstance(event, CalledOut) for event in world.events)
    assert 0 == new.under_way


async def test_who_loses_patience_has_no_share_in_it(world: FakeOutside) -> None:
    host = shop()
    host.may_answer = asyncio.Event()
    world.host("shop.example", host)
    verifier = world.verifier()
    for _ in range(3):  # the same mail, which comes again
        await verifier.verify(Query("ann@shop.example", answer_by_at=START))
    host.may_answer.set()
    await verifier.verify("ann@shop.example")

    (event,) = world.events
    assert isinstance(event, CalledOut)
    assert 1 == event.askers


async def test_a_source_address_that_cannot_be_used_is_told_of(world: FakeOutside) -> None:
    world.host("shop.example", Fault.SOURCE_UNUSABLE, Fault.SOURCE_UNUSABLE)

    report = await world.verifier().verify("ann@shop.example")

    assert Reason.IDENTITY_UNFIT == report.reason
    troubles = [event for event in world.events if isinstance(event, Trouble)]
    assert ["source address"] == [trouble.where for trouble in troubles]


async def test_closing_breaks_off_callouts_and_their_askers_get_an_answer(
    world: FakeOutside,
) -> None:
    host = shop()
    host.may_answer = asyncio.Event()
    world.host("shop.example", host)
    verifier = world.verifier()
    asker = asyncio.create_task(verifier.verify("ann@shop.example"))
    await host.reached.wait()

    await verifier.close()
    report = await asker

    assert Reason.OUR_TROUBLE == report.reason


async def test_a_bug_in_a_callout_is_told_and_its_askers_get_an_answer(world: FakeOutside) -> None:
    def rcpt(recipient: str) -> str:
        raise ValueError("a bug")

    world.host("shop.example", FakeHost(rcpt=rcpt))

    report = await world.verifier().verify("ann@shop.example")
    await asyncio.sleep(0)

    assert Reason.OUR_TROUBLE == report.reason
    (trouble,) = world.events
    assert isinstance(trouble, Trouble)
    assert ("callout", "ValueError('a bug')") == (trouble.where, trouble.what)


async def test_closing_does_not_wait_for_ever_for_a_goodbye(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights_module, "QUIT_WAIT_S", 0.0)
    host = shop()
    host.may_part = asyncio.Event()
    world.host("shop.example", host)
    verifier = world.verifier()
    report = await verifier.verify("made.up@shop.example")

    await verifier.close()

    assert Reason.NO_SUCH_MAILBOX == report.reason
    assert 1 == len(asyncio.all_tasks())


async def test_an_asker_who_is_cancelled_does_not_cancel_the_others(world: FakeOutside) -> None:
    gate = asyncio.Event()
    host = shop()
    host.may_answer = gate
    world.host("shop.example", host)
    verifier = world.verifier()
    impatient = asyncio.create_task(verifier.verify("ann@shop.example"))
    patient = asyncio.create_task(verifier.verify("ann@shop.example"))
    await host.reached.wait()

    impatient.cancel()
    gate.set()
    report: Report = await patient

    assert Reason.ACCEPTED == report.reason
