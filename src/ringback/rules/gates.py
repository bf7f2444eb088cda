"""Who may be called for a mail: what the DNS says of its client and its sender. A machine without I/O.

Cheap evidence first (etiquette.md row 1); each gate has a name, which its "no" carries.
Not here: gates that need no DNS (rules/exemptions.py), the memory of who came back (rules/waiting.py),
opt-out (rules/optout.py), budgets (rules/burden.py), and their order (engine/gatekeeper.py).
"""

from collections.abc import Sequence
from enum import StrEnum
from importlib import import_module
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from ..values.address import Address
from ..values.dns import DnsAnswer, DnsStatus, Question, RecordType
from ..values.query import Client
from ..values.record import Record
from .asking import Asking
from .dnsbl import ask_list
from .networks import parse_host
from .organisation import Organisation, share_organisation

if TYPE_CHECKING:
    from .spf import Spf

# A domain of honest size has a few hosts; whoever lists more is not asked about all of them.
MAX_HOSTS = 5
MAX_NAMES = 3  # reverse names of one client


class Gate(StrEnum):
    """Whatever may say no to a callout, by the names that reports, the log and the metrics carry."""

    # Before anything is asked or looked up.
    NULL_SENDER = "null_sender"
    AUTHENTICATED_CLIENT = "authenticated_client"
    EXEMPT_CLIENT = "exempt_client"
    EXEMPT_SENDER = "exempt_sender"
    OWN_DOMAIN = "own_domain"
    POSTMASTER = "postmaster"
    NO_ROUTE = "no_route"  # a recipient whose host is not ours
    OWN_CALLOUT = "own_callout"  # a route that leads back here
    # Of ourselves, and of who asks.
    NO_CONTACT = "no_contact"
    IDENTITY = "identity"
    NO_CONSENT = "no_consent"
    # Of the mail and its client.
    DNSBL = "dnsbl"
    SPF_FAIL = "spf_fail"
    UNALIGNED = "unaligned"
    RETRIED = "retried"
    FORGED = "forged_domain"  # strangers have used too many names of it that nobody has
    DOUBTED = "doubted_network"  # it has come back, from where most mail does not
    CROWDED = "crowded"  # more first contacts of its network than we remember
    # Of those who would be called.
    OPTED_OUT_DOMAIN = "opted_out_domain"  # in etiquette.opted_out
    OPTED_OUT_HOST = "opted_out_host"  # the same, by the MX name
    OPTED_OUT_DNS = "opted_out_dns"  # by its record
    OPTED_OUT_REPLY = "opted_out_reply"  # in the host's own words
    OPT_OUT_UNKNOWN = "opt_out_unknown"  # the DNS did not say
    FORBIDDEN_NETWORK = "forbidden_network"
    BREAKER = "breaker"  # the host refused us lately
    GREYLIST = "greylist"  # another address waits for the host
    BUDGET = "budget"
    CONNECTIONS = "connections"  # too many at a time
    REFUSED_RECIPIENTS = "refused_recipients"  # a budget of its own


class Passed(Record, frozen=True):
    """Nothing stands in the way; `gates` say in words what was found, for the audit.

    `vouched`: the domain stands behind the client, or nobody else has a part in it.
    """

    gates: tuple[str, ...] = ()
    vouched: bool = True


class Stopped(Record, frozen=True):
    """A gate that stays shut, and what was found there."""

    gate: Gate
    why: str


Found = Passed | Stopped


def has_nobody_to_call(domain: str) -> Asking[bool]:
    """True where the DNS itself says that a domain takes no mail: its callout bothers nobody."""
    mx = yield Question(domain, RecordType.MX)
    if mx.status is DnsStatus.NXDOMAIN:
        return True
    if mx.status is DnsStatus.OK:
        # Null MX, RFC 7505 section 3; beside other records it says nothing, and those are called.
        return bool(mx.mx) and not any(record.host for record in mx.mx)
    if mx.status is DnsStatus.FAILURE:
        return False
    for kind in (RecordType.A, RecordType.AAAA):
        answer = yield Question(domain, kind)
        if answer.status in (DnsStatus.OK, DnsStatus.FAILURE):
            return False
    return True


def look_up_lists(client: Client, zones: Sequence[str]) -> Asking[Found]:
    """Ask block lists for the client; the first that lists it stops."""
    for zone in zones:
        listing = yield from ask_list(zone, client.address)
        if listing.is_listed:
            return Stopped(Gate.DNSBL, f"{client.address} is listed by {zone}")
    return Passed((f"not listed by {', '.join(zones)}",) if zones else ())


def align(address: Address, client: Client, organisation: Organisation) -> Asking[Found]:
    """Say whether the domain of `address` has authorised the client to send its mail."""
    ip = _parsed(client.address)
    if ip is None:
        return Stopped(Gate.UNALIGNED, "the client's address is not known")
    if address.literal_ip:
        return _literal(address.literal_ip, ip)
    spf = import_module(".spf", __package__)  # with the first client: who asks by hand has none
    said: Spf = yield from spf.evaluate(str(ip), address.key, client.helo)
    if said.result is spf.SpfResult.FAIL:
        return Stopped(Gate.SPF_FAIL, f"SPF of {address.domain} forbids {ip}")
    found = f"SPF {said.result}"
    bond = f"SPF names it by {said.mechanism}" if said.result is spf.SpfResult.PASS else ""
    if not said.narrow:
        bond = yield from _look_for_bond(address.domain, client, ip, organisation)
    if bond:
        return Passed((found, f"aligned: {bond}"))
    return Stopped(Gate.UNALIGNED, f"{found}; {ip} is no host of {address.domain}")


def _look_for_bond(
    domain: str, client: Client, ip: IPv4Address | IPv6Address, organisation: Organisation
) -> Asking[str]:
    """What joins the client to the domain beside SPF, in words; "" for nothing."""
    by_host = yield from _is_host(domain, ip)
    if by_host:
        return f"{by_host} of {domain}"
    name = yield from _confirmed_name(client, ip)
    return f"its name is {name}" if share_organisation(name, domain, organisation) else ""


def _literal(literal_ip: str, ip: IPv4Address | IPv6Address) -> Found:
    if _parsed(literal_ip) == ip:
        return Passed(("aligned: the address names the client",))
    return Stopped(Gate.UNALIGNED, f"{ip} is not the host that the address names")


def _is_host(domain: str, ip: IPv4Address | IPv6Address) -> Asking[str]:
    """Return "an address" or "an MX" if the client is one of the domain's hosts, else ""."""
    own = yield Question(domain, _kind_for(ip))
    if _holds(own, ip):
        return "an address"
    records = yield Question(domain, RecordType.MX)
    for record in records.mx[:MAX_HOSTS]:
        if record.host:
            answer = yield Question(record.host, _kind_for(ip))
            if _holds(answer, ip):
                return "an MX"
    return ""


def _confirmed_name(client: Client, ip: IPv4Address | IPv6Address) -> Asking[str]:
    """The client's name that leads back to it; an MTA that confirmed one is believed."""
    if client.name:
        return client.name
    pointer = yield Question(ip.reverse_pointer, RecordType.PTR)
    for name in pointer.texts[:MAX_NAMES]:
        forward = yield Question(name, _kind_for(ip))
        if _holds(forward, ip):
            return name
    return ""


def _kind_for(ip: IPv4Address | IPv6Address) -> RecordType:
    return RecordType.A if ip.version == 4 else RecordType.AAAA


def _holds(answer: DnsAnswer, ip: IPv4Address | IPv6Address) -> bool:
    return any(_parsed(text) == ip for text in answer.texts)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return parse_host(text)
    except ValueError:
        return None
