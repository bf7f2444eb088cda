"""The system's clock."""

import time

from ringback.net.clock import SystemClock, elapsed


def test_now_is_in_unix_seconds() -> None:
    before = time.time()
    now = SystemClock().now()

    assert before <= now <= time.time()


def test_elapsed_never_goes_back() -> None:
    first = elapsed()

    assert first <= elapsed()


async def test_sleep_takes_the_time_it_was_given() -> None:
    before = elapsed()
    await SystemClock().sleep(0.001)

    assert elapsed() - before >= 0.001
