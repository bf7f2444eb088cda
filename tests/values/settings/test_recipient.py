"""Routes of recipients: what only a whole route, or all of them, can say."""

from typing import Any

import pytest

from ringback.errors import SettingError
from ringback.values.settings import Recipient, RecipientRoute, RouteTls


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
