"""What is logged, counted and audited."""

from typing import get_args

from msgspec.structs import fields

from ringback.values import events
from ringback.values.record import Record


def test_every_event_is_of_the_closed_set() -> None:
    declared = {
        thing
        for thing in vars(events).values()
        if isinstance(thing, type)
        and issubclass(thing, Record)
        and thing.__module__ == events.__name__
    }

    assert set(get_args(events.Event)) == declared


def test_durations_say_their_unit() -> None:
    timed = {
        field.name
        for kind in get_args(events.Event)
        for field in fields(kind)
        if field.type is float
    }

    assert all(name.endswith(("_s", "_at")) for name in timed)


def test_a_bug_is_told_with_the_place_where_it_happened() -> None:
    try:
        raise ValueError("seven")
    except ValueError as error:
        trouble = events.Trouble.of_bug("policy", error)

    assert ("policy", "ValueError('seven')") == (trouble.where, trouble.what)
    assert "report" in trouble.remedy
    assert "test_events.py" in trouble.trace


def test_trouble_may_lack_a_remedy() -> None:
    assert events.Trouble("store", "the disk is full").remedy == ""
