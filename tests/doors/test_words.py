"""The tables of words say something of every member."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from ringback.doors.words import (
    ASKED_FOR,
    BEHIND_GATE,
    FAILED,
    SAID,
    WHOSE,
    WOULD_CHANGE,
    counted,
)
from ringback.rules.gates import Gate
from ringback.values.evidence import About, Fault, Meaning
from ringback.values.verdict import Blame, Reason


@pytest.mark.parametrize(
    ("table", "closed_set"),
    [
        (SAID, Meaning),
        (FAILED, Fault),
        (ASKED_FOR, About),
        (WHOSE, Blame),
        (WOULD_CHANGE, Reason),
        (BEHIND_GATE, Gate),
    ],
)
def test_no_member_goes_without_words(
    table: Mapping[StrEnum, str], closed_set: type[StrEnum]
) -> None:
    assert set(closed_set) == set(table)
    assert all(table.values())


def test_one_thing_is_no_plural() -> None:
    assert ["0 rows", "1 row", "1,200 addresses"] == [
        counted(0, "row"),
        counted(1, "row"),
        counted(1_200, "address", "es"),
    ]
