"""Addresses that may never be called, and how an operator allows one."""

from ipaddress import ip_address

import pytest

from ringback.rules.networks import bearer, forbidden, parse_host, parse_networks, plain


@pytest.mark.parametrize(
    ("ip", "kind"),
    [
        ("0.0.0.0", "unspecified"),
        ("0.255.255.255", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("fc00::1", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "site-local"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("192.0.0.8", "protocol assignments"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "protocol assignments"),
        ("192.88.99.1", "6to4 relays"),
        ("198.18.0.1", "benchmarking"),
        ("198.19.255.255", "benchmarking"),
        ("64:ff9b:1::808:808", "local NAT64"),
        ("100::1", "discard"),
        ("240.0.0.1", "reserved"),
        ("::8.8.8.8", "not global unicast"),
        ("5f00::1", "not global unicast"),
        ("4000::1", "not global unicast"),
    ],
)
def test_reserved_address_is_forbidden_and_its_kind_named(ip: str, kind: str) -> None:
    reason = forbidden(ip)

    assert reason is not None
    assert reason.endswith(f"may not be called: {kind}")


@pytest.mark.parametrize(
    "ip",
    [
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "203.0.113.9",
        "2606:4700::1111",
        "2001:200::1",
        "2001:db8::1",
    ],
)
def test_other_addresses_may_be_called(ip: str) -> None:
    assert forbidden(ip) is None


@pytest.mark.parametrize(
    ("ip", "carried"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:0:0", "0.0.0.0"),
        ("64:ff9b::10.0.0.1", "10.0.0.1"),
        ("64:ff9b::a9fe:a9fe", "169.254.169.254"),
        ("2002:7f00:1::1", "127.0.0.1"),
        ("2002:c0a8:101::", "192.168.1.1"),
        ("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "255.255.255.255"),
    ],
)
def test_address_that_carries_a_reserved_one_is_forbidden(ip: str, carried: str) -> None:
    reason = forbidden(ip)

    assert reason is not None
    assert reason.startswith(f"{carried} is in a network")


@pytest.mark.parametrize("ip", ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"])
def test_address_that_carries_an_ordinary_one_may_be_called(ip: str) -> None:
    assert forbidden(ip) is None


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "010.0.0.1", "8.8.8.8/32", "1.2.3.4 "])
def test_what_is_no_address_is_forbidden(text: str) -> None:
    assert forbidden(text) == "not an IP address"


@pytest.mark.parametrize(
    "ip", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::"]
)
def test_allowed_network_lifts_every_form_of_its_addresses(ip: str) -> None:
    assert forbidden(ip, parse_networks(["10.1.0.0/16"])) is None


def test_allowed_network_lifts_nothing_beside_it() -> None:
    allowed = parse_networks(["10.1.0.0/16", "::1/128"])

    assert forbidden("10.2.0.1", allowed) is not None
    assert forbidden("127.0.0.1", allowed) is not None
    assert forbidden("::1", allowed) is None


@pytest.mark.parametrize("ip", ["203.0.113.9", "::ffff:203.0.113.9", "2002:cb00:7109::1"])
def test_own_address_is_forbidden_in_every_form(ip: str) -> None:
    own = {ip_address("203.0.113.9")}

    assert forbidden(ip, own=own) == "203.0.113.9 is our own address"
    assert forbidden("203.0.113.10", own=own) is None


def test_own_address_is_lifted_only_by_its_own_name() -> None:
    own = {ip_address("10.0.0.5"), ip_address("fd00::5")}

    assert forbidden("10.0.0.5", parse_networks(["10.0.0.0/8"]), own) is not None
    assert forbidden("10.0.0.5", parse_networks(["10.0.0.0/8", "10.0.0.5"]), own) is None
    assert forbidden("fd00::5", parse_networks(["fd00::5/128"]), own) is None


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "private", ""])
def test_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_networks([text])


@pytest.mark.parametrize(
    ("ip", "spelled"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("0:0:0:0:0:FFFF:C000:0207", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("64:ff9b::c000:207", "64:ff9b::c000:207"),
        ("mx.shop.example", "mx.shop.example"),
    ],
)
def test_an_address_has_one_spelling(ip: str, spelled: str) -> None:
    assert spelled == plain(ip)


@pytest.mark.parametrize(
    ("ip", "borne_by"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("64:ff9b::192.0.2.7", "192.0.2.7"),
        ("2002:c000:207::1", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("unknown", "unknown"),
    ],
)
def test_who_carries_an_ipv4_address_is_borne_by_its_host(ip: str, borne_by: str) -> None:
    assert borne_by == bearer(ip)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("64:ff9b::c000:201", "64:ff9b::c000:201"),  # another host answers for that one
    ],
)
def test_a_mapped_address_is_its_ipv4_hosts(text: str, host: str) -> None:
    assert ip_address(host) == parse_host(text)


def test_what_is_no_address_is_no_host() -> None:
    with pytest.raises(ValueError, match="unknown"):
        parse_host("unknown")
