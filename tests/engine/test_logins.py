"""Logins that were refused: how long they rest, and for whom."""

import pytest

from fakes import FakeClock
from ringback.engine.logins import REST_S, Logins
from ringback.values.endpoint import Endpoint, Login, Manner
from ringback.values.evidence import Exchange, Stage

HOST = Endpoint("mx.ours.example", "10.0.0.1", 25)
MANNER = Manner(login=Login("ringback", "wrong"))


def said(code: int, stage: Stage = Stage.AUTH) -> Exchange:
    return Exchange(0.0, stage, 1, code=code)


def test_what_was_refused_rests_for_a_while() -> None:
    clock = FakeClock()
    logins = Logins(clock)
    logins.note(HOST, MANNER, [said(220, Stage.GREETING), said(334), said(535)])
    at_once = logins.refusal(HOST, MANNER)
    clock.advance(REST_S)

    assert at_once and (535, 0) == (at_once.code, at_once.connection)
    assert logins.refusal(HOST, MANNER) is None


@pytest.mark.parametrize("last", [said(235), said(454), said(550, Stage.RCPT)])
def test_nothing_else_that_is_said_makes_it_rest(last: Exchange) -> None:
    logins = Logins(FakeClock())
    logins.note(HOST, MANNER, [last])

    assert logins.refusal(HOST, MANNER) is None


def test_one_that_is_let_in_rests_no_longer() -> None:
    logins = Logins(FakeClock())
    logins.note(HOST, MANNER, [said(535)])
    logins.note(HOST, MANNER, [said(235)])

    assert logins.refusal(HOST, MANNER) is None


def test_another_login_or_host_does_not_rest() -> None:
    logins = Logins(FakeClock())
    logins.note(HOST, MANNER, [said(535)])
    other = Endpoint(HOST.host, "10.0.0.2", HOST.port)

    assert logins.refusal(HOST, Manner(login=Login("ringback", "right"))) is None
    assert logins.refusal(other, MANNER) is None


def test_a_password_is_not_shown() -> None:
    logins = Logins(FakeClock())
    logins.note(HOST, MANNER, [said(535)])

    assert "wrong" not in repr(vars(logins))
