"""Who calls."""

import pytest

from ringback.rules.callbacks import Asked, Callback, Ground, Maker
from ringback.rules.callers import MAX_EXAMPLES, MAX_NAMES, Callers, Others
from ringback.rules.spotting import Bounce
from ringback.wire.maillog import LoggedClient

HOUR_S = 3_600


def organisation_of(host: str) -> str:
    return ".".join(host.split(".")[-2:])


def callback(
    at: float = 0.0,
    ip: str = "192.0.2.1",
    name: str = "",
    ground: Ground = Ground.ASKED_AND_LEFT,
    asked: tuple[Asked, ...] = (),
) -> Callback:
    client = LoggedClient(ip, name, f"helo of {ip}")
    return Callback(at, client, ground, Maker.UNKNOWN, "", asked, unnamed=1)


def callers(*sightings: Callback | Bounce) -> Callers:
    counted = Callers(organisation_of)
    for sighting in sightings:
        counted.hear(sighting)
    return counted


def test_a_caller_is_an_organisation_or_a_network() -> None:
    seen = callers(
        callback(name="mx1.caller.example"),
        callback(name="mx2.caller.example"),
        callback(ip="192.0.2.1"),
        callback(ip="192.0.2.200", name="localhost"),
        callback(ip="2001:db8::1"),
    ).seen()

    assert {"caller.example": 2, "192.0.2.0/24": 2, "2001:db8::/48": 1} == {
        caller.name: caller.sessions for caller in seen.callers
    }


def test_what_it_did_is_counted() -> None:
    ann, eve = Asked("ann@ours"), Asked("eve@ours", 550, missing=True)
    control = Asked("mx-1795262400-testing@ours", 550, missing=True)
    seen = callers(
        callback(at=HOUR_S + 5, asked=(ann, control)),
        callback(at=5, asked=(ann, eve)),
        callback(at=6, asked=(eve, Asked("local"))),
        callback(at=7, ground=Ground.REFUSED),
    ).seen()
    (caller,) = seen.callers

    assert (4, 3) == (caller.sessions, caller.certain)
    assert (5, HOUR_S + 5) == (caller.first_at, caller.last_at)
    assert (2, 1, False) == (caller.recipients, caller.missing, caller.at_least)
    assert (3, 0) == (caller.peak, caller.peak_at)
    assert 4 + 3 == caller.accepted
    assert {Ground.ASKED_AND_LEFT: 3, Ground.REFUSED: 1} == caller.grounds
    assert (("192.0.2.1",), (), ("helo of 192.0.2.1",), ("",)) == (
        caller.ips,
        caller.hosts,
        caller.helos,
        caller.senders,
    )


def test_the_certain_and_the_busiest_come_first() -> None:
    seen = callers(
        callback(name="a.few"),
        *[callback(name="a.likely", ground=Ground.REFUSED)] * 9,
        *[callback(name="a.many")] * 3,
        callback(name="b.few"),
    ).seen()

    assert ["a.many", "a.few", "b.few", "a.likely"] == [caller.name for caller in seen.callers]


def test_who_brings_bounces_and_was_refused_is_set_aside() -> None:
    bounce = Bounce(0, LoggedClient("192.0.2.9"))
    likely = callback(ground=Ground.REFUSED)
    seen = callers(bounce, likely, likely).seen()

    assert () == seen.callers
    assert [("192.0.2.0/24", 2)] == [(one.name, one.sessions) for one in seen.bouncing]


def test_who_was_put_off_without_a_name_and_brings_bounces_under_one_is_set_aside() -> None:
    bounce = Bounce(0, LoggedClient("192.0.2.1", "mta.corp.example"))
    seen = callers(bounce, callback(ground=Ground.REFUSED)).seen()

    assert ((), 1) == (seen.callers, len(seen.bouncing))


def test_who_asks_as_no_bounce_would_is_not_set_aside() -> None:
    bounce = Bounce(0, LoggedClient("192.0.2.9"))
    (caller,) = callers(bounce, callback(ground=Ground.SENDER_UNSURE)).seen().callers

    assert (0, 1) == (caller.certain, caller.bounces)


def test_who_was_put_off_under_a_name_and_brings_bounces_without_is_set_aside() -> None:
    bounce = Bounce(0, LoggedClient("192.0.2.1"))
    likely = callback(name="mta.corp.example", ground=Ground.REFUSED)
    seen = callers(bounce, bounce, likely).seen()

    assert ((), [2]) == (seen.callers, [one.bounces for one in seen.bouncing])


def test_others_are_counted() -> None:
    (caller,) = callers(callback(), callback()).seen().callers

    assert Others(3, 6) == Others(1, 2).plus([caller, caller])


def test_a_network_is_known_from_a_name() -> None:
    seen = callers(callback(), callback(name="mailgw"), callback(name="mx.a.example")).seen()

    assert {"192.0.2.0/24": True, "a.example": False} == {
        one.name: one.is_network for one in seen.callers
    }


def test_of_who_brings_bounces_and_asks_for_sure_only_that_is_shown() -> None:
    bounce = Bounce(0, LoggedClient("192.0.2.9"))
    eve, ann = Asked("eve@ours", 550, missing=True), Asked("ann@ours")
    likely = [callback(ground=ground, asked=(eve,)) for ground in (Ground.REFUSED, Ground.LOST)]
    seen = callers(bounce, *likely, callback(at=9, asked=(ann,)), callback(at=10)).seen()
    (caller,), (bouncing,) = seen.callers, seen.bouncing

    assert (2, 2, 1) == (caller.sessions, caller.certain, caller.bounces)
    assert (9, 10, 1, 0) == (
        caller.first_at,
        caller.last_at,
        caller.recipients,
        caller.missing,
    )
    assert (2, {Ground.REFUSED: 1, Ground.LOST: 1}) == (bouncing.sessions, bouncing.grounds)


def test_what_is_kept_of_one_is_bounded() -> None:
    (caller,) = callers(*(callback(ip=f"192.0.2.{number}") for number in range(99))).seen().callers

    assert (99, MAX_NAMES, MAX_EXAMPLES) == (
        caller.sessions,
        len(caller.ips),
        len(caller.examples),
    )


def test_of_too_many_callers_the_smallest_are_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringback.rules.callers.MAX_CALLERS", 4)
    counted = callers(*[callback(name="the.many")] * 5)
    for number in range(10):
        counted.hear(callback(name=f"a.few{number}", asked=(Asked(f"{number}@ours"),)))
    seen = counted.seen()

    assert "the.many" == seen.callers[0].name
    assert 15 == sum(caller.sessions for caller in seen.callers) + seen.dropped.sessions
    assert seen.dropped.callers == seen.dropped.sessions


def test_too_many_recipients_are_not_counted_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ringback.rules.callers.MAX_RECIPIENTS", 2)
    (caller,) = callers(*(callback(asked=(Asked(f"{n}@ours"),)) for n in range(5))).seen().callers

    assert (2, True) == (caller.recipients, caller.at_least)


def test_too_many_who_bounce_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringback.rules.callers.MAX_BOUNCERS", 2)
    counted = callers(*(Bounce(0, LoggedClient(f"192.0.{n}.1")) for n in range(3)))
    for number in range(3):
        counted.hear(callback(ip=f"192.0.{number}.2", ground=Ground.REFUSED))

    assert ["192.0.0.0/24"] == [caller.name for caller in counted.seen().callers]
