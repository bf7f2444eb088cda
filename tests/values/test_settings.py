"""The settings: their defaults, and what only a whole section can say."""

from dataclasses import fields
from typing import Any

import pytest

from ringback.errors import SettingError
from ringback.values.section import Section, keys_of
from ringback.values.settings import (
    Ages,
    Cache,
    Etiquette,
    Http,
    Method,
    Policy,
    Recipient,
    RecipientRoute,
    RouteTls,
    Settings,
    Smtp,
    StoreSettings,
)

SECTIONS = [getattr(Settings(), part.name) for part in fields(Settings)]


@pytest.mark.parametrize("section", [*SECTIONS, Ages(1, 2)], ids=lambda made: type(made).__name__)
def test_every_key_has_a_line_in_the_manual(section: Section) -> None:
    says = [key.says for key in keys_of(type(section))]

    assert says
    assert all(line and not line.endswith(".") for line in says)


def test_words_become_members_of_their_sets() -> None:
    written: dict[str, Any] = {"method": "vrfy"}

    assert Method.VRFY is Smtp(**written).method


def test_lists_become_tuples() -> None:
    written: dict[str, Any] = {"listen": ["127.0.0.1:10040", "unix:/run/ringback"]}

    assert ("127.0.0.1:10040", "unix:/run/ringback") == Policy(**written).listen


def test_the_same_pause_may_stand_twice_among_rechecks() -> None:
    assert (60.0, 60.0) == Etiquette(recheck_after_s=(60, 60)).recheck_after_s


def test_nothing_is_believed_for_longer_after_its_refresh_than_at_all() -> None:
    with pytest.raises(SettingError) as refused:
        Ages(refresh_s=10, expire_s=5)

    assert "refresh_s: 10 is more than expire, 5; ask again before it expires" == str(refused.value)


def test_ages_are_written_as_pairs() -> None:
    written: dict[str, Any] = {"unknown": [60, 600]}

    assert Ages(60.0, 600.0) == Cache(**written).unknown


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (600, "600 is not a pair of durations"),
        ([600], "a list is not a pair of durations"),
        ([600, 60], "600 is more than expire, 60"),
        ([-1, 60], "-1 is out of range"),
        (["1h", 60], '"1h" is not a number of seconds'),
    ],
)
def test_other_pairs_are_refused(written: object, problem: str) -> None:
    given: dict[str, Any] = {"unknown": written}
    with pytest.raises(SettingError) as refused:
        Cache(**given)

    assert ("unknown", problem) == (refused.value.key, refused.value.problem)
    assert "write [refresh, expire] in seconds, refresh no more than expire" == refused.value.remedy


@pytest.mark.parametrize(
    "listen",
    ["", "127.0.0.1:8025", "[::1]:8025", "localhost:8025", "unix:/run/ringback/http"],
)
def test_http_on_loopback_needs_no_tokens(listen: str) -> None:
    assert listen == Http(listen=listen).listen


def test_http_for_others_needs_tokens() -> None:
    with pytest.raises(SettingError) as refused:
        Http(listen="0.0.0.0:8025")

    assert "listen" == refused.value.key
    assert "0.0.0.0:8025" == Http(listen="0.0.0.0:8025", tokens_file="/etc/tokens").listen


def test_a_domain_has_one_route() -> None:
    routes = (
        RecipientRoute("a.example", ("10.0.0.1",)),
        RecipientRoute("A.example", ("10.0.0.2",)),
    )
    with pytest.raises(SettingError) as refused:
        Recipient(route=routes)

    assert 'route[2].domain: "a.example" stands in table 1 already; keep one of the two' == str(
        refused.value
    )


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/ringback.db", "/var/lib/ringback.db"),
        ("memory:", None),
        ("postgresql://host/name", None),
    ],
)
def test_only_an_sqlite_store_has_a_file(url: str, path: str | None) -> None:
    assert path == StoreSettings(url=url).sqlite_path


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"username": "gateway"}, "password_file: it is missing"),
        ({"password_file": "/etc/it"}, "username: it is missing"),
        (
            {"username": "gateway", "password_file": "/etc/it", "tls": "never"},
            "tls: the password would travel in clear",
        ),
        ({"username": "g" * 121}, "username: "),
        ({"host": []}, "host: it is empty"),
        ({"host": ["10.0.0.1"] * 2}, 'host: "10.0.0.1" stands there twice'),
    ],
)
def test_a_route_refuses_what_does_not_go_together(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        RecipientRoute(**{"domain": "a.example", "host": ("10.0.0.1",), **more})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "unix:/run/lmtp"])
def test_a_password_may_go_in_clear_within_this_machine(host: str) -> None:
    route = RecipientRoute(
        "a.example", (host,), tls=RouteTls.NEVER, username="gateway", password_file="/etc/it"
    )

    assert (host,) == route.host


def test_a_route_may_name_one_host_alone() -> None:
    given: dict[str, Any] = {"domain": "a.example", "host": "mx:Inside.example"}

    assert ("mx:inside.example",) == RecipientRoute(**given).host
