"""Rules of settings: what they read, and what they say of what they do not."""

from datetime import date
from enum import StrEnum

import pytest

from ringback.errors import SettingError
from ringback.values.constraints import (
    FLAG,
    Rule,
    choice,
    each,
    nearest,
    one_or_each,
    optional,
    quote,
    seconds,
    text,
    whole,
)


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


def _digits(value: str) -> str:
    if not value.isdigit():
        raise ValueError("is not all digits")
    return value.lstrip("0")


DIGITS = text("digits", _digits)

READ: list[tuple[Rule, object, object]] = [
    (FLAG, True, True),
    (whole(1, 5), 1, 1),
    (whole(1, 5), 5, 5),
    (seconds(0, 5), 3, 3.0),
    (seconds(0, 5), 0.5, 0.5),
    (choice(Speed), "fast", Speed.FAST),
    (choice(Speed), Speed.SLOW, Speed.SLOW),
    (DIGITS, "007", "7"),
    (optional(DIGITS, "none"), "", ""),
    (optional(DIGITS, "none"), "07", "7"),
    (each(DIGITS, most=2), [], ()),
    (each(DIGITS, most=2), ["1", "02"], ("1", "2")),
    (each(whole(1, 5), most=2, unique=False), (1, 1), (1, 1)),
]

REFUSED: list[tuple[Rule, object, str]] = [
    (FLAG, "yes", '"yes" is not true or false; write true or false'),
    (FLAG, 1, "1 is not true or false; write true or false"),
    (whole(1, 5), 0, "0 is out of range; write a whole number from 1 to 5"),
    (whole(1, 5), 6, "6 is out of range; write a whole number from 1 to 5"),
    (whole(1, 5), 2.0, "2 is not a whole number; write a whole number from 1 to 5"),
    (whole(1, 5), True, "true is not a whole number; write a whole number from 1 to 5"),
    (seconds(0, 5), 5.5, "5.5 is out of range; write seconds, from 0 to 5"),
    (seconds(0, 5), float("inf"), "inf is out of range; write seconds, from 0 to 5"),
    (seconds(0, 5), float("nan"), "nan is out of range; write seconds, from 0 to 5"),
    (seconds(0, 5), "5", '"5" is not a number of seconds; write seconds, from 0 to 5'),
    (seconds(0, 5), False, "false is not a number of seconds; write seconds, from 0 to 5"),
    (choice(Speed), "fats", '"fats" is not one of its values; write "slow" or "fast"'),
    (choice(Speed), 1, '1 is not one of its values; write "slow" or "fast"'),
    (DIGITS, "x", '"x" is not all digits; write digits'),
    (DIGITS, 5, "5 is not text; write digits"),
    (DIGITS, "1\x1b[2J", '"1\\x1b[2J" contains a control character; write digits'),
    (DIGITS, "\udcff", '"\\udcff" contains a control character; write digits'),
    (optional(DIGITS, "none"), "x", '"x" is not all digits; write digits; or "" for none'),
    (each(DIGITS, most=2), "1", '"1" is not a list; write a list, each item of it digits'),
    (each(DIGITS, most=2), ["1", "2", "3"], "it has 3 items, more than 2; write a list, each item"),
    (each(DIGITS, most=2), ["1", "x"], '"x" is not all digits; write it as digits'),
    (
        each(DIGITS, most=2),
        ["1", "01"],
        '"1" stands there twice; write a list, each item of it digits',
    ),
]


@pytest.mark.parametrize(("rule", "written", "read"), READ)
def test_rules_read_what_they_want_and_read_it_again_as_itself(
    rule: Rule, written: object, read: object
) -> None:
    assert read == rule.admit("key", written)
    assert read == rule.admit("key", read)
    assert type(read) is type(rule.admit("key", written))


@pytest.mark.parametrize(("rule", "written", "said"), REFUSED)
def test_refusals_name_key_problem_and_remedy(rule: Rule, written: object, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        rule.admit("key", written)

    assert str(refused.value).startswith(f"key: {said}")


def test_a_number_that_python_would_not_print_is_refused_like_others() -> None:
    with pytest.raises(SettingError) as refused:
        whole(1, 5).admit("key", 1 << 99_999)

    assert "a number is out of range" == refused.value.problem


def test_a_refusal_from_within_a_table_names_the_way_to_it() -> None:
    def read(value: object) -> object:
        raise SettingError("[2].port", "it is missing", "write a port")

    with pytest.raises(SettingError) as refused:
        Rule("tables", list, read).admit("route", [])

    assert "route[2].port: it is missing; write a port" == str(refused.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        ("ann\n", '"ann "'),
        ("x" * 200, f'"{"x" * 79}…"'),
        (25, "25"),
        (2.5, "2.5"),
        (10**18, "a number"),
        ([], "a list"),
        ((), "a list"),
        ({}, "a table"),
        (date(2026, 11, 21), "a date or time"),
    ],
)
def test_messages_show_values_shortly(value: object, shown: str) -> None:
    assert shown == quote(value)


def test_there_is_always_a_nearest_name() -> None:
    assert "port" == nearest("prot", ["listen", "port"])
    assert nearest("zzz", ["listen", "port"]) in {"listen", "port"}


def test_one_alone_is_a_list_of_one() -> None:
    rule = one_or_each(whole(1, 9), most=2)

    assert (1,) == rule.admit("key", 1)
    assert (1, 2) == rule.admit("key", [1, 2])
    for wrong in ([], [1, 2, 3], 0):
        with pytest.raises(SettingError):
            rule.admit("key", wrong)
