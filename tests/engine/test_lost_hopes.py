"""Where others need not wait for what one has waited for in vain."""

import pytest

from ringback.engine import lost_hopes
from ringback.engine.lost_hopes import LostHopes
from ringback.values.query import Report
from ringback.values.verdict import Reason


def told(reason: Reason, callouts: int = 1) -> Report:
    return Report("a@x.example", reason, True, 1.0, "so", callouts=callouts)


def test_a_host_that_made_one_wait_in_vain_is_known_by_all_its_domains() -> None:
    subject = LostHopes()
    subject.note(told(Reason.GREYLISTED), ("x.example", "192.0.2.1"))

    assert subject.has_any(("y.example", "192.0.2.1"))
    assert subject.has_any(("x.example", "192.0.2.2"))
    assert not subject.has_any(("y.example",))


def test_until_it_answers_somebody() -> None:
    subject = LostHopes()
    subject.note(told(Reason.GREYLISTED), ("x.example", "192.0.2.1"))
    subject.note(told(Reason.ACCEPTED, callouts=0), ("y.example", "192.0.2.1"))

    assert subject.has_any(("y.example", "192.0.2.1"))

    subject.note(told(Reason.ACCEPTED), ("y.example", "192.0.2.1"))
    assert not subject.has_any(("y.example", "192.0.2.1"))
    assert subject.has_any(("x.example", "192.0.2.1"))


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_hopes, "MAX_GIVEN_UP", 1)
    subject = LostHopes()
    for domain in ("x.example", "y.example"):
        subject.note(told(Reason.RATE_LIMITED), (domain,))

    assert (True, False) == (subject.has_any(("x.example",)), subject.has_any(("y.example",)))
