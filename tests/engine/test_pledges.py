"""Refusals that are set aside, and waited for."""

import asyncio

from ringback.engine.pledges import Pledges

IP = "192.0.2.1"


async def _look_around() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_given_back_leaves_nothing_behind() -> None:
    pledges = Pledges()
    pledges.set_aside(IP, 3)
    pledges.set_aside(IP, 2)
    held = pledges.of(IP)
    pledges.give_back(IP, 5)
    pledges.give_back(IP, 0)

    assert (5, 0) == (held, pledges.of(IP))
    assert not pledges._held
    assert not pledges._given_back


async def test_a_host_is_free_while_nothing_is_set_aside_and_nobody_decides() -> None:
    pledges = Pledges()
    pledges.set_aside(IP, 0)
    free = [pledges.is_free(IP)]
    async with pledges.turn(IP):
        free.append(pledges.is_free(IP))
    free.append(pledges.is_free(IP))
    pledges.set_aside(IP, 1)
    free.append(pledges.is_free(IP))

    assert [True, False, True, False] == free


async def test_who_waits_is_told_when_there_are_fewer() -> None:
    pledges = Pledges()
    pledges.set_aside(IP, 5)
    few, none = (asyncio.create_task(pledges.wait_fewer(IP, than)) for than in (5, 1))
    await _look_around()
    waited = not few.done()
    pledges.give_back(IP, 2)
    await _look_around()
    told = (few.done(), none.done())
    pledges.give_back(IP, 3)
    await none

    assert waited
    assert (True, False) == told


async def test_each_host_has_a_turn_of_its_own() -> None:
    pledges = Pledges()
    turn = pledges.turn(IP)

    assert turn is pledges.turn(IP)
    assert turn is not pledges.turn("192.0.2.2")
