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
