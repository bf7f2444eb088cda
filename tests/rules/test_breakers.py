"""Breakers: how long a host that refused us is left alone, whatever becomes of the clock."""

import pytest

from ringback.rules.breakers import (
    MAX_PAUSE_S,
    REFUSAL_COUNTS_S,
    REFUSAL_PAUSE_S,
    STRIKES_KEPT_S,
    State,
    close,
    pause_s,
    state_of,
    strike,
)
from ringback.values.evidence import Exchange, Stage
from ringback.values.facts import Fact, HostFact

NOON = 1_800_000_000.0
IP = "192.0.2.1"
WORDS = (Exchange(NOON, Stage.GREETING, ip=IP, code=554, text="go away"),)


def breaker(strikes: int = 1, noted_at: float = NOON) -> Fact:
    expires_at = noted_at + STRIKES_KEPT_S
    return Fact(IP, HostFact.REFUSES_US, noted_at, expires_at, WORDS, strikes=strikes)


@pytest.mark.parametrize(
    ("strikes", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24), (9_999, 24)]
)
def test_the_pause_doubles_up_to_a_day(strikes: int, hours: float) -> None:
    assert hours * 3_600 == pause_s(strikes)


@pytest.mark.parametrize(
    ("strikes", "later_s", "expected"),
    [
        (1, 0, State.OPEN),
        (1, REFUSAL_PAUSE_S - 1, State.OPEN),
        (1, REFUSAL_PAUSE_S, State.HALF_OPEN),
        (2, REFUSAL_PAUSE_S, State.OPEN),
        (0, 0, State.CLOSED),
        # The clock was set back since it was noted.
        (1, -REFUSAL_PAUSE_S + 1, State.OPEN),
        (1, -MAX_PAUSE_S, State.HALF_OPEN),
    ],
)
def test_when_a_breaker_is_open(strikes: int, later_s: float, expected: State) -> None:
    assert expected is state_of(breaker(strikes), NOON + later_s)


def test_the_first_refusal_opens() -> None:
    assert breaker() == strike(IP, None, WORDS, NOON)


def test_a_refusal_of_who_was_under_way_is_no_second_one() -> None:
    assert strike(IP, breaker(), WORDS, NOON + 30) is None


@pytest.mark.parametrize(
    ("known", "later_s", "strikes"),
    [
        (breaker(1), REFUSAL_PAUSE_S, 2),
        (breaker(6), MAX_PAUSE_S, 7),
        (breaker(0), 60, 1),
        (breaker(3), STRIKES_KEPT_S, 1),
    ],
)
def test_a_refused_trial_opens_it_again_for_longer(
    known: Fact, later_s: float, strikes: int
) -> None:
    opened = strike(IP, known, WORDS, NOON + later_s)

    assert opened == breaker(strikes, NOON + later_s)


def test_a_closed_breaker_is_remembered_for_the_day() -> None:
    closed = close(breaker(2), NOON + 2 * REFUSAL_PAUSE_S)

    assert closed is not None
    assert (0, NOON, WORDS) == (closed.strikes, closed.noted_at, closed.evidence)
    assert NOON + REFUSAL_COUNTS_S == closed.expires_at


@pytest.mark.parametrize("later_s", [REFUSAL_COUNTS_S, -1.0])
def test_an_older_one_is_forgotten_and_one_of_another_time(later_s: float) -> None:
    assert close(breaker(6), NOON + later_s) is None
