"""Time moves when a test says so."""

import asyncio

from ringback.lab.clock import HandClock, WallClock


async def test_a_sleeper_wakes_when_its_time_has_come_and_not_before() -> None:
    clock = HandClock()
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleep("long", 10)), asyncio.create_task(sleep("short", 2))]
    await clock.wait_asleep(2)
    clock.advance(1.9)
    await asyncio.sleep(0)
    before = list(woken)
    clock.advance(0.1)
    await tasks[1]
    after = list(woken)
    clock.advance(8)
    await tasks[0]

    assert [] == before
    assert ["short"] == after
    assert ["short", "long"] == woken


async def test_time_stands_still_by_itself() -> None:
    clock = HandClock(start_at=1_000.0)
    await clock.sleep(0)

    assert 1_000.0 == clock.now()


async def test_a_sleeper_that_is_cancelled_is_forgotten() -> None:
    clock = HandClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.wait_asleep()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    clock.advance(5)

    assert task.cancelled()


async def test_the_wall_clock_goes_on() -> None:
    clock = WallClock()
    before = clock.now()
    await clock.sleep(0)

    assert before <= clock.now()


async def test_setting_the_time_of_day_wakes_nobody() -> None:
    clock = HandClock(start_at=1_000.0)
    task = asyncio.create_task(clock.sleep(5))
    await clock.wait_asleep()
    clock.step(-500.0)
    clock.step(3_600.0)
    await asyncio.sleep(0)

    assert (4_100.0, 0.0) == (clock.now(), clock.elapsed())
    assert not task.done()

    clock.advance(5)
    await task
    assert (4_105.0, 5.0) == (clock.now(), clock.elapsed())


def test_what_elapsed_on_the_wall_goes_on() -> None:
    clock = WallClock()
    before = clock.elapsed()

    assert before <= clock.elapsed()
