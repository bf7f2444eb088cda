"""Counts of a replay: the busiest, the hour, first contacts; all of it bounded."""

import pytest

from ringback.lab import tally
from ringback.lab.schedules import DAY_S, HOUR_S
from ringback.lab.tally import Busy, CallsByName, Could, InVain, PutOff, Senders
from ringback.rules.envelopes import Ending


def test_the_busiest_hour_is_any_60_minutes() -> None:
    calls = CallsByName()
    for at in (0.0, 1.0, HOUR_S, HOUR_S + 0.5, 5 * HOUR_S):
        calls.note("mx.a.example", at)
    calls.note("mx.b.example", 9.0)

    assert [Busy("mx.a.example", 5, 3), Busy("mx.b.example", 1, 1)] == calls.busiest(10)
    assert [Busy("mx.a.example", 5, 3)] == calls.busiest(1)
    assert (2, 3) == (len(calls), calls.busiest_hour)
    assert 0 == CallsByName().busiest_hour


def test_names_beyond_the_bound_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MAX_NAMES", 1)
    calls = CallsByName()
    for name in ("a.example", "b.example", "c.example", "a.example"):
        calls.note(name, 0.0)

    assert [Busy("a.example", 2, 2)] == calls.busiest(10)
    assert (1, 2) == (len(calls), calls.busiest_hour)


def test_a_first_contact_comes_back_or_does_not() -> None:
    put_off = PutOff()
    put_off.note("bot", 0.0, Ending.PUT_OFF)
    put_off.note("bot", 10.0, Ending.PUT_OFF)
    put_off.note("server", 0.0, Ending.PUT_OFF)
    put_off.note("spam", 0.0, Ending.TOO_LATE)
    put_off.note("taken", 0.0, Ending.TAKEN)
    put_off.note("weekly", 0.0, Ending.TAKEN)
    put_off.note_passed("server", 300.0)
    put_off.note_passed("weekly", 7 * DAY_S)
    put_off.note_passed("server", 400.0)
    put_off.note_passed("friend", 0.0)

    assert (5, 2, 2, 1) == (put_off.count, put_off.of_taken, put_off.came_back, put_off.gone)
    assert [300.0, 7 * DAY_S] == put_off.spans_s


def test_first_contacts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MAX_PUT_OFF", 1)
    monkeypatch.setattr(tally, "MAX_SPANS", 1)
    put_off = PutOff()
    for key in ("a", "b", "c"):
        put_off.note(key, 0.0, Ending.TAKEN)
        put_off.note_passed("b", 1.0)
    put_off.note_passed("a", 1.0)
    put_off.note_passed("c", 1.0)

    assert (3, 2, [1.0]) == (put_off.count, put_off.came_back, put_off.spans_s)


def test_what_was_put_off_and_taken_later_was_not_in_vain() -> None:
    in_vain = InVain()
    in_vain.note("greylisted", 1, Ending.PUT_OFF)
    in_vain.note("greylisted", 1, Ending.PUT_OFF)
    in_vain.note("spam", 1, Ending.TOO_LATE)
    in_vain.note("bot", 1, Ending.PUT_OFF)
    before = in_vain.count
    in_vain.note("greylisted", 1, Ending.TAKEN)
    in_vain.note("greylisted", 1, Ending.TAKEN)

    assert (4, 2) == (before, in_vain.count)


def test_what_may_be_taken_later_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MAX_PUT_OFF", 1)
    in_vain = InVain()
    for key in ("a", "b"):
        in_vain.note(key, 1, Ending.PUT_OFF)
    for key in ("a", "b"):
        in_vain.note(key, 0, Ending.TAKEN)

    assert 1 == in_vain.count


def test_a_sender_counts_once_by_the_most_that_might_become_of_his_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally, "MAX_NAMES", 3)
    senders = Senders()
    senders.note("ann@shop.example", Could.END_OTHERWISE)
    senders.note("Ann@shop.example", Could.NOTHING)
    senders.note("bob@shop.example", Could.NOTHING)
    senders.note("eve@shop.example", Could.NOTHING)
    senders.note("eve@shop.example", Could.BE_REFUSED)
    senders.note("one@too.many.example", Could.BE_REFUSED)

    assert (3, [3, 2, 1]) == (len(senders), [senders.count(could) for could in Could])
