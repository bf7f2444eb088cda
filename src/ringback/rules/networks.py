"""Which addresses may never be called (etiquette.md, last paragraph). Pure: callers pass what is allowed.

An MX record can name any address, so a stranger could aim us at our own network. The address that is
judged is the one connected, and a form of IPv6 that carries an IPv4 address is judged as the latter.
Networks for documentation are not listed: they lead nowhere, and laboratories use them as their Internet.
Not here: connecting (net/dial.py), and which host to call (rules/routes.py).
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network
IpAddress = IPv4Address | IPv6Address

# What a network is, and the networks of that kind: the IANA special-purpose registries (RFC 6890),
# as of 2026-11. The first that holds an address names it.
_RESERVED_TEXTS: dict[str, tuple[str, ...]] = {
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "carrier-grade NAT": ("100.64.0.0/10",),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "site-local": ("fec0::/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "broadcast": ("255.255.255.255/32",),
    "protocol assignments": ("192.0.0.0/24", "2001::/23"),  # the latter holds Teredo, ORCHID
    "6to4 relays": ("192.88.99.0/24",),
    "benchmarking": ("198.18.0.0/15",),
    "local NAT64": (
        "64:ff9b:1::/48",
    ),  # RFC 8215: where the IPv4 address stands is its owner's secret
    "discard": ("100::/64", "100:0:0:1::/64"),
    "reserved": ("240.0.0.0/4",),
}
_RESERVED = tuple(
    (ip_network(text), kind) for kind, texts in _RESERVED_TEXTS.items() for text in texts
)
_GLOBAL_IPV6 = IPv6Network("2000::/3")  # RFC 4291 section 2.4; nothing else is anybody's host

# (network, bits to the right of the IPv4 address that its members carry)
_EMBEDDING = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped, RFC 4291 section 2.5.5.2
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052 section 2.1
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056 section 2
)


# A callout looks at its host's address and its client's some twenty times.
MAX_REMEMBERED = 4_096


@lru_cache(MAX_REMEMBERED)
def parse_ip(text: str) -> IpAddress:
    """Read an address, the same one often. Raises ValueError."""
    return ip_address(text)


@lru_cache(MAX_REMEMBERED)
def parse_host(text: str) -> IpAddress:
    """Read an address as its host's own: an IPv4-mapped one is of IPv4 (RFC 4291 section 2.5.5.2).

    A dual-stack listener shows IPv4 clients in that form, and DNS may say it. Raises ValueError.
    """
    address = parse_ip(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks in CIDR form; an address alone is a network of one. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)


def forbidden(
    ip: str, allowed: Collection[Network] = (), own: Collection[IpAddress] = ()
) -> str | None:
    """Say why `ip` may not be called, or None if it may.

    A network in `allowed` lifts what is reserved within it. One of our `own` addresses is lifted by a
    network of just that address: who allows a whole network rarely means himself.
    """
    try:
        address, kind = _judged(ip)
    except ValueError:
        return "not an IP address"
    within = [network for network in allowed if address in network]
    if address in own and not any(network.num_addresses == 1 for network in within):
        return f"{address} is our own address"
    if within or kind is None:
        return None
    return f"{address} is in a network that may not be called: {kind}"


@lru_cache(MAX_REMEMBERED)
def _judged(ip: str) -> tuple[IpAddress, str | None]:
    """The address that would be called, and the kind of network that is not. Raises ValueError."""
    address = _carried(parse_ip(ip))
    return address, _reserved(address)


def plain(ip: str) -> str:
    """Spell an address as it is connected: one host has one spelling, or it would have several budgets.

    What is no address stands for itself.
    """
    try:
        return _plain(ip)
    except ValueError:
        return ip


@lru_cache(MAX_REMEMBERED)
def _plain(ip: str) -> str:
    return _same(ip, str(parse_host(ip)))


def bearer(ip: str) -> str:
    """The address that bears a call to `ip`: the IPv4 one, of a form of IPv6 that carries it."""
    try:
        return _bearer(ip)
    except ValueError:
        return ip


@lru_cache(MAX_REMEMBERED)
def _bearer(ip: str) -> str:
    return _same(ip, str(_carried(parse_ip(ip))))


def _same(ip: str, spelled: str) -> str:
    """One text for both where they are equal: ten thousand hosts may be waited for."""
    return ip if ip == spelled else spelled


def _carried(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv6Address):
        for network, shift in _EMBEDDING:
            if address in network:
                return IPv4Address(int(address) >> shift & 0xFFFF_FFFF)
    return address


def _reserved(address: IpAddress) -> str | None:
    for network, kind in _RESERVED:
        if address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6:
        return "not global unicast"
    return None
