"""Who is judged by SPF, and which names the DNS is asked for."""

from ipaddress import ip_address

import pytest

from ringback.rules.spf_identity import (
    UNKNOWN,
    Identity,
    belongs_to_owner,
    choose_name,
    identify,
    is_askable,
    is_domain,
    is_near,
    is_within,
    parse_client,
    parse_ip,
)
from ringback.rules.spf_macros import parse_domain_spec

IPV4, IPV6 = "192.0.2.3", "2001:db8::1"


def identity(sender: str, helo: str = "mail.example") -> tuple[str, str]:
    found = identify(IPV4, sender, helo)
    return found.local, found.domain


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("ann@shop.example", ("ann", "shop.example")),
        ("Ann@Shop.Example.", ("Ann", "Shop.Example")),
        ('"a@b"@shop.example', ('"a@b"', "shop.example")),
        ("@shop.example", ("postmaster", "shop.example")),
        ("shop.example", ("postmaster", "shop.example")),
        ("", ("postmaster", "mail.example")),
        ("<>", ("postmaster", "mail.example")),
        ("ann@bücher.example", ("ann", "xn--bcher-kva.example")),
        ("ann@büch er.example", ("ann", "")),
        ("ann@example", ("ann", "")),
        ("ann@[192.0.2.3]", ("ann", "")),
        ("ann@192.0.2.3", ("ann", "")),
        ("ann@a..example", ("ann", "")),
        ("ann@" + "a" * 64 + ".example", ("ann", "")),
        ("ann@shop\n.example", ("ann", "")),
        ("a" * 500 + "@shop.example", ("postmaster", "")),
    ],
)
def test_senders(sender: str, expected: tuple[str, str]) -> None:
    assert identity(sender) == expected


def test_a_greeting_longer_than_a_name_is_none() -> None:
    found = identify(IPV4, "", "a." * 200 + "example")

    assert found == Identity(ip_address(IPV4), "postmaster", "", "")


def test_the_client() -> None:
    assert parse_client(IPV4) == ip_address(IPV4)
    assert parse_client(f"::FFFF:{IPV4}") == ip_address(IPV4)
    assert parse_client("fe80::1%eth0") == ip_address("fe80::1")
    with pytest.raises(ValueError, match="unknown"):
        parse_client("unknown")


def test_what_macros_stand_for() -> None:
    ipv4 = identify(IPV4, "ann@shop.example", "Mail.example").values
    ipv6 = identify(IPV6, "", "mail.example").values

    assert ipv4 == {
        "s": "ann@shop.example",
        "l": "ann",
        "o": "shop.example",
        "i": IPV4,
        "v": "in-addr",
        "h": "Mail.example",
    }
    assert ipv6["i"] == "2.0.0.1.0.D.B.8." + "0." * 23 + "1"
    assert ipv6["v"] == "ip6"
    assert ipv6["s"] == "postmaster@mail.example"


@pytest.mark.parametrize("name", ["a.example", "_spf.b_c.example", "foo:bar/baz.example", "a b.c"])
def test_names_of_records(name: str) -> None:
    assert is_domain(name)


@pytest.mark.parametrize("name", ["example", "[192.0.2.3]", "192.0.2.3"])
def test_names_that_may_be_asked_for_but_have_no_record(name: str) -> None:
    assert is_askable(name)
    assert not is_domain(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "a..b", ".b", "b.", "é.b", "a\\.b", "a\x00.b", "a" * 64 + ".b", "a." * 127 + "b"],
)
def test_names_that_cannot_be_asked_for(name: str) -> None:
    assert not is_askable(name)
    assert not is_domain(name)


def test_names_below_others() -> None:
    assert is_within("Mail.Shop.example", "shop.EXAMPLE")
    assert is_within("shop.example", "shop.example")
    assert not is_within("bookshop.example", "shop.example")


def test_the_name_for_the_macro_is_rather_the_domains_own() -> None:
    names = ["host.example", "mail.shop.example", "Shop.example"]

    assert choose_name(names, "shop.example") == "Shop.example"
    assert choose_name(names[:2], "shop.example") == "mail.shop.example"
    assert choose_name(names[:1], "shop.example") == "host.example"
    assert choose_name([], "shop.example") == UNKNOWN


def test_addresses_near_the_client() -> None:
    client = ip_address(IPV4)

    assert is_near(client, ["nonsense", IPV6, "192.0.2.99"], 24)
    assert not is_near(client, ["192.0.2.99"], 32)
    assert not is_near(client, [IPV6, f"::ffff:{IPV4}"], 0)
    assert is_near(ip_address(IPV6), ["2001:db8:ffff::"], 32)
    assert not is_near(client, [], 0)
    assert parse_ip("nonsense") is None


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("b.example", True),
        ("%{h}.b.example", True),
        ("_spf.%{d}", True),
        ("_spf.%{o2}", True),
        ("%{i}", True),
        ("%{h}", False),
        ("a.%{p2}", False),
        ("a.%{l}", False),
        ("%{sr}", False),
    ],
)
def test_whose_name_it_is(spec: str, expected: bool) -> None:
    assert belongs_to_owner(parse_domain_spec(spec)) is expected


def test_without_a_name_it_is_the_owners_own() -> None:
    assert belongs_to_owner(None)
