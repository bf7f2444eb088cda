"""Budgets: any 60 minutes hold at most N."""

from bisect import bisect_left

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.rules.pacing import HOUR_S, Rate

NOON = 1_800_000_000.0


def admitted(rate: Rate, instants: list[float]) -> list[float]:
    """Knock at each instant; return those at which one was let through."""
    full_at: float | None = None
    through = []
    for now in instants:
        after = rate.spend(full_at, now)
        if after is not None:
            full_at = after
            through.append(now)
    return through


def most_in_an_hour(through: list[float]) -> int:
    """How many the fullest hour holds, its first instant in and its last out."""
    return max(
        (bisect_left(through, start + HOUR_S) - place for place, start in enumerate(through)),
        default=0,
    )


GAPS = st.one_of(
    st.floats(0, 5_000, allow_subnormal=False),
    st.sampled_from([0.0, 1e-6, 1.0, 60.0, 600.0, 1_200.0, 1_800.0, 3_599.999999, 3_600.0]),
)


@given(st.integers(0, 70), st.lists(GAPS, max_size=150))
@example(1, [3_599.9999995, 3_599.9999995])
@example(4, [0.0] * 5 + [1_200.0] * 6)
@example(60, [0.0] * 20 + [79.9999995] * 60)
def test_no_trace_exceeds_the_budget_in_any_hour(per_hour: int, gaps: list[float]) -> None:
    now, instants = NOON, []
    for gap in gaps:
        now += gap
        instants.append(now)

    assert most_in_an_hour(admitted(Rate(per_hour), instants)) <= per_hour


@pytest.mark.parametrize("per_hour", [1, 2, 3, 4, 5, 20, 60, 1_000])
def test_a_steady_flood_gets_the_burst_and_then_the_rest_of_the_hour(per_hour: int) -> None:
    rate = Rate(per_hour)
    step = rate.interval_s / 4
    flood = [NOON + step * knock for knock in range(int(3 * HOUR_S / step))]
    through = admitted(rate, flood)

    assert most_in_an_hour(through) <= per_hour
    assert len([at for at in through if at < NOON + HOUR_S]) >= per_hour - rate.burst


def test_a_burst_is_a_quarter_of_the_hour_and_at_least_one() -> None:
    assert [Rate(n).burst for n in (1, 3, 4, 8, 60)] == [1, 1, 1, 2, 15]
    assert admitted(Rate(60), [NOON] * 40) == [NOON] * 15


def test_no_budget_lets_nobody_through() -> None:
    assert Rate(0).spend(None, NOON) is None
    assert Rate(-1).spend(None, NOON) is None


def test_one_an_hour_is_one_in_every_hour() -> None:
    rate = Rate(1)
    first = rate.spend(None, NOON)

    assert first is not None
    assert rate.spend(first, NOON + HOUR_S - 1e-7) is None
    assert rate.spend(first, NOON + HOUR_S + 1.0) is not None


def test_a_budget_that_rested_is_whole_and_no_more() -> None:
    rate = Rate(60)
    full_at = rate.spend(None, NOON)
    later = NOON + 10 * HOUR_S

    assert full_at is not None
    assert rate.spend(full_at, later) == later + rate.interval_s


def test_a_clock_set_back_gives_nothing_away() -> None:
    rate = Rate(60)
    full_at = rate.spend(None, NOON)

    assert full_at is not None
    assert rate.spend(full_at, NOON - HOUR_S) is None
