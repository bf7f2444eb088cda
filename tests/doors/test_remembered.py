"""What is remembered, found and told."""

import pytest

from fakes import FakeHost, FakeOutside
from ringback.doors.remembered import encode_entry, encode_fact, parse_pattern, search
from ringback.errors import UsageError


@pytest.mark.parametrize(
    ("pattern", "spelled"),
    [
        ("Ann@Shop.Example", "Ann@shop.example"),
        ("Shop.Example", "shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_a_pattern_is_spelled_as_the_store_does(pattern: str, spelled: str) -> None:
    assert parse_pattern(pattern) == spelled


@pytest.mark.parametrize(
    ("pattern", "what"), [("not a domain", "not a domain: .*"), ("", "an empty pattern")]
)
def test_what_is_no_pattern_says_what_is(pattern: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"^{what}; name an address, a domain or a host's IP"):
        parse_pattern(pattern)


async def test_an_address_comes_with_what_is_known_of_its_domain_and_hosts() -> None:
    outside = FakeOutside()
    outside.host("shop.example", FakeHost({"ann@shop.example"}))
    await outside.verifier().verify("ann@shop.example")

    found = await search(outside.store, "ann@shop.example", 10)
    entry = encode_entry(found.entries[0], outside.settings(), outside.clock.now())
    facts = [encode_fact(fact, outside.clock.now()) for fact in found.facts]

    assert ("ann@shop.example", "deliverable", "fresh") == (
        entry["address"],
        entry["verdict"],
        entry["state"],
    )
    assert [("shop.example", "selective", False)] == [
        (fact["subject"], fact["kind"], fact["expired"]) for fact in facts
    ]
