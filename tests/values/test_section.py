"""Sections: their fields are read by their rules, alone and as rows of a list."""

from typing import Annotated

import pytest
from msgspec import NODEFAULT

from ringback.errors import SettingError
from ringback.values.constraints import FLAG, seconds, whole
from ringback.values.section import Section, keys_of, tables


class Oven(Section, frozen=True):
    """Where it is baked."""

    degrees: Annotated[int, whole(1, 300), "how hot"]
    after_s: Annotated[float, seconds(0, 60), "how late"] = 5.0
    open: Annotated[bool, FLAG, "whether it lets steam out"] = False


OVENS = tables(Oven, "[[oven]]", most=3, unique="degrees")


def test_keys_are_fields_with_rule_manual_and_default() -> None:
    keys = keys_of(Oven)

    assert ["degrees", "after_s", "open"] == [key.name for key in keys]
    assert ["how hot", "how late", "whether it lets steam out"] == [key.says for key in keys]
    assert [NODEFAULT, 5.0, False] == [key.default for key in keys]
    assert [int, float, bool] == [key.rule.takes for key in keys]


def test_a_section_holds_what_its_rules_have_read() -> None:
    oven = Oven(degrees=200, after_s=3)

    assert isinstance(oven.after_s, float)


def test_a_section_of_nonsense_cannot_be_made() -> None:
    with pytest.raises(
        ValueError, match="degrees: 301 is out of range; write a whole number from 1"
    ):
        Oven(degrees=301)


def test_tables_are_read_whether_written_or_made() -> None:
    made = Oven(degrees=100)

    rows = OVENS.admit("oven", [{"degrees": 200, "open": True}, made])

    assert (Oven(200, open=True), made) == rows


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "oven: a table is not a list of tables; write [[oven]]"),
        ([{}] * 4, "oven: it has 4 tables, more than 3; write [[oven]]"),
        (["hot"], 'oven[1]: "hot" is not a table; write KEY = VALUE in it'),
        ([{"degress": 1}], 'oven[1].degress: unknown key; the nearest known key is "degrees"'),
        ([{"open": True}], "oven[1].degrees: it is missing; write a whole number from 1 to 300"),
        (
            [{"degrees": 1}, {"degrees": 0}],
            "oven[2].degrees: 0 is out of range; write a whole number from 1 to 300",
        ),
        (
            [{"degrees": 1}, {"degrees": 2}, {"degrees": 1}],
            "oven[3].degrees: 1 stands in table 1 already; keep one of the two",
        ),
    ],
)
def test_mistakes_in_tables_name_the_table_and_the_key(written: object, said: str) -> None:
    with pytest.raises(SettingError) as refused:
        OVENS.admit("oven", written)

    assert said == str(refused.value)
