"""DNS messages: a name to a query, a response to a DnsAnswer. No socket, no waiting.

NXDOMAIN, NODATA and failure are kept apart, for a verdict may rest on the first two and never on the
last. Not here: asking (net/nameserver.py), asking whom and how often (net/resolver.py).
"""

import struct
from dataclasses import dataclass
from secrets import token_bytes
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rrset

from ..values.dns import DnsAnswer, DnsStatus, Mx, RecordType

# A response may hold thousands of records; no honest name has this many of one type.
MAX_RECORDS = 100
# RFC 6891 section 6.2.5, and what crosses the Internet without fragments.
UDP_PAYLOAD_BYTES = 1232

# RFC 1035 section 4.1.1: the id, the flags, and how many records each section has.
_HEAD = struct.Struct("!2s5H")
ID_BYTES = 2
# Of the flags: whether it is a response, and the operation, which is 0 for a query.
_RESPONSE_AND_OPERATION = 0xF800
# Section 4.1.2, behind the name.
_TYPE_AND_CLASS = struct.Struct("!HH")
_TYPES = {kind: dns.rdatatype.from_text(kind.value) for kind in RecordType}
# RFC 6891 section 6.1.2: a record of the root, without flags and options.
_OPT = struct.pack("!xHHIH", dns.rdatatype.OPT, UDP_PAYLOAD_BYTES, 0, 0)

# A server that says one of these may dislike only our EDNS.
_ABOUT_THE_QUERY = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})
# A server that says one of these may not have read the question, and need not repeat it.
_ABOUT_NO_QUESTION = frozenset(
    {dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED}
)


@dataclass(frozen=True, slots=True)
class Alias:
    """The name is another one's alias, and the server did not say what that one has."""

    target: str
    ttl_s: float


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it goes out; dnspython takes some ten times as long to make one and to compare it."""

    octets: bytes
    question: bytes  # the section that a response repeats

    def is_answered_by(self, octets: bytes) -> bool:
        """Whether `octets`, a message that can be read, is the response to this query."""
        its_id, flags, questions, *_ = _HEAD.unpack_from(octets)
        if not self.octets.startswith(its_id) or flags & _RESPONSE_AND_OPERATION != dns.flags.QR:
            return False
        if not questions:
            return dns.rcode.from_flags(flags, 0) in _ABOUT_NO_QUESTION
        end = _HEAD.size + len(self.question)
        return questions == 1 and octets[_HEAD.size : end].lower() == self.question


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
    return Query(head + question + (_OPT if edns else b""), question)


def dislikes_query(message: dns.message.Message) -> bool:
    """Whether the server may answer the same question when it is put more plainly."""
    return message.rcode() in _ABOUT_THE_QUERY


def failure(name: str, kind: RecordType, detail: str) -> DnsAnswer:
    """Return the answer that nothing was learned."""
    return DnsAnswer(name, kind, DnsStatus.FAILURE, detail=detail)


def read_response(message: dns.message.Message, name: str, kind: RecordType) -> DnsAnswer | Alias:
    """Say what a response to the question (`name`, `kind`) means."""
    rcode = message.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return failure(name, kind, dns.rcode.to_text(rcode))
    if not isinstance(message, dns.message.QueryMessage):
        return failure(name, kind, "not a response to a query")
    try:
        chain = message.resolve_chaining()
    except dns.exception.DNSException as error:  # a loop of aliases; NXDOMAIN with the records
        return failure(name, kind, str(error) or type(error).__name__)
    if chain.answer is not None:
        return _records(chain.answer, name, kind, float(chain.minimum_ttl))
    return _absence(message, chain, name, kind)


def _absence(
    message: dns.message.QueryMessage,
    chain: dns.message.ChainingResult,
    name: str,
    kind: RecordType,
) -> DnsAnswer | Alias:
    """Tell the ways to answer without the record apart (RFC 2308 section 2)."""
    ttl_s = float(chain.minimum_ttl)
    if message.rcode() == dns.rcode.NXDOMAIN:
        return DnsAnswer(name, kind, DnsStatus.NXDOMAIN, ttl_s=ttl_s)
    authority = {rrset.rdtype for rrset in message.authority}
    if dns.rdatatype.SOA not in authority:
        if chain.cnames:
            return Alias(_host(chain.canonical_name), ttl_s)
        if dns.rdatatype.NS in authority:
            return failure(name, kind, "a referral: the server does not resolve names for us")
    return DnsAnswer(name, kind, DnsStatus.NODATA, ttl_s=ttl_s)


def _records(rrset: dns.rrset.RRset, name: str, kind: RecordType, ttl_s: float) -> DnsAnswer:
    mx: tuple[Mx, ...] = ()
    texts: tuple[str, ...] = ()
    if kind is RecordType.MX:
        found = [cast(dns.rdtypes.ANY.MX.MX, record) for record in rrset]
        hosts = {Mx(record.preference, _host(record.exchange)) for record in found}
        # Sorted before it is cut: a flood of records costs a domain its worst hosts.
        mx = tuple(sorted(hosts, key=lambda each: (each.preference, each.host))[:MAX_RECORDS])
    else:
        texts = tuple(_text(record) for record in list(rrset)[:MAX_RECORDS])
    return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, texts=texts, ttl_s=ttl_s)


def _text(record: object) -> str:
    match record:
        case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
            return str(record.address)
        case dns.rdtypes.ANY.PTR.PTR():
            return _host(record.target)
        case dns.rdtypes.ANY.TXT.TXT():
            # RFC 7208 section 3.3: the strings of one record are one text.
            return b"".join(record.strings).decode("utf-8", "backslashreplace")
    raise TypeError(f"a record that no RecordType names: {type(record).__name__}")


def _host(name: dns.name.Name) -> str:
    """Return the name without its final dot, in lower case; "" for the root."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
