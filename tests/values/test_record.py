"""What values are made of."""

import gc

import msgspec
import pytest

from ringback.values.record import Record


class Point(Record, frozen=True):
    x: int
    y: int = 0


def test_a_record_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]

    assert 1 == point.x


def test_a_changed_one_is_another() -> None:
    point = Point(1, 2)

    assert Point(3, 2) == point.but(x=3)
    assert Point(1, 2) == point
    with pytest.raises(TypeError):
        point.but(z=3)


def test_fields_are_found_among_other_values() -> None:
    assert Point(1) == Point.among({"x": 1, "z": 3})
    for values in ({"y": 1}, {"x": "1"}):
        with pytest.raises(msgspec.ValidationError):
            Point.among(values)


def test_equal_records_are_one_key_and_no_work_for_the_collector() -> None:
    assert 1 == len({Point(1, 2), Point(1, 2)})
    assert not gc.is_tracked(Point(1, 2))
