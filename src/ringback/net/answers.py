"""What a response of the DNS says: a DnsAnswer, or where to ask on. No socket, no waiting.

Only the records that were asked for are read: one beside them that makes no sense does no harm to them.
NXDOMAIN, NODATA and failure are kept apart, for a verdict may rest on the first two and never on the
last. Not here: finding the records (net/dns_message.py), asking whom and how often (net/resolver.py).
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import dns.ipv4
import dns.ipv6
import dns.name
import dns.rcode
import dns.rdatatype

from ..values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ..values.record import Record
from .dns_message import TYPES, Found, Response

# A response may hold thousands of records; no honest name has this many of one type.
MAX_RECORDS = 100
# Aliases of aliases within one response.
MAX_ALIASES_WITHIN = 16
# How long a "no" is believed where no zone says how long. Seconds.
NEGATIVE_TTL_S = 300
MAX_TTL_S = 0x7FFF_FFFF  # RFC 2181 section 8: what is beyond counts as 0

# RFC 1035 section 3.3.9: the preference of an MX record, before its host.
_PREFERENCE_BYTES = 2
# Section 3.3.13: five numbers behind two names. The last says how long a "no" may be believed (RFC 2308
# section 4).
_SOA_NAMES, _SOA_NUMBERS_BYTES, _MINIMUM_BYTES = 2, 20, 4

# A server that says one of these may dislike only our EDNS.
_ABOUT_THE_QUERY = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})


class Alias(Record, frozen=True):
    """The name is another one's alias, and the server did not say what that one has."""

    target: str
    ttl_s: float


def dislikes_query(response: Response) -> bool:
    """Whether the server may answer the same question when it is put more plainly."""
    return response.rcode in _ABOUT_THE_QUERY


def failure(name: str, kind: RecordType, detail: str) -> DnsAnswer:
    """Return the answer that nothing was learned."""
    return DnsAnswer(name, kind, DnsStatus.FAILURE, detail=detail)


def read_response(response: Response, name: str, kind: RecordType) -> DnsAnswer | Alias:
    """Say what a response to the question (`name`, `kind`) means. Raises ValueError, DNSException."""
    if response.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return failure(name, kind, dns.rcode.to_text(dns.rcode.Rcode(response.rcode)))
    chain = _follow_aliases(response, TYPES[kind])
    if chain is None:
        return failure(name, kind, "too many aliases")
    if not chain.records:
        return _absence(response, chain, name, kind)
    if response.rcode == dns.rcode.NXDOMAIN:
        return failure(name, kind, "records of a name that does not exist")
    return _records(response, chain, name, kind)


class _Chain(Record, frozen=True):
    """Where the aliases of a response lead, and the records there."""

    owner: bytes
    records: Sequence[Found]
    ttl_s: int
    has_aliases: bool


def _follow_aliases(response: Response, kind: int) -> _Chain | None:
    """Go from the name that was asked for to where the records are; None if that has no end."""
    owner, ttl_s = response.asked, MAX_TTL_S
    for followed in range(MAX_ALIASES_WITHIN):
        records = response.answer.get((owner, kind), ())
        aliases = None if records else response.answer.get((owner, dns.rdatatype.CNAME))
        ttl_s = min([ttl_s, *map(_ttl_s, records or aliases or ())])
        if not aliases:
            return _Chain(owner, records, ttl_s, followed > 0)
        owner = response.name_in(aliases[-1])
    return None


def _ttl_s(found: Found) -> int:
    return found.ttl_s if found.ttl_s <= MAX_TTL_S else 0


def _absence(response: Response, chain: _Chain, name: str, kind: RecordType) -> DnsAnswer | Alias:
    """Tell the ways to answer without the record apart (RFC 2308 section 2)."""
    zones = response.zones_of(chain.owner)
    times = [min(_ttl_s(zone), _minimum_s(response, zone)) for zone in zones] or [NEGATIVE_TTL_S]
    ttl_s = float(min(chain.ttl_s, *times))
    if response.rcode == dns.rcode.NXDOMAIN:
        return DnsAnswer(name, kind, DnsStatus.NXDOMAIN, ttl_s=ttl_s)
    said = {found.kind for found in response.authority}
    if dns.rdatatype.SOA not in said:
        if chain.has_aliases:
            return Alias(_host(chain.owner), ttl_s)
        if dns.rdatatype.NS in said:
            return failure(name, kind, "a referral: the server does not resolve names for us")
    return DnsAnswer(name, kind, DnsStatus.NODATA, ttl_s=ttl_s)


def _minimum_s(response: Response, zone: Found) -> int:
    """How long an SOA record lets a "no" be believed. Raises ValueError."""
    at = zone.at
    for _ in range(_SOA_NAMES):
        _, at = response.read_name(at)
    if zone.end - at != _SOA_NUMBERS_BYTES:
        raise ValueError("an SOA record without its times")
    return int.from_bytes(response.data_of(zone)[-_MINIMUM_BYTES:])


def _records(response: Response, chain: _Chain, name: str, kind: RecordType) -> DnsAnswer:
    mx: tuple[Mx, ...] = ()
    texts: tuple[str, ...] = ()
    if kind is RecordType.MX:
        mx = _exchanges(response, chain.records)
    else:
        read = response.name_in if kind is RecordType.PTR else response.data_of
        said = dict.fromkeys(map(read, chain.records[:MAX_RECORDS]))  # each once
        texts = tuple(map(_TEXTS[kind], said))
    return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, texts=texts, ttl_s=float(chain.ttl_s))


def _exchanges(response: Response, records: Sequence[Found]) -> tuple[Mx, ...]:
    hosts = {
        (response.data_of(one)[:_PREFERENCE_BYTES], response.name_in(one, _PREFERENCE_BYTES))
        for one in records
    }
    # Sorted before it is cut: a flood of records costs a domain its worst hosts.
    best = [Mx(int.from_bytes(first), _host(host)) for first, host in sorted(hosts)[:MAX_RECORDS]]
    return tuple(sorted(best, key=lambda each: (each.preference, each.host)))


def _host(name: bytes) -> str:
    """Return the name without its final dot; "" for the root."""
    read, _ = dns.name.from_wire(name, 0)
    return "" if read == dns.name.root else read.to_text(omit_final_dot=True)


def _text(data: bytes) -> str:
    """RFC 7208 section 3.3: the strings of one record are one text. Raises ValueError."""
    strings, at = [], 0
    while at < len(data):
        begin, at = at + 1, at + 1 + data[at]
        strings.append(data[begin:at])
    if at != len(data) or not strings:
        raise ValueError("a TXT record that ends in the middle of a text")
    return b"".join(strings).decode("utf-8", "backslashreplace")


# How the data of a record is shown; of a PTR record, the name.
_TEXTS: Mapping[RecordType, Callable[[bytes], str]] = MappingProxyType(
    {
        RecordType.A: dns.ipv4.inet_ntoa,
        RecordType.AAAA: dns.ipv6.inet_ntoa,
        RecordType.PTR: _host,
        RecordType.TXT: _text,
    }
)
