"""Who is told of events, where some who hear of them are broken."""

from ringback.doors.telling import Telling
from ringback.values.events import CalledOut, Event, Trouble

ANN = CalledOut("ann@shop.example", "sender", 1, ("mx.example",), "accepted", "a rule", 0.5)
BOB = CalledOut("bob@shop.example", "sender", 1, ("mx.example",), "accepted", "a rule", 0.5)


class Broken:
    """Breaks at all that is about ann, and hears the rest."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    def hear(self, event: Event) -> None:
        if event == ANN:
            raise KeyError("ann")
        self.heard.append(event)


def test_all_are_told_at_once_and_in_order() -> None:
    one, other = list[Event](), list[Event]()
    telling = Telling(one.append, other.append)
    telling.hear(ANN)
    at_once = one.copy()
    telling.hear(BOB)

    assert [ANN] == at_once
    assert [ANN, BOB] == one == other


def test_a_bug_of_one_costs_nobody_else_anything_and_is_told_to_the_others() -> None:
    before, broken, after = list[Event](), Broken(), list[Event]()
    telling = Telling(before.append, broken.hear, after.append)
    for event in (ANN, BOB):
        telling.hear(event)
    (trouble,) = (event for event in before if isinstance(event, Trouble))

    assert ("events", "KeyError('ann')") == (trouble.where, trouble.what)
    assert "Traceback" in trouble.trace
    assert [ANN, trouble, BOB] == before
    assert [trouble, ANN, BOB] == after
    assert [BOB] == broken.heard


def test_where_all_are_broken_whoever_tells_them_is_not() -> None:
    heard: list[type[Event]] = []

    def hear(event: Event) -> None:
        heard.append(type(event))
        raise KeyError(event)

    Telling(hear, Broken().hear).hear(ANN)

    assert [CalledOut, Trouble] == heard
