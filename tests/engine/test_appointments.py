"""Turns are given one after the other, to each holder's own time."""

import pytest

from ringback.engine import appointments
from ringback.engine.appointments import Appointments
from ringback.rules.lists import Wait

NOW = 1_000.0


def test_each_comes_one_spacing_after_the_one_before() -> None:
    subject = Appointments()
    host, other = Wait("host 192.0.2.1", 80.0), Wait("host 192.0.2.2", 60.0)

    assert [80.0, 160.0] == [subject.book_s(host, NOW) for _ in range(2)]
    assert 60.0 == subject.book_s(other, NOW)
    assert 160.0 == subject.last_s(NOW)


def test_turns_that_have_passed_do_not_count() -> None:
    subject = Appointments()
    subject.book_s(Wait("all", 10.0), NOW)

    assert 10.0 == subject.book_s(Wait("all", 10.0), 2_000.0)
    assert 0.0 == subject.last_s(3_000.0)
    assert 0.0 == Appointments().last_s(NOW)


def test_of_too_many_holders_the_one_whose_turns_end_first_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(appointments, "MAX_HOLDERS", 2)
    subject = Appointments()
    for holder, spacing_s in (("a", 20.0), ("b", 10.0), ("c", 30.0)):
        subject.book_s(Wait(holder, spacing_s), NOW)

    assert 40.0 == subject.book_s(Wait("a", 20.0), NOW)
    assert 10.0 == subject.book_s(Wait("b", 10.0), NOW)
