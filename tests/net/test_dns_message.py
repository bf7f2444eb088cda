"""DNS messages: queries as dnspython would write them, responses told from others and taken apart."""

import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from ringback.net.dns_message import (
    UDP_PAYLOAD_BYTES,
    Query,
    Response,
    make_query,
    parse_name,
    parse_response,
    require_question,
)
from ringback.values.dns import RecordType

SHOP, OWNER = b"\x04shop\x07example\0", b"\xc0\x0c"
MX = int(dns.rdatatype.MX)
HEAD_BYTES, RECORD_HEAD_BYTES = 12, 10


def query_for(name: str = "shop.example") -> Query:
    return make_query(parse_name(name), RecordType.MX, edns=True)


def record(owner: bytes, kind: int, data: bytes, *, ttl_s: int = 300, group: int = 1) -> bytes:
    return owner + struct.pack("!HHIH", kind, group, ttl_s, len(data)) + data


def response(query: Query, *sections: list[bytes], flags: int = 0x8180) -> bytes:
    counts = [len(section) for section in (*sections, [], [], [])[:3]]
    head = query.octets[:2] + struct.pack("!5H", flags, 1, *counts)
    return head + query.question + b"".join(b"".join(section) for section in sections)


def parsed(*sections: list[bytes], flags: int = 0x8180) -> Response:
    query = query_for()
    return parse_response(response(query, *sections, flags=flags), query)


ONE = record(OWNER, MX, b"\0\x0a\xc0\x0c")


def test_response_that_is_cut_is_not_read_beyond_its_question() -> None:
    query = query_for()
    octets = response(query, [ONE], flags=0x8180 | dns.flags.TC)
    cut = parse_response(octets[:-3], query)
    whole = parse_response(octets, query, is_whole=True)

    assert cut.is_cut
    assert [] == [*cut.answer, *cut.authority]
    assert not whole.is_cut
    assert [(SHOP, MX)] == [*whole.answer]


@pytest.mark.parametrize("ends", ["in its data", "in its head", "in its name"])
def test_response_that_ends_early_is_none(ends: str) -> None:
    query = query_for()
    ends_at = {"in its data": -1, "in its head": -5, "in its name": -15}[ends]
    with pytest.raises(ValueError):
        parse_response(response(query, [ONE])[:ends_at], query)


def test_records_come_by_their_owners_in_lower_case() -> None:
    other = record(b"\x01A" + OWNER, MX, b"\0\x0a\0")
    again = record(b"\x04Shop\x07EXAMPLE\0", MX, b"\0\x0a\0")
    chaos = record(OWNER, MX, b"\0\x0a\0", group=3)
    answer = parsed([ONE, other, chaos, again]).answer

    assert {(SHOP, MX): 2, (b"\x01a" + SHOP, MX): 1} == {
        key: len(records) for key, records in answer.items()
    }


def names(*data: bytes) -> Response:
    """A response whose records each hold `data`."""
    return parsed([record(OWNER, MX, each) for each in data])


def read_last(response: Response, behind: int = 0) -> bytes:
    return response.name_in(response.answer[SHOP, MX][-1], behind)


# Where the data of the first record is.
FIRST = HEAD_BYTES + len(SHOP) + 4 + len(OWNER) + RECORD_HEAD_BYTES


def to(place: int) -> bytes:
    return struct.pack("!H", 0xC000 | place)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ([b"\0"], b"\0"),
        ([b"\x02MX\0"], b"\x02mx\0"),
        ([OWNER], SHOP),
        ([to(HEAD_BYTES + 5)], b"\x07example\0"),
        ([b"\x02mx" + OWNER], b"\x02mx" + SHOP),
        ([b"\x01a" + OWNER, b"\x01b" + to(FIRST)], b"\x01b\x01a" + SHOP),
    ],
)
def test_name_goes_on_where_it_points_to(data: list[bytes], name: bytes) -> None:
    assert name == read_last(names(*data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02mx",
        b"\x02mx\0rest",
        to(FIRST),
        to(FIRST + 2) + b"\0",
        b"\x01a" + to(FIRST),
        b"\x40",
        b"\x80\0",
        b"\xc0",
        b"\x01a" * 127 + b"\x01a\0",
    ],
)
def test_name_that_does_not_fill_its_record_is_nonsense(data: bytes) -> None:
    with pytest.raises(ValueError, match="name"):
        read_last(names(data))


@pytest.mark.parametrize("pointers", [16, 17])
def test_name_has_few_pointers(pointers: int) -> None:
    leading = b"".join(to(FIRST + 2 * place) for place in range(-1, pointers - 2))
    response = names(OWNER + leading[2:], to(FIRST + 2 * (pointers - 2)))
    if pointers <= 16:
        assert SHOP == read_last(response)
        return
    with pytest.raises(ValueError, match="leads nowhere"):
        read_last(response)


OPT = int(dns.rdatatype.OPT)
EDNS = record(b"\0", OPT, b"", ttl_s=0x01000000, group=1232)
TSIG = record(b"\0", int(dns.rdatatype.TSIG), b"", group=255)


def test_name_that_leads_into_itself_is_nonsense() -> None:
    # Its pointer leads to the end of the TTL, which is the length of a label that goes on over the pointer.
    at = HEAD_BYTES + len(query_for().question) + len(OWNER) + RECORD_HEAD_BYTES
    data = b"\0\x0a" + struct.pack("!H", 0xC000 | at - 3)
    root = record(b"\0", MX, b"\0\x0a\0")
    response = parsed([record(OWNER, MX, data, ttl_s=6), root])
    (found,) = response.answer[SHOP, MX]

    with pytest.raises(ValueError, match="leads into itself"):
        response.name_in(found, 2)


def test_name_that_many_point_to_is_read_once() -> None:
    response = parsed([ONE] * 3)
    names = {response.name_in(found, 2) for found in response.answer[SHOP, MX]}

    assert ({SHOP}, [HEAD_BYTES]) == (names, [*response.names])


def test_names_that_are_pointed_to_are_in_few_places() -> None:
    root = record(OWNER, MX, b"\0")
    places = [to(FIRST + len(root) * number) for number in range(500)]
    response = names(*[b"\0"] * len(places), *places)
    *read, last = response.answer[SHOP, MX][len(places) :]

    assert {b"\0"} == {response.name_in(found) for found in read}  # and the owner: 500
    with pytest.raises(ValueError, match="too many places"):
        response.name_in(last)


def test_names_that_nobody_asks_for_cost_no_answer() -> None:
    first = HEAD_BYTES + len(query_for().question) + len(ONE)
    root = record(b"\0", MX, b"\0")
    many = [root] * 600 + [record(to(first + len(root) * number), MX, b"") for number in range(600)]
    response = parsed([ONE], [], [*many, record(b"\x40?", MX, b""), EDNS])

    assert dns.rcode.BADVERS == response.rcode
    assert SHOP == read_last(response, 2)


@pytest.mark.parametrize(
    ("octets", "is_message"),
    [
        (bytes(HEAD_BYTES), True),
        (bytes(HEAD_BYTES - 1), False),
        (b"\0\0\x80\0\0\x01" + bytes(6) + b"\x01a\0" + bytes(4), True),
        (b"\0\0\x80\0\0\x01" + bytes(6) + b"\x01a\0" + bytes(3), False),
        (b"\0\0\x80\0\0\x02" + bytes(6) + b"\x01a\0" + bytes(4), False),
        (b"\0\0\x80\0\0\x01" + bytes(6) + b"rubbish", False),
    ],
)
def test_message_can_be_read_as_far_as_its_question(octets: bytes, is_message: bool) -> None:
    if is_message:
        require_question(octets)
    else:
        with pytest.raises(ValueError):
            require_question(octets)


def test_edns_has_the_rest_of_the_code() -> None:
    assert dns.rcode.BADVERS == parsed([], [], [ONE, EDNS]).rcode


@pytest.mark.parametrize(
    "sections",
    [
        ([EDNS],),
        ([], [EDNS]),
        ([], [], [EDNS, EDNS]),
        ([], [EDNS], [EDNS]),
        ([], [], [record(OWNER, OPT, b"")]),
        ([], [], [TSIG]),
        ([TSIG],),
        ([], [], [EDNS, TSIG]),
    ],
)
def test_edns_out_of_place_and_signatures_are_nonsense(sections: tuple[list[bytes], ...]) -> None:
    with pytest.raises(ValueError, match="EDNS"):
        parsed(*sections, flags=0x8183)


def test_zones_of_a_name_are_above_it() -> None:
    soa = int(dns.rdatatype.SOA)
    owners = [OWNER, to(HEAD_BYTES + 5), b"\0", b"\x01a" + OWNER, b"\x03ple\0", b"\x04bank\0"]
    chaos = record(OWNER, soa, b"", group=3)
    whole = parsed([], [chaos, ONE, *(record(owner, soa, b"") for owner in owners)])

    assert [SHOP, b"\x07example\0", b"\0"] == [zone.owner for zone in whole.zones_of(SHOP)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "x" * 64 + ".example",
        ".".join(["x" * 60] * 5),
        "bücher.example",
        "a\\",
        "\\999",
    ],
)
def test_name_that_cannot_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_name(text)


@pytest.mark.parametrize(
    "text", ["shop.example", "shop.example.", "_callout.shop.example", "xn--a.b"]
)
def test_name_is_absolute(text: str) -> None:
    assert parse_name(text).is_absolute()


@pytest.mark.parametrize("kind", RecordType)
@pytest.mark.parametrize("edns", [True, False])
def test_query_asks_for_recursion_under_an_id_of_its_own(kind: RecordType, edns: bool) -> None:
    name = parse_name("Shop.example")
    queries = [make_query(name, kind, edns=edns) for _ in range(10)]
    read_back = [dns.message.from_wire(query.octets) for query in queries]

    assert len({query.id for query in read_back}) > 5
    for query in read_back:
        theirs = dns.message.make_query(
            "shop.example",
            kind.value,
            use_edns=0 if edns else -1,
            payload=UDP_PAYLOAD_BYTES,
            id=query.id,
        )
        assert theirs.to_text() == query.to_text()


def _answered(query: Query, **changes: object) -> bytes:
    """A response to `query`, but for `changes` of its parts."""
    response = dns.message.make_response(dns.message.from_wire(query.octets))
    for part, value in changes.items():
        setattr(response, part, value)
    return response.to_wire()


IN = dns.rdataclass.IN


def _asking(name: str, kind: str) -> list[dns.rrset.RRset]:
    return [dns.rrset.RRset(dns.name.from_text(name), IN, dns.rdatatype.from_text(kind))]


QR = dns.flags.QR
FORMERR, NXDOMAIN = QR | dns.rcode.FORMERR, QR | dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("changes", "is_ours"),
    [
        ({}, True),
        ({"question": _asking("SHOP.example.", "MX")}, True),
        ({"question": _asking("bank.example.", "MX")}, False),
        ({"question": _asking("shop.example.", "A")}, False),
        ({"question": _asking("shop.example.", "MX") + _asking("shop.example.", "A")}, False),
        ({"flags": QR}, True),
        ({"flags": dns.flags.RD}, False),
        ({"flags": QR | dns.opcode.to_flags(dns.opcode.NOTIFY)}, False),
        ({"question": [], "flags": FORMERR}, True),
        ({"question": [], "flags": NXDOMAIN}, False),
    ],
)
def test_response_is_told_from_other_messages(changes: dict[str, object], is_ours: bool) -> None:
    query = make_query(parse_name("shop.example"), RecordType.MX, edns=True)
    octets = _answered(query, **changes)

    assert is_ours is query.is_answered_by(octets)
    # What dnspython would say of it.
    message = dns.message.from_wire(query.octets)
    assert is_ours is message.is_response(dns.message.from_wire(octets))


def test_response_under_another_id_is_none() -> None:
    query = make_query(parse_name("shop.example"), RecordType.MX, edns=True)
    octets = _answered(query)

    assert not query.is_answered_by(bytes([octets[0] ^ 1]) + octets[1:])
    assert not query.is_answered_by(octets[:11])  # nor is half a head
