"""What is charged and written down, before a host is called and after."""

import asyncio
from collections.abc import Sequence

import pytest

from fakes import START, FakeClock
from ringback.engine.ledger import Ledger
from ringback.engine.pacer import Pacer
from ringback.errors import StoreError
from ringback.rules.pacing import Charge, Rate
from ringback.store.memory import MemoryStore
from ringback.values.calls import Call
from ringback.values.evidence import Exchange, Stage
from ringback.values.query import Purpose
from ringback.values.settings import Budget
from ringback.values.verdict import Outcome

IP = "192.0.2.1"
CALL = Call("one", "one", START, "ann@shop.example", "shop.example", "mx", IP, Purpose.SENDER)
ONE = Charge("host", Rate(1), "callouts at this host")


class Desk:
    """A ledger with what is around it."""

    def __init__(self, store: MemoryStore | None = None, refused: int = 20) -> None:
        self.clock, self.store = FakeClock(), store or MemoryStore()
        self.budget = Budget(refused_recipients_per_host=refused)
        self.pacer = Pacer(self.budget)
        self.ledger = Ledger(self.budget, self.store, self.clock, self.pacer, lambda: 0.5)

    async def pledge(self, ip: str, wanted: int, patience_s: float = 0.0) -> int:
        until_at = asyncio.get_running_loop().time() + patience_s
        return await self.ledger.pledge(ip, wanted, until_at)

    async def calls(self) -> Sequence[Call]:
        return await self.store.search_calls("shop.example", 0.0, 100)


async def test_a_call_is_written_down_before_it_is_made_and_completed_after() -> None:
    desk = Desk()
    said = (Exchange(START, Stage.GREETING, code=220),)

    used_up = await desk.ledger.spend([ONE], CALL)
    before = await desk.calls()
    desk.ledger.complete(CALL, said, Outcome.ACCEPTED)

    assert (None, [CALL]) == (used_up, list(before))
    assert [(said, "accepted")] == [(it.said, it.outcome) for it in await desk.calls()]


def test_no_two_calls_have_the_same_id() -> None:
    desk = Desk()

    assert desk.ledger.new_id() != desk.ledger.new_id()


async def test_what_is_beyond_a_budget_is_not_written_down() -> None:
    desk = Desk()
    await desk.ledger.spend([ONE], CALL)

    assert ONE == await desk.ledger.spend([ONE], CALL)
    assert 1 == len(await desk.calls())


async def test_a_pledge_takes_no_more_than_a_burst() -> None:
    desk = Desk()  # twenty an hour, five of them at once

    pledged = [await desk.pledge(IP, 3) for _ in range(3)]
    desk.ledger.end_pledge(IP, 3)

    assert [3, 2, 0] == pledged
    assert 3 == await desk.pledge(IP, 4)
    assert 4 == await desk.pledge("192.0.2.2", 4)


async def test_what_was_refused_is_pledged_no_more_until_time_has_passed() -> None:
    desk = Desk()
    for _ in range(4):
        desk.ledger.note_refused(IP)

    at_once = await desk.pledge(IP, 5)
    desk.ledger.end_pledge(IP, at_once)
    desk.clock.advance(2 * 240.0)  # the interval of twenty an hour with bursts of five
    later = await desk.pledge(IP, 5)

    assert (1, 3) == (at_once, later)


async def test_those_who_pledge_at_the_same_time_do_not_pledge_the_same() -> None:
    desk = Desk()

    pledged = await asyncio.gather(*(desk.pledge(IP, 3) for _ in range(4)))

    assert 5 >= sum(pledged)


async def _look_around() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_finds_all_set_aside_waits_for_what_is_given_back() -> None:
    desk = Desk()
    first = await desk.pledge(IP, 5)
    second, third = (asyncio.create_task(desk.pledge(IP, 3, 60.0)) for _ in range(2))
    await _look_around()
    waited = not second.done()
    desk.ledger.note_refused(IP)
    desk.ledger.end_pledge(IP, first)
    await _look_around()

    assert waited
    assert (5, 3, 1) == (first, await second, await third)


async def test_nobody_waits_for_a_budget_that_is_used_up() -> None:
    desk = Desk()
    first = await desk.pledge(IP, 5)
    second, third = (asyncio.create_task(desk.pledge(IP, 3, 60.0)) for _ in range(2))
    await _look_around()
    for _ in range(5):
        desk.ledger.note_refused(IP)
    desk.ledger.end_pledge(IP, first)

    assert [0, 0] == [await second, await third]
    assert 0 == desk.pacer.pledges.of(IP)


async def test_what_is_given_back_during_the_decision_is_decided_on_again() -> None:
    class Slow(MemoryStore):
        async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
            await asyncio.sleep(0)
            return await super().is_used_up(charge, elapsed)

    desk = Desk(Slow())
    desk.ledger.note_refused(IP)
    first = await desk.pledge(IP, 4, 60.0)
    second = asyncio.create_task(desk.pledge(IP, 1, 60.0))
    await asyncio.sleep(0)
    desk.ledger.end_pledge(IP, first)

    assert (4, 1) == (first, await second)


async def test_who_comes_while_the_first_looks_gets_what_he_leaves() -> None:
    class Slow(MemoryStore):
        async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
            await asyncio.sleep(0)
            return await super().is_used_up(charge, elapsed)

    desk = Desk(Slow())
    first = asyncio.create_task(desk.pledge(IP, 4, 60.0))
    second = asyncio.create_task(desk.pledge(IP, 4, 60.0))

    assert (4, 1) == (await first, await second)


async def test_who_leaves_while_he_waits_leaves_his_turn_to_the_next() -> None:
    desk = Desk()
    first = await desk.pledge(IP, 5)
    second, third = (asyncio.create_task(desk.pledge(IP, 3, 60.0)) for _ in range(2))
    await _look_around()
    second.cancel()
    desk.ledger.end_pledge(IP, first)

    assert 3 == await third


async def test_a_store_that_fails_leaves_no_pledge() -> None:
    class Gone(MemoryStore):
        async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
            raise StoreError("gone")

    desk = Desk(Gone())

    with pytest.raises(StoreError):
        await desk.pledge(IP, 3)

    assert 0 == desk.pacer.pledges.of(IP)
