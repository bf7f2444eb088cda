"""Two loops take turns: virtual time stands still while real work is done."""

import asyncio

import pytest

from ringback.lab.outward import Outward
from ringback.lab.sim import DeadlockError


async def turns(count: int) -> int:
    """Work of the outside, in so many rounds of its loop."""
    for _ in range(count):
        await asyncio.sleep(0)
    return count


async def fail() -> None:
    raise ValueError("outside")


def test_time_stands_still_while_work_is_done_outside() -> None:
    with Outward() as outward:

        async def live() -> tuple[int, float]:
            timer = asyncio.create_task(asyncio.sleep(60.0))
            done = await outward.ask(turns(10))
            at = outward.loop.time()
            await timer
            return done, at

        assert (10, 0.0) == outward.run(live())
        assert 60.0 == outward.loop.time()


def test_several_works_go_on_together() -> None:
    with Outward() as outward:

        async def live() -> list[int]:
            return await asyncio.gather(*(outward.ask(turns(count)) for count in (5, 1, 3)))

        assert [5, 1, 3] == outward.run(live())


def test_what_goes_wrong_outside_is_told_inside() -> None:
    with Outward() as outward:

        async def live() -> str:
            try:
                await outward.ask(fail())
            except ValueError as error:
                return str(error)
            return ""

        assert "outside" == outward.run(live())


def test_who_gives_up_is_told_nothing() -> None:
    with Outward() as outward:

        async def live() -> int:
            outward.ask(turns(1)).cancel()
            return await outward.ask(turns(5))

        assert 5 == outward.run(live())


def test_it_ends_with_the_work_inside_whatever_goes_on() -> None:
    ended = []

    async def endless() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(True)

    with Outward() as outward:

        async def live() -> str:
            forgotten = asyncio.create_task(endless())
            outward.ask(endless())
            await outward.ask(turns(1))
            return "" if forgotten.done() else "over"

        assert "over" == outward.run(live())
        assert 3 == outward.outside(turns(3))
    assert [True, True] == ended


def test_who_waits_for_nothing_is_found_out() -> None:
    with Outward() as outward:

        async def live() -> None:
            await outward.loop.create_future()

        with pytest.raises(DeadlockError):
            outward.run(live())
