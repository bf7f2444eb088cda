"""Two loops take turns: virtual time stands still while real work is done."""

import asyncio
import gc
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ringback.lab.outward import Outward
from ringback.lab.sim import DeadlockError


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Where a shell began us in the background, SIGINT is ignored, and none would come."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.mark.parametrize("where", ["inside", "outside", "before"])
def test_an_interrupt_ends_it_in_order(where: str, capfd: pytest.CaptureFixture[str]) -> None:
    ended = []

    async def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(where)

    async def live() -> None:
        forgotten = asyncio.create_task(asyncio.sleep(1.0))
        await (interrupt() if where == "inside" else outward.ask(interrupt()))
        await forgotten

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Outward() as outward:
        outward.outside(interrupt()) if where == "before" else outward.run(live())
    gc.collect()

    assert [where] == ended
    assert before is signal.getsignal(signal.SIGINT)
    assert ("", "") == capfd.readouterr()


def test_an_interrupt_that_comes_too_late_for_the_work_is_heeded() -> None:
    async def live() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: signal.raise_signal(signal.SIGINT))

    for where in ("run", "outside"):
        with pytest.raises(KeyboardInterrupt), Outward() as outward:
            getattr(outward, where)(live())


def test_an_interrupt_between_two_runs_leaves_nothing_in_pieces(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def live() -> None:
        outward.ask(fail())
        await outward.ask(turns(3))

    with pytest.raises(KeyboardInterrupt), Outward() as outward:
        outward.run(live())
        outward.ask(fail())
        outward.outside(turns(3))
        raise KeyboardInterrupt
    gc.collect()

    assert ("", "") == capfd.readouterr()


def test_time_goes_on_from_one_run_to_the_next() -> None:
    with Outward() as outward:

        async def live() -> float:
            await asyncio.sleep(60.0)
            return outward.loop.time()

        assert [60.0, 120.0] == [outward.run(live()), outward.run(live())]


def test_in_another_thread_no_signal_comes() -> None:
    def live() -> int:
        with Outward() as outward:
            return outward.run(turns(2))

    with ThreadPoolExecutor(1) as threads:
        assert 2 == threads.submit(live).result()


def test_who_is_cancelled_by_another_is_told_so() -> None:
    with Outward() as outward:

        async def live() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            outward.run(live())
