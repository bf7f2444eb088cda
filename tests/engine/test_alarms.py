"""Which callouts an operator hears of."""

import pytest

from ringback.engine.alarms import Alarms
from ringback.values.events import Event, Trouble
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.query import Purpose

SOURCE = Exchange(0.0, Stage.CONNECT, 1, fault=Fault.SOURCE_UNUSABLE, text="cannot use 192.0.2.1")
NO_TLS = Exchange(0.0, Stage.TLS, 1, "mx.ours.example", fault=Fault.TLS_FAILED, text="expired")
SAID = Exchange(0.0, Stage.RCPT, 1, "mx.ours.example", code=550)
LOGIN = Exchange(0.0, Stage.AUTH, 1, "mx.ours.example", code=535, text="wrong")


def told(*callouts: Exchange, purpose: Purpose = Purpose.RECIPIENT) -> list[str]:
    """What is told of callouts, each of one exchange."""
    events = list[Event]()
    alarms = Alarms(events.append)
    for said in callouts:
        alarms.raise_for(purpose, (said,))
    return [event.what for event in events if isinstance(event, Trouble)]


def test_each_callout_that_had_no_source_address_is_told() -> None:
    assert ["cannot use 192.0.2.1"] * 2 == told(SOURCE, SAID, SOURCE, purpose=Purpose.SENDER)


def test_a_route_without_tls_is_told_once_a_spell() -> None:
    without = "no TLS with mx.ours.example comes about: expired"

    assert [without] * 2 == told(NO_TLS, NO_TLS, SAID, NO_TLS)


def test_hosts_of_others_may_have_no_tls() -> None:
    assert [] == told(NO_TLS, purpose=Purpose.SENDER)


@pytest.mark.parametrize(
    ("login", "is_told"),
    [
        (LOGIN, True),
        (LOGIN.but(code=None, fault=Fault.TIMEOUT), True),
        (LOGIN.but(code=454), False),
        (LOGIN.but(connection=0), False),  # it rests
    ],
)
def test_a_login_that_was_tried_and_refused_is_told(login: Exchange, is_told: bool) -> None:
    assert is_told == bool(told(login))
