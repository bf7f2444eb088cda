"""What a run of days sits out."""

from collections.abc import Awaitable, Callable

import pytest

from ringback.engine.patience import MIN_STEP_S, STORE_PATIENCE_S, STORE_REST_S, Patience
from ringback.errors import StoreError


class StandingClock:
    """Goes on where somebody sleeps, and is set by hand."""

    def __init__(self) -> None:
        self.at, self.lead_s = 0.0, 1_000_000.0

    def now(self) -> float:
        return self.at + self.lead_s

    def elapsed(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


def fails_until(clock: StandingClock, at: float) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        if clock.at < at:
            raise StoreError("it is locked")
        return "done"

    return work


async def test_a_store_that_fails_is_asked_again_for_some_time() -> None:
    clock = StandingClock()

    assert "done" == await Patience(clock).insist(fails_until(clock, STORE_PATIENCE_S))
    assert STORE_PATIENCE_S == clock.at


async def test_one_that_fails_for_longer_is_not() -> None:
    clock = StandingClock()
    with pytest.raises(StoreError, match="it is locked"):
        await Patience(clock).insist(fails_until(clock, STORE_PATIENCE_S + STORE_REST_S))

    assert STORE_PATIENCE_S == clock.at


def test_a_clock_that_is_set_back_is_noticed_once() -> None:
    clock = StandingClock()
    subject = Patience(clock)
    seen = []
    for lead_s in (5_000.0, 5_000.0, 4_000.0, 4_000.0, 9_000.0, 8_000.0):
        clock.lead_s = lead_s
        clock.at += 100.0
        seen.append(subject.step_s())

    assert [0.0, 0.0, 1_000.0, 0.0, 0.0, 1_000.0] == seen


def test_small_steps_count_when_they_come_to_a_large_one() -> None:
    clock = StandingClock()
    subject = Patience(clock)
    seen = []
    for _ in range(4):
        seen.append(subject.step_s())
        clock.lead_s -= MIN_STEP_S / 2

    assert [0.0, 0.0, MIN_STEP_S, 0.0] == seen
