"""How an operator's pattern is read."""

import pytest

from ringback.store import pattern


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Example.ORG", "example.org"),
        ("Jo@Example.ORG", "Jo@example.org"),
        ('"A@B"@Example.ORG', '"A@B"@example.org'),
        ("2001:DB8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_only_the_domain_is_lowered(given: str, expected: str) -> None:
    assert expected == pattern.parse(given)


def test_the_domain_follows_the_last_at_sign() -> None:
    assert "example.org" == pattern.domain_of('"a@b"@example.org')
    assert "[192.0.2.1]" == pattern.domain_of("a@[192.0.2.1]")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8:0::1", "2001:db8::1"), ("192.0.2", None), ("", None)],
)
def test_an_ip_address_is_spelled_as_usual(given: str, expected: str | None) -> None:
    assert expected == pattern.parse_ip(given)


def test_the_path_of_a_name_is_how_the_paths_below_it_begin() -> None:
    path = pattern.path_of("Example.ORG")
    end = pattern.path_end(path)
    names = (
        "example.org",
        "a.example.org",
        "a.b.example.org",
        "notexample.org",
        "org",
        "",
        "a.org",
    )
    paths = {name: pattern.path_of(name) for name in names}

    assert "org.example." == path
    below = {"example.org", "a.example.org", "a.b.example.org"}
    assert below == {name for name, found in paths.items() if found.startswith(path)}
    assert below == {name for name, found in paths.items() if path <= found < end}


def test_nothing_is_below_no_name() -> None:
    assert ("", "") == (pattern.path_of(""), pattern.path_end(""))
