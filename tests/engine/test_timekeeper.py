"""Those who wait until an instant of their own, in a loop whose time jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ringback.engine.timekeeper import Timekeeper
from ringback.lab.sim import SimLoop, run


@dataclass(eq=False)
class Waiter:
    """Keeps when he lost his patience."""

    due_at: float
    lost_at: list[float] = field(default_factory=list)

    def lose_patience(self) -> None:
        self.lost_at.append(asyncio.get_running_loop().time())


class Cursed(Waiter):
    def lose_patience(self) -> None:
        raise KeyError(self.due_at)


def in_time(work: Callable[[Timekeeper], Awaitable[None]]) -> list[dict[str, object]]:
    """Do it where time jumps; return what reached the loop's own log."""
    troubles: list[dict[str, object]] = []

    async def begin() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: troubles.append(what))
        await work(Timekeeper())

    run(SimLoop(), begin())
    return troubles


def test_each_is_let_go_at_his_own_instant() -> None:
    waiters = [Waiter(due_at) for due_at in (3.0, 1.0, 7.0, 3.0)]

    async def work(keeper: Timekeeper) -> None:
        for waiter in waiters:
            keeper.add(waiter)
        await asyncio.sleep(10)

    in_time(work)

    assert [[3.0], [1.0], [7.0], [3.0]] == [waiter.lost_at for waiter in waiters]


def test_who_is_taken_out_is_not_let_go_and_costs_others_nothing() -> None:
    gone, first, twin, last = Waiter(2.0), Waiter(1.0), Waiter(2.0), Waiter(5.0)

    async def work(keeper: Timekeeper) -> None:
        for waiter in (first, twin, gone, last):
            keeper.add(waiter)
        keeper.discard(gone)
        keeper.discard(gone)
        keeper.discard(first)  # the timer goes off for nobody, and is set anew
        await asyncio.sleep(10)
        keeper.discard(last)

    in_time(work)

    assert [[], [], [2.0], [5.0]] == [it.lost_at for it in (gone, first, twin, last)]


def test_who_comes_when_nobody_waited_is_let_go_before_or_after_the_last_would_have_been() -> None:
    sooner, later = Waiter(2.0), Waiter(9.0)

    async def work(keeper: Timekeeper) -> None:
        for waiter in (sooner, later):
            gone = Waiter(5.0)
            keeper.add(gone)
            keeper.discard(gone)
            keeper.add(waiter)
            await asyncio.sleep(3)
        await asyncio.sleep(9)

    in_time(work)

    assert [[2.0], [9.0]] == [sooner.lost_at, later.lost_at]


def test_who_is_due_already_is_let_go_but_not_at_once() -> None:
    waiter = Waiter(0.0)

    async def work(keeper: Timekeeper) -> None:
        keeper.add(waiter)
        assert [] == waiter.lost_at
        await asyncio.sleep(1)

    in_time(work)

    assert [0.0] == waiter.lost_at


def test_two_that_are_nearly_one_instant_do_not_go_round() -> None:
    first, second = Waiter(1.0), Waiter(1.0 + 1e-7)

    async def work(keeper: Timekeeper) -> None:
        keeper.add(first)
        keeper.add(second)
        await asyncio.sleep(2)

    in_time(work)

    assert [[1.0], [1.0]] == [first.lost_at, second.lost_at]


def test_what_goes_wrong_with_one_costs_no_other() -> None:
    other = Waiter(1.0)

    async def work(keeper: Timekeeper) -> None:
        keeper.add(Cursed(1.0))
        keeper.add(other)
        await asyncio.sleep(2)

    troubles = in_time(work)

    assert ([1.0], 1) == (other.lost_at, len(troubles))
