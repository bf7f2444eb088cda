"""Which trouble reaches the log when it recurs with every message."""

from ringback.doors.resting import Resting
from ringback.rules.repeats import REPEAT_AFTER_S
from ringback.values.events import CalledOut, Event, Lifecycle, Trouble

ANN = CalledOut("ann@shop.example", "sender", 1, ("mx.example",), "accepted", "a rule", 0.5)
SOURCE = Trouble("source address", "cannot use 192.0.2.1 as source", "see the settings")


def hearing(*events: Event | float) -> list[Event]:
    """What is passed on of `events`; a number is a time that passes."""
    told, now = list[Event](), [0.0]
    resting = Resting(told.append, lambda: now[0])
    for event in events:
        if isinstance(event, float):
            now[0] += event
        else:
            resting.hear(event)
    return told


def test_the_same_trouble_is_told_once_a_minute_with_how_often() -> None:
    again = SOURCE.but(what=f"{SOURCE.what} (and 2 more like it since the last report)")

    assert [SOURCE, again] == hearing(SOURCE, SOURCE, SOURCE, REPEAT_AFTER_S, SOURCE)


def test_other_trouble_and_all_else_is_told_each_time() -> None:
    other = SOURCE.but(what="cannot use 2001:db8::1 as source")
    events = (ANN, SOURCE, ANN, other, ANN)

    assert [*events] == hearing(*events)


def test_who_reloads_hears_what_is_still_amiss() -> None:
    reload = Trouble("reload", "ringback.toml: no such file", "the old settings stay in force")
    once = (Lifecycle("reloading"), reload, Lifecycle("ready"))

    assert [*once, *once] == hearing(*once, *once)
