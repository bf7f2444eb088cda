"""Which names belong together; the list of public suffixes is a dictionary here."""

import pytest

from ringback.rules.organisation import organisation_by, share_organisation

REGISTERED = {"mx1.shop.example": "shop.example", "shop.example": "shop.example"}
organisation = organisation_by(REGISTERED.get)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mx1.shop.example", "shop.example"),
        ("MX1.Shop.Example.", "shop.example"),
        ("co.example", "co.example"),
    ],
)
def test_a_name_without_a_registered_domain_stands_for_itself(name: str, expected: str) -> None:
    assert expected == organisation(name)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("mx1.shop.example", "shop.example", True),
        ("mx1.shop.example", "co.example", False),
        ("", "", False),
        ("shop.example", "", False),
    ],
)
def test_only_names_that_are_given_share_anything(first: str, second: str, expected: bool) -> None:
    assert expected is share_organisation(first, second, organisation)
