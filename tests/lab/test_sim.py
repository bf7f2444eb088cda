"""Time that jumps: timers, cancellations, timeouts, deadlocks, a clock that is set."""

import asyncio

import pytest

from ringback.lab.sim import DeadlockError, SimClock, SimLoop, run

WEEK_S = 7 * 86_400.0


def test_a_week_takes_no_time_and_is_exactly_a_week() -> None:
    loop = SimLoop()

    run(loop, asyncio.sleep(WEEK_S))

    assert WEEK_S == loop.time()


def test_timers_go_off_in_the_order_of_their_instants() -> None:
    order: list[tuple[float, float]] = []

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append((seconds, asyncio.get_running_loop().time()))

    async def work() -> None:
        await asyncio.gather(*(wait(seconds) for seconds in (30.0, 0.1, WEEK_S, 2.0, 0.3)))

    run(SimLoop(), work())

    assert [(s, s) for s in (0.1, 0.3, 2.0, 30.0, WEEK_S)] == order


def test_timeouts_fire_in_virtual_time() -> None:
    async def work() -> float:
        try:
            async with asyncio.timeout(3_600):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return asyncio.get_running_loop().time()
        return -1.0

    assert 3_600.0 == run(SimLoop(), work())


def test_a_timer_that_was_cancelled_moves_nothing() -> None:
    loop = SimLoop()

    async def work() -> None:
        sleeper = asyncio.create_task(asyncio.sleep(WEEK_S))
        await asyncio.sleep(5)
        sleeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeper

    run(loop, work())

    assert 5.0 == loop.time()


def test_time_stands_still_while_there_is_work() -> None:
    async def work() -> list[float]:
        loop = asyncio.get_running_loop()
        timer = asyncio.create_task(asyncio.sleep(1))
        seen = []
        for _ in range(1_000):
            await asyncio.sleep(0)
            seen.append(loop.time())
        await timer
        return [*seen, loop.time()]

    assert [0.0] * 1_000 + [1.0] == run(SimLoop(), work())


def test_waiting_for_what_never_comes_is_said_loudly() -> None:
    async def forlorn() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(DeadlockError, match=r"wait for ever: .*forlorn, line \d+"):
        run(SimLoop(), forlorn())


def test_a_deadlock_names_some_of_many() -> None:
    async def forlorn() -> None:
        await asyncio.get_running_loop().create_future()

    async def work() -> None:
        await asyncio.gather(*(forlorn() for _ in range(30)))

    with pytest.raises(DeadlockError, match=r"and 21 more$"):
        run(SimLoop(), work())


def test_going_round_at_one_instant_is_said_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringback.lab.sim.MAX_TURNS_AT_ONCE", 1_000)

    async def busy() -> None:
        loop = asyncio.get_running_loop()

        def again() -> None:
            loop.call_soon(again)

        again()
        await loop.create_future()

    with pytest.raises(DeadlockError, match=r"no end of turns at one instant: .*busy"):
        run(SimLoop(), busy())


def test_there_are_no_threads() -> None:
    async def work() -> None:
        await asyncio.to_thread(str)

    with pytest.raises(RuntimeError, match="no threads in virtual time"):
        run(SimLoop(), work())


def test_a_call_from_beside_the_loop_is_taken() -> None:
    async def work() -> bool:
        loop, called = asyncio.get_running_loop(), asyncio.Event()
        loop.call_soon_threadsafe(called.set)
        return await called.wait()

    assert run(SimLoop(), work())


def test_the_time_of_day_can_be_set_and_what_elapsed_cannot() -> None:
    loop = SimLoop()
    clock = SimClock(loop, start_at=1_000.0)

    async def work() -> None:
        await clock.sleep(10)
        clock.step(-500)
        await clock.sleep(1)

    run(loop, work())

    assert (511.0, 11.0) == (clock.now(), clock.elapsed())


def test_long_after_the_beginning_timers_still_go_off() -> None:
    loop = SimLoop()

    async def work() -> None:
        await asyncio.sleep(30 * 365 * 86_400.0)
        await asyncio.sleep(0.1)

    run(loop, work())

    assert pytest.approx(30 * 365 * 86_400.0 + 0.1) == loop.time()


def test_time_does_not_move_on_while_the_loop_is_held() -> None:
    held = True
    loop = SimLoop(lambda: held)
    timer = loop.create_task(asyncio.sleep(60.0))
    loop.run_forever()

    assert (0.0, False) == (loop.time(), timer.done())

    held = False
    loop.run_until_complete(timer)
    loop.close()

    assert 60.0 == loop.time()
