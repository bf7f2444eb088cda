"""When mail servers try again."""

from itertools import pairwise

import pytest

from ringback.lab.schedules import DAY_S, HOUR_S, MINUTE_S, Schedule


@pytest.mark.parametrize("schedule", Schedule)
def test_attempts_go_on_for_days_and_end(schedule: Schedule) -> None:
    instants = schedule.value

    assert all(first < second for first, second in pairwise(instants))
    assert 1.5 * DAY_S < instants[-1] <= 5 * DAY_S


def test_schedules_begin_as_their_manuals_say() -> None:
    assert (300.0, 900.0, 2_100.0, 4_500.0, 8_500.0) == Schedule.POSTFIX.value[:5]
    assert (15 * MINUTE_S, 2 * HOUR_S, 3 * HOUR_S) == tuple(
        Schedule.EXIM.value[at] for at in (0, 7, 8)
    )
    assert (HOUR_S, 2 * HOUR_S) == Schedule.SENDMAIL.value[:2]
