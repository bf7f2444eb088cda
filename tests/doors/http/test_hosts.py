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
    ("method", "site", "mode", "refused"),
    [
        ("POST", "cross-site", "navigate", True),
        ("DELETE", "same-site", "cors", True),
        ("POST", "same-origin", "navigate", False),
        ("POST", "none", "", False),
        ("POST", "", "", False),
        ("GET", "cross-site", "navigate", False),
        ("GET", "cross-site", "no-cors", True),
        ("GET", "same-site", "cors", True),
        ("GET", "same-origin", "no-cors", False),
    ],
)
def test_another_sites_page_may_lead_here_and_no_more(
    method: str, site: str, mode: str, refused: bool
) -> None:
    assert refused is is_cross_site(method, site, mode)
