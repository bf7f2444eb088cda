"""DNS messages: a query as octets, and where a response has its records. No socket, no waiting.

dnspython knows the numbers and makes names of texts; to have it read all of a response, most of which
nobody asks for, takes some five times as long. A name of a response is its octets in lower case.
Not here: what the records say (net/answers.py), asking (net/nameserver.py).
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from secrets import token_bytes

import dns.exception
import dns.flags
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from ..values.dns import RecordType
from ..values.record import Record

TYPES = {kind: int(dns.rdatatype.from_text(kind.value)) for kind in RecordType}
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
# Section 3.1: a label begins with its length, which is 0 for the root's, and below this.
_ROOT, _NO_LABEL = b"\0", b"\x40"
_MAX_NAME_BYTES = 255
# Section 4.1.4: from here on it is a pointer to where the name goes on. Honest names have a few of them.
_POINTER = 0xC000
_MAX_POINTERS = 16
# Places that names of a response point to: an honest one has as many as it has hosts. In 64 KiB there
# is room for 4,000, each followed by up to 126 labels: 50 ms.
_MAX_PLACES = 500
# RFC 6891 section 6.1.2: a record of the root, without flags and options.
_OPT = struct.pack("!xHHIH", dns.rdatatype.OPT, UDP_PAYLOAD_BYTES, 0, 0)
# They say something of the message; the first stands once, among the last, and nothing is signed for us.
_OF_THE_MESSAGE = frozenset({int(dns.rdatatype.OPT), int(dns.rdatatype.TSIG)})

# A server that says one of these may not have read the question, and need not repeat it.
_ABOUT_NO_QUESTION = frozenset(
    {dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED}
)


# Names that were pointed to, by their place, each with where it ends there.
_Names = dict[int, tuple[bytes, int]]
# What reads the name at a place, and says where it ends.
_ReadName = Callable[[int], tuple[bytes, int]]


class Query(Record, frozen=True):
    """A query as it goes out; dnspython takes some ten times as long to make one and to compare it."""

    octets: bytes
    question: bytes  # the section that a response repeats

    @property
    def name(self) -> bytes:
        return self.question[: -_TYPE_AND_CLASS.size]

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

    owner: bytes
    kind: int
    group: int  # its class, where EDNS has something else, as in the place of the TTL
    ttl_s: int
    at: int
    end: int


class Response(Record, frozen=True):
    """A response whose records have been found, and are read when they are wanted."""

    octets: bytes
    asked: bytes
    rcode: int
    is_cut: bool  # then nothing is found
    answer: Mapping[tuple[bytes, int], Sequence[Found]]  # of class IN, by owner and type
    authority: Sequence[Found]
    names: _Names

    def data_of(self, found: Found) -> bytes:
        """A record's data as it came: a name in it may go on elsewhere."""
        return self.octets[found.at : found.end]

    def name_in(self, found: Found, behind: int = 0) -> bytes:
        """The name that is all of a record's data `behind` some octets. Raises ValueError."""
        name, end = self.read_name(found.at + behind)
        if end != found.end:
            raise ValueError("a name that does not fill its record")
        return name

    def read_name(self, at: int) -> tuple[bytes, int]:
        """The name at `at`, and its end. Raises ValueError."""
        return _read_name(self.octets, at, self.names)

    def zones_of(self, name: bytes) -> Sequence[Found]:
        """The SOA records that speak of a name: those of what is above it."""
        return [
            found
            for found in self.authority
            if found.kind == dns.rdatatype.SOA
            and found.group == dns.rdataclass.IN
            and _is_within(name, found.owner)
        ]


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
    question = name.to_digestable() + _TYPE_AND_CLASS.pack(TYPES[kind], dns.rdataclass.IN)
    counts = (1, 0, 0, int(edns))
    head = _HEAD.pack(token_bytes(ID_BYTES), dns.flags.RD, *counts)
    return Query(head + question + (_OPT if edns else b""), question)


def parse_response(octets: bytes, query: Query, *, is_whole: bool = False) -> Response:
    """Find the records of what answers `query`; `is_whole`: whatever it says of that. Raises ValueError."""
    _, flags, questions, *counts = _HEAD.unpack_from(octets)
    # A datagram may be cut in the middle of a record: what remains is not read.
    is_cut = bool(flags & dns.flags.TC) and not is_whole
    at = _HEAD.size + questions * len(query.question)
    # The owner of most records of an answer.
    names: _Names = {_HEAD.size: (query.name, _HEAD.size + len(query.name))}
    read_name = partial(_read_name, octets, names=names)
    # In the last section is what nobody asks for: its names, however many, are not to cost the answer.
    ways = (read_name, read_name, partial(_pass_name, octets))
    sections: list[list[Found]] = []
    for count, way in zip(counts if not is_cut else (0, 0, 0), ways, strict=True):
        section, at = _find_records(octets, at, count, way)
        sections.append(section)
    answer, authority, _ = sections
    rcode = dns.rcode.from_flags(flags, _more_flags(sections))
    return Response(octets, query.name, rcode, is_cut, _by_owner(answer), authority, names)


def require_question(octets: bytes) -> None:
    """Raise ValueError for what is no message, as far as its question goes."""
    if len(octets) < _HEAD.size:
        raise ValueError("it ends in its head")
    at, names = _HEAD.size, _Names()
    for _ in range(_HEAD.unpack_from(octets)[2]):
        _, at = _read_name(octets, at, names)
        at += _TYPE_AND_CLASS.size
        if at > len(octets):
            raise ValueError("it ends in its question")


def _find_records(
    octets: bytes, at: int, count: int, read_name: _ReadName
) -> tuple[list[Found], int]:
    """Find the records of a section that begins at `at`, and its end."""
    records = []
    for _ in range(count):
        owner, at = read_name(at)
        at += _RECORD.size
        if at > len(octets):
            raise ValueError("it ends in the middle of a record")
        kind, group, ttl_s, size = _RECORD.unpack_from(octets, at - _RECORD.size)
        records.append(Found(owner, kind, group, ttl_s, at, at + size))
        at += size
    if at > len(octets):
        raise ValueError("it ends in the middle of a record")
    return records, at


def _read_name(octets: bytes, at: int, names: _Names, pointers: int = 0) -> tuple[bytes, int]:
    """Return the name at `at`, and its end."""
    begin, at = at, _end_of_labels(octets, at)
    own = octets[begin:at].lower()
    if octets[at : at + 1] == _ROOT:
        name, end = own + _ROOT, at + 1
    else:
        # Below 0 if it is no pointer. It leads back, to what has ended by here: so it has an end.
        place, end = int.from_bytes(octets[at : at + 2]) - _POINTER, at + 2
        if not 0 <= place < begin or pointers == _MAX_POINTERS:
            raise ValueError("a name that leads nowhere")
        if place not in names:
            if len(names) == _MAX_PLACES:
                raise ValueError("names in too many places")
            names[place] = _read_name(octets, place, names, pointers + 1)
        rest, ended_at = names[place]
        if ended_at > begin:
            raise ValueError("a name that leads into itself")
        name = own + rest
    if len(name) > _MAX_NAME_BYTES:
        raise ValueError("a name that is too long")
    return name, end


def _pass_name(octets: bytes, at: int) -> tuple[bytes, int]:
    """Return the name at `at` as it came, and its end: where it goes on, nobody looks."""
    end = _end_of_labels(octets, at)
    end += 1 if octets[end : end + 1] == _ROOT else 2
    return octets[at:end], end


def _end_of_labels(octets: bytes, at: int) -> int:
    """Where the labels that begin at `at` are followed by something else."""
    last = at + _MAX_NAME_BYTES
    while at < last and _ROOT < (size := octets[at : at + 1]) < _NO_LABEL:
        at += 1 + size[0]
    return at


def _is_within(name: bytes, zone: bytes) -> bool:
    at = 0
    while at < len(name) - len(zone):
        at += 1 + name[at]
    return name[at:] == zone


def _more_flags(sections: Sequence[Sequence[Found]]) -> int:
    """What EDNS adds to the flags. Raises ValueError for what no response to us can have."""
    ours = [found for found in chain(*sections) if found.kind in _OF_THE_MESSAGE]
    if not ours:
        return 0
    options, additional = ours[0], sections[-1]
    is_edns = options.kind == dns.rdatatype.OPT and options.owner == _ROOT
    if not is_edns or len(ours) > 1 or options not in additional:
        raise ValueError("EDNS out of place, or a signature")
    return options.ttl_s


def _by_owner(records: Sequence[Found]) -> dict[tuple[bytes, int], list[Found]]:
    by_owner: dict[tuple[bytes, int], list[Found]] = {}
    for found in records:
        if found.group == dns.rdataclass.IN:
            by_owner.setdefault((found.owner, found.kind), []).append(found)
    return by_owner
