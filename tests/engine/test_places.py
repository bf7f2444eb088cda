"""Places: first come, first served, and never one lost."""

import asyncio

from ringback.engine.places import Places


async def turns(places: Places, count: int) -> list[asyncio.Task[None]]:
    """Let `count` tasks ask for a place, in this order."""
    tasks = [asyncio.create_task(places.wait_place()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


def seated(tasks: list[asyncio.Task[None]]) -> list[bool]:
    return [task.done() and not task.cancelled() for task in tasks]


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_comes_first_is_served_first() -> None:
    places = Places(1)
    tasks = await turns(places, 3)
    at_first = seated(tasks)
    places.give_back()
    await settle()
    then = seated(tasks)
    places.give_back()
    await asyncio.gather(*tasks)

    assert [True, False, False] == at_first
    assert [True, True, False] == then


async def test_who_comes_while_others_wait_takes_no_place() -> None:
    places = Places(1)
    free = places.take_place()
    await turns(places, 1)
    places.give_back()

    assert free
    assert not places.take_place()


async def test_more_places_are_taken_at_once() -> None:
    places = Places(1)
    tasks = await turns(places, 4)
    places.resize(3)
    await settle()

    assert [True, True, True, False] == seated(tasks)
    tasks[3].cancel()


async def test_fewer_places_are_reached_as_they_are_given_back() -> None:
    places = Places(3)
    tasks = await turns(places, 4)
    places.resize(1)
    places.give_back()
    places.give_back()
    await settle()
    before = seated(tasks)
    places.give_back()
    await settle()

    assert [True, True, True, False] == before
    assert [True, True, True, True] == seated(tasks)


async def test_who_gives_up_is_passed_over() -> None:
    places = Places(1)
    tasks = await turns(places, 3)
    tasks[1].cancel()
    places.give_back()  # before the one that gave up has noticed
    await settle()

    assert [True, False, True] == seated(tasks)


async def test_a_place_that_comes_too_late_is_passed_on() -> None:
    places = Places(1)
    tasks = await turns(places, 3)
    places.give_back()
    tasks[1].cancel()  # the place is his, and he has not noticed
    await settle()

    assert [True, False, True] == seated(tasks)
