"""How long the control rests where it settled nothing."""

import pytest

from ringback.rules.contrast import (
    FIRST_REST_S,
    KEPT_S,
    MAX_REST_S,
    is_settling,
    note,
    rest_s,
    rests,
)
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.facts import HostFact

NOON = 1_800_000_000.0
PAIR = "192.0.2.1 shop.example"


def control(meaning: Meaning | None, code: int | None, fault: Fault | None = None) -> Exchange:
    return Exchange(NOON, Stage.RCPT, about=About.CONTROL, code=code, meaning=meaning, fault=fault)


LIMIT = control(Meaning.SERVER_TROUBLE, 452)


def test_the_second_attempt_in_vain_begins_a_rest_that_doubles_up_to_a_bound() -> None:
    assert [0.0, FIRST_REST_S, 2 * FIRST_REST_S] == [rest_s(attempts) for attempts in (1, 2, 3)]
    assert MAX_REST_S == rest_s(100) == rest_s(9)


def test_attempts_are_counted_until_a_day_goes_by_without_one() -> None:
    first = note(PAIR, None, LIMIT, NOON)
    second = note(PAIR, first, LIMIT, NOON + 1)

    assert (PAIR, HostFact.NO_CONTRAST, (LIMIT,)) == (first.subject, first.kind, first.evidence)
    assert (1, 2) == (first.strikes, second.strikes)
    assert 1 == note(PAIR, second, LIMIT, NOON + 1 + KEPT_S).strikes


def test_it_rests_from_the_second_attempt_on_and_not_ahead_of_the_clock() -> None:
    first = note(PAIR, None, LIMIT, NOON)
    second = note(PAIR, first, LIMIT, NOON)

    assert not rests(first, NOON)
    assert [True, False] == [rests(second, NOON + after) for after in (0, FIRST_REST_S)]
    assert not rests(second, NOON - 1)
    assert rest_s(100) < KEPT_S


@pytest.mark.parametrize(
    ("answer", "settles"),
    [
        (control(Meaning.ACCEPTED, 250), True),
        (control(Meaning.UNKNOWN_USER, 550), True),
        (control(Meaning.UNKNOWN_USER, 450), False),
        (control(Meaning.AMBIGUOUS_ACCEPT, 252), False),
        (control(Meaning.CLIENT_BLOCKED, 550), False),
        (control(None, None, Fault.CLOSED), False),
        (LIMIT, False),
    ],
)
def test_what_settles_it(answer: Exchange, settles: bool) -> None:
    assert settles is is_settling(answer)
