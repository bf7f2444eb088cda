"""Who is inside, and waiting until nobody is."""

import asyncio

import pytest

from ringback.engine.askers import Askers


async def test_nobody_inside_is_not_waited_for() -> None:
    waiting = asyncio.create_task(Askers().wait_gone(60))
    await asyncio.sleep(0)

    assert waiting.done()


async def test_the_last_to_leave_ends_the_wait() -> None:
    askers = Askers()
    with askers:
        with pytest.raises(ValueError, match="a bug"), askers:
            raise ValueError("a bug")
        waiting = asyncio.create_task(askers.wait_gone(60))
        await asyncio.sleep(0)
        early = waiting.done()
    await waiting

    assert not early


async def test_whoever_stays_is_waited_for_only_so_long() -> None:
    askers = Askers()
    with askers:
        waiting = asyncio.create_task(askers.wait_gone(0.0))
        given_up, _ = await asyncio.wait({waiting}, timeout=60)

    assert {waiting} == given_up


async def test_who_leaves_and_enters_in_one_moment_is_still_inside() -> None:
    askers = Askers()
    with askers:
        waiting = asyncio.create_task(askers.wait_gone(60))
        await asyncio.sleep(0)
    with askers:
        for _ in range(3):
            await asyncio.sleep(0)
        early = waiting.done()
    await waiting

    assert not early
