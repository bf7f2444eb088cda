"""Who is judged by SPF: the client, the sender and the greeting, and the names that the DNS can be asked for.

RFC 7208 sections 2.3, 2.4 and 4.3; RFC 8616 section 4 for names beyond ASCII. Pure.
Not here: macros themselves (rules/spf_macros.py), and asking (rules/spf.py).
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from ..errors import AddressError
from ..values.address import (
    MAX_ADDRESS_OCTETS,
    MAX_DOMAIN_OCTETS,
    MAX_LABEL_OCTETS,
    parse_domain,
)
from ..values.record import Record
from .networks import parse_host
from .spf_macros import MAX_NAME_CHARS, Template

IpAddress = IPv4Address | IPv6Address

# Letters whose value the client brings along: his greeting, the sender's local part, his reverse name.
_CLAIMED = frozenset("hlp")
UNKNOWN = "unknown"  # section 7.3: what stands for a name that nobody knows
_POSTMASTER = "postmaster"
_NULL_SENDERS = frozenset({"", "<>"})


class Identity(Record, frozen=True):
    """A client with what it claims. `domain` is "" where the sender's cannot be a domain."""

    client: IpAddress
    local: str
    domain: str
    helo: str

    @property
    def values(self) -> Mapping[str, str]:
        """What macros stand for, but for d and p, which depend on the record, and c, r and t."""
        ipv4 = self.client.version == 4
        nibbles = self.client.exploded.replace(":", "").upper()
        return {
            "s": f"{self.local}@{self.domain}",
            "l": self.local,
            "o": self.domain,
            "i": str(self.client) if ipv4 else ".".join(nibbles),
            "v": "in-addr" if ipv4 else "ip6",
            "h": self.helo,
        }


def identify(client_ip: str, sender: str, helo: str) -> Identity:
    """Read who is judged: the sender, or postmaster at the greeting for the null sender.

    Raises ValueError if `client_ip` is no address.
    """
    client = parse_client(client_ip)
    known_helo = helo if len(helo) <= MAX_DOMAIN_OCTETS else ""
    if sender in _NULL_SENDERS:
        return Identity(client, _POSTMASTER, _domain(known_helo), known_helo)
    if len(sender) > MAX_ADDRESS_OCTETS:  # before anything whose cost grows with it
        return Identity(client, _POSTMASTER, "", known_helo)
    local, _, domain = sender.rpartition("@")
    return Identity(client, local or _POSTMASTER, _domain(domain), known_helo)


def parse_client(client_ip: str) -> IpAddress:
    """An IPv4 address in IPv6's clothes is one of IPv4 (section 5). Raises ValueError."""
    return parse_host(client_ip.partition("%")[0])


def parse_ip(text: str) -> IpAddress | None:
    """Read an address out of the DNS."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def is_near(client: IpAddress, texts: Sequence[str], prefix: int) -> bool:
    """Whether an address of the client's family in `texts` has the first `prefix` bits of its own."""
    beyond = client.max_prefixlen - prefix
    addresses = [ip for ip in map(parse_ip, texts) if ip and ip.version == client.version]
    return any(int(ip) >> beyond == int(client) >> beyond for ip in addresses)


def _domain(text: str) -> str:
    name = text.removesuffix(".")
    if not name.isascii():
        try:
            name = parse_domain(name)
        except AddressError:
            return ""
    return name if is_domain(name) else ""


def is_domain(name: str) -> bool:
    """Whether a record may be looked for at `name` (section 4.3): two labels or more, and no IP address."""
    last = name.rpartition(".")[2]
    return "." in name and is_askable(name) and name[0] != "[" and not last.isdigit()


def is_askable(name: str) -> bool:
    """Whether the DNS can be asked for `name`; macros may make anything of it.

    A backslash begins an escape in the written form of names, and nobody means it.
    """
    labels = name.split(".")
    sized = len(name) <= MAX_NAME_CHARS and all(0 < len(one) <= MAX_LABEL_OCTETS for one in labels)
    return sized and name.isascii() and name.isprintable() and "\\" not in name


def is_within(name: str, domain: str) -> bool:
    """Whether `name` is `domain` or stands below it."""
    return f".{name}".lower().endswith(f".{domain}".lower())


def choose_name(names: Sequence[str], domain: str) -> str:
    """Of a client's confirmed names, the one for the macro p (section 7.3): the domain's if any is."""
    same = [name for name in names if name.lower() == domain.lower()]
    below = [name for name in names if is_within(name, domain)]
    return next(iter([*same, *below, *names]), UNKNOWN)


def belongs_to_owner(spec: Template | None) -> bool:
    """Whether the owner of a record says below which domain its name stands, and not the client."""
    end = spec[-1] if spec else ""
    return isinstance(end, str) or not (end.letter in _CLAIMED or end.reversed)
