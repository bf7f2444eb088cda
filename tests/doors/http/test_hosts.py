"""Where requests come from."""

import pytest

from ringback.doors.http.hosts import is_cross_site, names_loopback


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True),
        ("LOCALHOST:8025", True),
        ("127.0.0.1:8025", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("[::1]:8025", True),
        ("localhost:", False),
        ("localhost:80x", False),
        ("evil.example:8025", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_only_what_no_dns_redirects_names_this_machine(host: str, ours: bool) -> None:
    assert ours is names_loopback(host)


@pytest.mark.parametrize(
    ("method", "site", "refused"),
    [
        ("POST", "cross-site", True),
        ("DELETE", "same-site", True),
        ("POST", "same-origin", False),
        ("POST", "none", False),
        ("POST", "", False),
        ("GET", "cross-site", False),
    ],
)
def test_another_sites_page_may_not_change_anything(method: str, site: str, refused: bool) -> None:
    assert refused is is_cross_site(method, site)
