"""Budgets: any 60 minutes hold at most N."""

from bisect import bisect_left
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.rules.pacing import (
    HOUR_S,
    Charge,
    Rate,
    Spent,
    is_used_up,
    spend_all,
    spend_beyond,
)

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


def charge(per_hour: int, key: str = "host") -> Charge:
    return Charge(key, Rate(per_hour), "calls to this host")


@dataclass
class Trace:
    """One budget through its life: what it let through, and what is remembered of it."""

    states: dict[str, Spent] = field(default_factory=dict)
    empty_since: float | None = None
    through: list[float] = field(default_factory=list)

    def knock(self, per_hour: int, now: float) -> None:
        spent = spend_all((charge(per_hour),), self.states, now, self.empty_since)
        if not isinstance(spent, Charge):
            self.states |= spent
            self.through.append(now)

    def stop_uncleanly(self, now: float) -> None:
        self.states, self.empty_since = {}, now


STEPS = st.lists(st.tuples(GAPS, st.integers(0, 2), st.booleans()), max_size=150)


@given(st.lists(st.integers(1, 70), min_size=3, max_size=3), STEPS)
@example([60, 8, 60], [(0.0, 0, False)] * 15 + [(1_120.0, 1, False)] + [(0.0, 2, False)] * 15)
@example([60, 60, 60], [(0.0, 0, False)] * 15 + [(0.0, 0, True)] + [(80.0, 0, False)] * 60)
def test_no_change_of_the_rate_and_no_unclean_stop_exceeds_the_budget(
    rates: list[int], steps: list[tuple[float, int, bool]]
) -> None:
    trace, now = Trace(), NOON
    for gap, choice, stops in steps:
        now += gap
        if stops:
            trace.stop_uncleanly(now)
        trace.knock(rates[choice], now)

    assert most_in_an_hour(trace.through) <= max(rates)


def test_one_event_is_charged_to_each_budget() -> None:
    host, everything = charge(8, "host"), charge(60, "all")

    expected = {"host": Spent(NOON + 600.0, 600.0), "all": Spent(NOON + 80.0, 80.0)}
    assert expected == spend_all((host, everything), {}, NOON, None)


def test_the_first_budget_that_is_used_up_is_named() -> None:
    first, second, third = charge(8, "first"), charge(1, "second"), charge(1, "third")
    used_up = Spent(NOON + HOUR_S, second.rate.interval_s)

    states = {"second": used_up, "third": used_up}
    assert second == spend_all((first, second, third), states, NOON, None)


def test_nothing_to_charge_is_no_refusal() -> None:
    assert {} == spend_all((), {}, NOON, None)


def test_bursts_that_started_empty_fill_at_the_rate() -> None:
    host = charge(8)

    assert is_used_up(host, None, NOON, NOON)
    assert is_used_up(host, None, NOON + 599.0, NOON)
    assert not is_used_up(host, None, NOON + 600.0, NOON)
    assert {"host": Spent(NOON + 1_800.0, 600.0)} == spend_all((host,), {}, NOON + 600.0, NOON)


def test_what_was_spent_before_bursts_started_empty_counts_if_it_is_more() -> None:
    beyond = Spent(NOON + 9_000.0, 600.0)

    assert is_used_up(charge(8), beyond, NOON + 8_000.0, NOON)


def test_an_event_beyond_the_budget_is_charged_as_any_other() -> None:
    host, state = charge(8), None
    for _ in range(3):
        state = spend_beyond(host, state, NOON, None)

    assert Spent(NOON + 1_800.0, 600.0) == state
    assert Spent(NOON + 1_800.0, 600.0) == spend_beyond(host, None, NOON, NOON)
    rested = Spent(NOON - 1.0, 600.0)
    assert Spent(NOON + 600.0, 600.0) == spend_beyond(host, rested, NOON, None)


def test_as_many_events_stay_charged_when_the_rate_changes() -> None:
    two_of_eight = Spent(NOON + 1_200.0, 600.0)

    # Of sixty an hour they are two of fifteen; of four an hour, which has a burst of one, all.
    sixty = spend_all((charge(60),), {"host": two_of_eight}, NOON, None)
    assert {"host": Spent(NOON + 3 * 80.0, 80.0)} == sixty
    assert is_used_up(charge(4), two_of_eight, NOON, None)
    assert Spent(NOON + 2_400.0, 1_200.0) == spend_beyond(charge(4), two_of_eight, NOON, None)


def test_a_budget_that_is_whole_is_whole_at_every_rate() -> None:
    whole = Spent(NOON, 80.0)

    assert {"host": Spent(NOON + 600.0, 600.0)} == spend_all(
        (charge(8),), {"host": whole}, NOON, None
    )


def test_a_budget_of_none_is_used_up() -> None:
    assert is_used_up(charge(0), None, NOON, None)
    assert charge(0) == spend_all((charge(0),), {}, NOON, None)
