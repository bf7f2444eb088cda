"""DNS messages: a name to a query, a response to a DnsAnswer. No socket, no waiting.

dnspython reads names, and what records say; to have it read all of a response, most of which nobody asks
for, takes some five times as long.
NXDOMAIN, NODATA and failure are kept apart, for a verdict may rest on the first two and never on the
last. Not here: asking (net/nameserver.py), asking whom and how often (net/resolver.py).
"""

import struct
from collections.abc import Sequence
from secrets import token_bytes
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA

from ..values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ..values.record import Record

# A response may hold thousands of records; no honest name has this many of one type.
MAX_RECORDS = 100
# Aliases of aliases within one response.
MAX_ALIASES_WITHIN = 16
# How long a "no" is believed where no zone says how long. Seconds.
NEGATIVE_TTL_S = 300
MAX_TTL_S = 0x7FFF_FFFF  # RFC 2181 section 8: what is beyond counts as 0
# RFC 6891 section 6.2.5, and what crosses the Internet without fragments.
UDP_PAYLOAD_BYTES = 1232

# RFC 1035 section 4.1.1: the id, the flags, and how many records each section has.
_HEAD = struct.Struct("!2s5H")
ID_BYTES = 2
# Of the flags: whether it is a response, and the operation, which is 0 for a query.
_RESPONSE_AND_OPERATION = 0xF800
# Section 4.1.2, behind the name.
_TYPE_AND_CLASS = struct.Struct("!HH")
# Section 4.1.3, behind the name: type, class, TTL, and how long the data is.
_RECORD = struct.Struct("!HHIH")
# Section 4.1.4: a pointer to the name in the question, whose most records of an answer are.
_ASKED = struct.pack("!H", 0xC000 | _HEAD.size)
# Section 3.3.13: behind two names, which have a byte each at least, five numbers. The last of them says how
# long a "no" may be believed (RFC 2308 section 4).
_LEAST_SOA_BYTES, _MINIMUM_BYTES = 22, 4
_TYPES = {kind: dns.rdatatype.from_text(kind.value) for kind in RecordType}
# RFC 6891 section 6.1.2: a record of the root, without flags and options.
_OPT = struct.pack("!xHHIH", dns.rdatatype.OPT, UDP_PAYLOAD_BYTES, 0, 0)

# A server that says one of these may dislike only our EDNS.
_ABOUT_THE_QUERY = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})
# A server that says one of these may not have read the question, and need not repeat it.
_ABOUT_NO_QUESTION = frozenset(
    {dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED}
)


class Alias(Record, frozen=True):
    """The name is another one's alias, and the server did not say what that one has."""

    target: str
    ttl_s: float


class Query(Record, frozen=True):
    """A query as it goes out; dnspython takes some ten times as long to make one and to compare it."""

    name: dns.name.Name
    octets: bytes
    question: bytes  # the section that a response repeats

    def is_answered_by(self, octets: bytes) -> bool:
        """Whether `octets` are a response to this query, as far as its head and question say."""
        if len(octets) < _HEAD.size:
            return False
        its_id, flags, questions, *_ = _HEAD.unpack_from(octets)
        if not self.octets.startswith(its_id) or flags & _RESPONSE_AND_OPERATION != dns.flags.QR:
            return False
        if not questions:
            return dns.rcode.from_flags(flags, 0) in _ABOUT_NO_QUESTION
        end = _HEAD.size + len(self.question)
        return questions == 1 and octets[_HEAD.size : end].lower() == self.question


class Found(Record, frozen=True):
    """One record of a response, and where its data is."""

    owner: dns.name.Name
    kind: int
    group: int  # its class, where EDNS has something else, as in the place of the TTL
    ttl_s: int
    at: int
    end: int


class Response(Record, frozen=True):
    """A response whose records have been found, and are read when they are wanted."""

    octets: bytes
    asked: dns.name.Name
    rcode: int
    is_cut: bool  # then nothing is found
    answer: Sequence[Found] = ()
    authority: Sequence[Found] = ()

    def answer_of(self, owner: dns.name.Name, kind: int) -> Sequence[Found]:
        """The records of one kind that a name has."""
        return [
            found
            for found in self.answer
            if found.kind == kind and found.group == dns.rdataclass.IN and found.owner == owner
        ]

    def read(self, found: Found) -> dns.rdata.Rdata:
        """What a record says. Raises DNSException."""
        kind, size = dns.rdatatype.RdataType(found.kind), found.end - found.at
        return dns.rdata.from_wire(dns.rdataclass.IN, kind, self.octets, found.at, size)


def parse_name(text: str) -> dns.name.Name:
    """Read an absolute name, with or without its final dot. Raises ValueError if it can't exist."""
    try:
        name = dns.name.from_text(text.encode("ascii"))
    except UnicodeEncodeError:
        raise ValueError("a name in DNS is ASCII") from None
    except dns.exception.DNSException as error:
        raise ValueError(str(error) or type(error).__name__) from None
    if name == dns.name.root:
        raise ValueError("an empty name")
    return name


def make_query(name: dns.name.Name, kind: RecordType, *, edns: bool) -> Query:
    """Return a query under a random id."""
    question = name.to_digestable() + _TYPE_AND_CLASS.pack(_TYPES[kind], dns.rdataclass.IN)
    counts = (1, 0, 0, int(edns))
    head = _HEAD.pack(token_bytes(ID_BYTES), dns.flags.RD, *counts)
    return Query(name, head + question + (_OPT if edns else b""), question)


def parse_response(octets: bytes, query: Query) -> Response:
    """Find the records of what answers `query`. Raises ValueError and DNSException."""
    _, flags, questions, *counts = _HEAD.unpack_from(octets)
    # A datagram may be cut in the middle of a record: what remains is not read.
    is_cut = bool(flags & dns.flags.TC)
    at = _HEAD.size + questions * len(query.question)
    sections: list[list[Found]] = []
    for count in counts if not is_cut else (0, 0, 0):
        section, at = _find_records(octets, at, count, query.name)
        sections.append(section)
    answer, authority, additional = sections
    options = next((found.ttl_s for found in additional if found.kind == dns.rdatatype.OPT), 0)
    rcode = dns.rcode.from_flags(flags, options)
    return Response(octets, query.name, rcode, is_cut, answer, authority)


def _find_records(
    octets: bytes, at: int, count: int, asked: dns.name.Name
) -> tuple[list[Found], int]:
    """Find the records of a section that begins at `at`, and its end."""
    records = []
    for _ in range(count):
        is_asked = octets.startswith(_ASKED, at)
        owner, size = (asked, len(_ASKED)) if is_asked else dns.name.from_wire(octets, at)
        at += size + _RECORD.size
        if at > len(octets):
            raise ValueError("it ends in the middle of a record")
        kind, group, ttl_s, size = _RECORD.unpack_from(octets, at - _RECORD.size)
        records.append(Found(owner, kind, group, ttl_s, at, at + size))
        at += size
    if at > len(octets):
        raise ValueError("it ends in the middle of a record")
    return records, at


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
    chain = _follow_aliases(response, _TYPES[kind])
    if chain is None:
        return failure(name, kind, "too many aliases")
    if not chain.records:
        return _absence(response, chain, name, kind)
    if response.rcode == dns.rcode.NXDOMAIN:
        return failure(name, kind, "records of a name that does not exist")
    return _records(response, chain, name, kind)


class _Chain(Record, frozen=True):
    """Where the aliases of a response lead, and the records there."""

    owner: dns.name.Name
    records: Sequence[Found]
    ttl_s: int
    has_aliases: bool


def _follow_aliases(response: Response, kind: int) -> _Chain | None:
    """Go from the name that was asked for to where the records are; None if that has no end."""
    owner, ttl_s = response.asked, MAX_TTL_S
    for followed in range(MAX_ALIASES_WITHIN):
        records = response.answer_of(owner, kind)
        aliases = [] if records else response.answer_of(owner, dns.rdatatype.CNAME)
        ttl_s = min([ttl_s, *map(_ttl_s, records or aliases)])
        if not aliases:
            return _Chain(owner, records, ttl_s, followed > 0)
        owner = cast(dns.rdtypes.ANY.CNAME.CNAME, response.read(aliases[-1])).target
    return None


def _ttl_s(found: Found) -> int:
    return found.ttl_s if found.ttl_s <= MAX_TTL_S else 0


def _absence(response: Response, chain: _Chain, name: str, kind: RecordType) -> DnsAnswer | Alias:
    """Tell the ways to answer without the record apart (RFC 2308 section 2)."""
    zones = [found for found in response.authority if found.kind == dns.rdatatype.SOA]
    times = [min(_ttl_s(zone), _minimum_s(response, zone)) for zone in zones] or [NEGATIVE_TTL_S]
    ttl_s = float(min(chain.ttl_s, *times))
    if response.rcode == dns.rcode.NXDOMAIN:
        return DnsAnswer(name, kind, DnsStatus.NXDOMAIN, ttl_s=ttl_s)
    if not zones:
        if chain.has_aliases:
            return Alias(_host(chain.owner), ttl_s)
        if any(found.kind == dns.rdatatype.NS for found in response.authority):
            return failure(name, kind, "a referral: the server does not resolve names for us")
    return DnsAnswer(name, kind, DnsStatus.NODATA, ttl_s=ttl_s)


def _minimum_s(response: Response, zone: Found) -> int:
    """How long an SOA record lets a "no" be believed. Raises ValueError."""
    if zone.end - zone.at < _LEAST_SOA_BYTES:
        raise ValueError("an SOA record without its times")
    return int.from_bytes(response.octets[zone.end - _MINIMUM_BYTES : zone.end])


def _records(response: Response, chain: _Chain, name: str, kind: RecordType) -> DnsAnswer:
    mx: tuple[Mx, ...] = ()
    texts: tuple[str, ...] = ()
    # Each once, by its data.
    found = {response.octets[one.at : one.end]: one for one in chain.records}.values()
    if kind is RecordType.MX:
        records = [cast(dns.rdtypes.ANY.MX.MX, response.read(one)) for one in found]
        hosts = {Mx(record.preference, _host(record.exchange)) for record in records}
        # Sorted before it is cut: a flood of records costs a domain its worst hosts.
        mx = tuple(sorted(hosts, key=lambda each: (each.preference, each.host))[:MAX_RECORDS])
    else:
        texts = tuple(_text(response.read(one)) for one in list(found)[:MAX_RECORDS])
    return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, texts=texts, ttl_s=float(chain.ttl_s))


def _text(record: dns.rdata.Rdata) -> str:
    match record:
        case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
            return str(record.address)
        case dns.rdtypes.ANY.PTR.PTR():
            return _host(record.target)
    # RFC 7208 section 3.3: the strings of one record are one text.
    strings = cast(dns.rdtypes.ANY.TXT.TXT, record).strings
    return b"".join(strings).decode("utf-8", "backslashreplace")


def _host(name: dns.name.Name) -> str:
    """Return the name without its final dot, in lower case; "" for the root."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
