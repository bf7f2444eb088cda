"""Which domains are registered, by the list of public suffixes."""

import pytest
from publicsuffixlist import PublicSuffixList

from ringback.suffixes import registered


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("mx.shop.com", "shop.com"),
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("co.uk", None),
        ("a.b.shop.kawasaki.jp", "b.shop.kawasaki.jp"),  # any name below is a suffix
        ("a.city.kawasaki.jp", "city.kawasaki.jp"),  # but this one
        ("a.laden.xn--55qx5d.cn", "laden.xn--55qx5d.cn"),  # a suffix beyond ASCII
        ("a.shop.xn--p1ai", "shop.xn--p1ai"),  # a top-level domain beyond ASCII
        ("a.shop.xn--mgbai9azgqp6j", "shop.xn--mgbai9azgqp6j"),
        ("a.shop.test", "shop.test"),  # not in the list
        ("a.shop.xn--nowhere", "shop.xn--nowhere"),
        ("test", None),
        ("a..shop.test", None),
        ("", None),
    ],
)
def test_the_list_says_what_is_registered(domain: str, expected: str | None) -> None:
    assert expected == registered(domain)


@pytest.mark.slow
def test_parts_of_the_list_say_what_all_of_it_does() -> None:
    whole = PublicSuffixList()
    rules = (rule.lstrip("!").replace("*.", "any.") for rule in whole._publicsuffix)
    names = [f"a.b.{rule}" for rule in rules if rule.isascii()]

    assert [whole.privatesuffix(name) for name in names] == [registered(name) for name in names]
