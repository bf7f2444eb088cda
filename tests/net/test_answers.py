"""What DNS messages say, written as in a zone file."""

import random
import struct
import time
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rrset
import pytest

from ringback.net.answers import (
    MAX_RECORDS,
    NEGATIVE_TTL_S,
    Alias,
    dislikes_query,
    failure,
    read_response,
)
from ringback.net.dns_message import Query, Response, make_query, parse_name, parse_response
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType

SOA = "shop.example. 600 IN SOA ns.example. root.example. 1 2 3 4 60"


def response(
    *answer: str,
    authority: tuple[str, ...] = (),
    rcode: str = "NOERROR",
    kind: RecordType = RecordType.MX,
) -> dns.message.Message:
    lines = [
        *("id 1", "opcode QUERY", f"rcode {rcode}", "flags QR RD RA", ";QUESTION"),
        *(f"shop.example. IN {kind}", ";ANSWER", *answer, ";AUTHORITY", *authority),
    ]
    return dns.message.from_text("\n".join(lines) + "\n")


def query_for(kind: RecordType) -> Query:
    return make_query(parse_name("shop.example"), kind, edns=True)


def parsed(message: dns.message.Message, kind: RecordType = RecordType.MX) -> Response:
    return parse_response(message.to_wire(), query_for(kind))


def read(message: dns.message.Message, kind: RecordType = RecordType.MX) -> DnsAnswer | Alias:
    return read_response(parsed(message, kind), "shop.example", kind)


def status(message: dns.message.Message) -> DnsStatus:
    said = read(message)
    assert isinstance(said, DnsAnswer)
    return said.status


def test_mx_records_come_in_their_order() -> None:
    said = read(
        response(
            "shop.example. 300 IN MX 20 B.Example.",
            "shop.example. 300 IN MX 10 c.example.",
            "shop.example. 300 IN MX 20 a.example.",
        )
    )

    assert said == DnsAnswer(
        "shop.example",
        RecordType.MX,
        DnsStatus.OK,
        mx=(Mx(10, "c.example"), Mx(20, "a.example"), Mx(20, "b.example")),
        ttl_s=300.0,
    )


def test_root_as_mail_host_is_an_empty_name() -> None:
    said = read(response("shop.example. 300 IN MX 0 ."))

    assert isinstance(said, DnsAnswer)
    assert said.mx == (Mx(0, ""),)


def test_flood_of_records_keeps_the_best() -> None:
    flood = [f"shop.example. 300 IN MX {1000 - n} h{n}.example." for n in range(500)]
    said = read(response(*flood))

    assert isinstance(said, DnsAnswer)
    assert len(said.mx) == MAX_RECORDS
    assert said.mx[0] == Mx(501, "h499.example")


@pytest.mark.parametrize(
    ("kind", "record", "text"),
    [
        (RecordType.A, "192.0.2.1", "192.0.2.1"),
        (RecordType.AAAA, "2001:DB8:0::1", "2001:db8::1"),
        (RecordType.PTR, "MX.Shop.Example.", "mx.shop.example"),
        (RecordType.TXT, '"v=spf1 " "-all"', "v=spf1 -all"),
        (RecordType.TXT, '"caf\\195\\169 \\255"', "café \\xff"),
        (RecordType.TXT, '""', ""),
    ],
)
def test_other_records_are_texts(kind: RecordType, record: str, text: str) -> None:
    said = read(response(f"shop.example. 60 IN {kind} {record}", kind=kind), kind)

    assert isinstance(said, DnsAnswer)
    assert said.texts == (text,)


def one_record(query: Query, kind: int, *data: bytes, rcode: int = 0) -> bytes:
    """A response to `query` with records of its name that hold `data`, whatever that says."""
    head = query.octets[:2] + struct.pack("!5H", 0x8180 | rcode, 1, len(data), 0, 0)
    records = [b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(it)) + it for it in data]
    return head + query.question + b"".join(records)


def read_data(kind: RecordType, *data: bytes) -> tuple[str, ...]:
    query = query_for(kind)
    octets = one_record(query, dns.rdatatype.from_text(kind), *data)
    said = read_response(parse_response(octets, query), "shop.example", kind)
    assert isinstance(said, DnsAnswer)
    return said.texts


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (RecordType.TXT, b""),
        (RecordType.TXT, b"\x04one"),
        (RecordType.TXT, b"\x03one\x02"),
        (RecordType.PTR, b"\x02mx"),
        (RecordType.MX, b"\0"),
        (RecordType.A, b"\0\x0a\xc0\x0c\0"),
        (RecordType.AAAA, b"\0\x0a\xc0\x0c"),
    ],
)
def test_record_that_makes_no_sense_is_an_error(kind: RecordType, data: bytes) -> None:
    with pytest.raises((ValueError, dns.exception.DNSException)):
        read_data(kind, data)


def test_record_that_nobody_asked_for_need_make_no_sense() -> None:
    message = response(
        "shop.example. 60 IN TXT hello", authority=(SOA,), kind=RecordType.TXT
    ).to_wire()
    octets = message.replace(b"\x02ns", b"\x41ns")
    said = read_response(
        parse_response(octets, query_for(RecordType.TXT)), "shop.example", RecordType.TXT
    )

    assert isinstance(said, DnsAnswer)
    assert ("hello",) == said.texts


def test_type_that_dnspython_takes_for_generic_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns.rdata, "_rdata_classes", {})  # as in a new process
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 255, 60, 4) + b"\xc0\0\2\1"
    query = query_for(RecordType.A)
    head = query.octets[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
    dns.message.from_wire(head + query.question + record)  # which is new to it in this class

    assert ("192.0.2.1",) == read_data(RecordType.A, b"\xc0\0\2\1")


def test_name_counts_once_however_it_is_written() -> None:
    written = (b"\xc0\x0c", b"\x04SHOP\x07example\0", b"\x04shop\xc0\x11", b"\x01a\xc0\x0c")

    assert ("shop.example", "a.shop.example") == read_data(RecordType.PTR, *written)


def test_texts_that_are_written_otherwise_are_two_records() -> None:
    assert ("ab", "ab") == read_data(RecordType.TXT, b"\x02ab", b"\x01a\x01b")


def test_flood_of_names_is_read_as_far_as_it_counts() -> None:
    names = [f"{www}customer{n}.com." for www in ("www.", "") for n in range(1_000)]
    records = (f"shop.example. 300 IN PTR {name}" for name in names)
    said = read(response(*records, kind=RecordType.PTR), RecordType.PTR)

    assert isinstance(said, DnsAnswer)
    assert MAX_RECORDS == len({f"{text}." for text in said.texts} & {*names})


def test_flood_of_aliases_under_long_names_costs_little() -> None:
    query = query_for(RecordType.MX)
    first = len(query.octets) - 11 + 12  # where the data of the first record is
    long, junk = b"\1a" * 124 + b"\0", int(dns.rdatatype.NULL)
    aliases = [bytes([1, n]) + (0xC000 | first).to_bytes(2) for n in range(15)]
    head = query.octets[:2] + struct.pack("!5H", 0x8180, 1, 4_500, 0, 0)
    records = [b"\xc0\x0c" + struct.pack("!HHIH", junk, 1, 60, len(long)) + long]
    for owner, target in zip([b"\xc0\x0c", *aliases], aliases, strict=False):
        records.append(owner + struct.pack("!HHIH", 5, 1, 60, len(target)) + target)
    filler = (0xC000 | first).to_bytes(2) + struct.pack("!HHIH", 5, 1, 60, 2) + b"\xc0\x0c"
    records += [filler] * (4_500 - len(records))
    began = time.process_time()
    said = read_response(
        parse_response(head + query.question + b"".join(records), query),
        "shop.example",
        RecordType.MX,
    )
    cost_s = time.process_time() - began

    assert Alias("\\014." + "a." * 123 + "a", 60.0) == said
    assert cost_s < 0.2


def test_record_that_comes_twice_counts_once() -> None:
    message = response("shop.example. 60 IN TXT one", kind=RecordType.TXT).to_wire()
    twice = bytearray(message + message[message.index(b"\xc0\x0c") :])
    twice[7] = 2  # answers
    said = read_response(
        parse_response(bytes(twice), query_for(RecordType.TXT)), "shop.example", RecordType.TXT
    )

    assert isinstance(said, DnsAnswer)
    assert ("one",) == said.texts


def test_records_of_other_names_types_and_classes_are_passed_over() -> None:
    said = read(
        response(
            "other.example. 300 IN MX 10 mx.other.example.",
            "shop.example. 300 IN TXT unasked",
            "shop.example. 300 CH MX 10 mx.chaos.example.",
            "shop.example. 300 IN MX 10 mx.shop.example.",
        )
    )

    assert isinstance(said, DnsAnswer)
    assert (Mx(10, "mx.shop.example"),) == said.mx


def test_alias_is_followed_within_the_response_and_the_shortest_time_holds() -> None:
    said = read(
        response(
            "shop.example. 30 IN CNAME a.example.",
            "a.example. 600 IN CNAME b.example.",
            "b.example. 600 IN MX 10 mx.example.",
        )
    )

    assert isinstance(said, DnsAnswer)
    assert said.mx == (Mx(10, "mx.example"),)
    assert said.ttl_s == 30.0


def test_alias_without_its_target_is_left_open() -> None:
    assert read(response("shop.example. 30 IN CNAME A.example.")) == Alias("a.example", 30.0)


def test_alias_whose_target_has_no_record_is_no_data() -> None:
    assert status(response("shop.example. 30 IN CNAME a.example.", authority=(SOA,))) is (
        DnsStatus.NODATA
    )


def test_alias_whose_target_does_not_exist_does_not_exist() -> None:
    message = response("shop.example. 30 IN CNAME a.example.", rcode="NXDOMAIN")

    assert status(message) is DnsStatus.NXDOMAIN


def test_loop_of_aliases_is_a_failure() -> None:
    loop = response("shop.example. 30 IN CNAME a.example.", "a.example. 30 IN CNAME shop.example.")

    assert status(loop) is DnsStatus.FAILURE


@pytest.mark.parametrize("rcode", ["NXDOMAIN", "NOERROR"])
def test_absence_holds_as_long_as_the_zone_says(rcode: str) -> None:
    said = read(response(authority=(SOA,), rcode=rcode))

    assert isinstance(said, DnsAnswer)
    assert said.status is (DnsStatus.NXDOMAIN if rcode == "NXDOMAIN" else DnsStatus.NODATA)
    assert said.ttl_s == 60.0


@pytest.mark.parametrize(
    "zone",
    [SOA.replace("shop", "bank"), SOA.replace("shop", "www.shop"), SOA.replace(" IN ", " CH ")],
)
def test_absence_does_not_hold_as_long_as_another_zone_says(zone: str) -> None:
    said = read(response(authority=(zone,), rcode="NXDOMAIN"))

    assert isinstance(said, DnsAnswer)
    assert float(NEGATIVE_TTL_S) == said.ttl_s


def test_absence_without_a_zone_is_still_absence() -> None:
    assert status(response()) is DnsStatus.NODATA
    assert status(response(rcode="NXDOMAIN")) is DnsStatus.NXDOMAIN


def test_records_of_a_name_that_does_not_exist_are_a_failure() -> None:
    message = response("shop.example. 300 IN MX 0 mx.example.", rcode="NXDOMAIN")

    assert status(message) is DnsStatus.FAILURE


def test_referral_is_a_failure() -> None:
    assert status(response(authority=("example. 60 IN NS ns.example.",))) is DnsStatus.FAILURE


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "NOTAUTH"])
def test_any_other_code_is_a_failure_that_names_it(rcode: str) -> None:
    expected = failure("shop.example", RecordType.MX, rcode)

    assert read(response(rcode=rcode)) == expected
    assert dislikes_query(parsed(response(rcode=rcode))) is (rcode in ("FORMERR", "NOTIMP"))


def test_code_that_needs_the_room_of_edns_is_read() -> None:
    message = response()
    message.use_edns(0)
    message.set_rcode(dns.rcode.BADVERS)

    assert "BADVERS" == cast(DnsAnswer, read(message)).detail
    assert dislikes_query(parsed(message))


def test_code_without_a_question_is_read() -> None:
    message = response(rcode="SERVFAIL")
    message.question.clear()

    assert "SERVFAIL" == cast(DnsAnswer, read(message)).detail


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\0",
        b"\0\0" + b"time" * 4,
        b"\0\0" + b"time" * 5 + b"rest",
        b"\x41ns\0" + b"time" * 5,
        b"\x02ns\0\xff\xff" + b"time" * 5,
    ],
)
def test_zone_that_makes_no_sense_is_nonsense(data: bytes) -> None:
    query = query_for(RecordType.MX)
    octets = bytearray(one_record(query, dns.rdatatype.SOA, data, rcode=dns.rcode.NXDOMAIN))
    octets[6:10] = b"\0\0\0\1"  # in the authority section
    with pytest.raises(ValueError):
        read_response(parse_response(bytes(octets), query), "shop.example", RecordType.MX)


def test_time_beyond_all_bounds_is_none() -> None:
    octets = response("shop.example. 300 IN MX 10 mx.example.").to_wire()
    ttl = (300).to_bytes(4)
    said = read_response(
        parse_response(octets.replace(ttl, b"\x80" + ttl[1:]), query_for(RecordType.MX)),
        "shop.example",
        RecordType.MX,
    )

    assert 0.0 == said.ttl_s


def test_endless_aliases_are_a_failure() -> None:
    chain = [f"a{n}.example. 30 IN CNAME a{n + 1}.example." for n in range(20)]

    assert status(response("shop.example. 30 IN CNAME a0.example.", *chain)) is DnsStatus.FAILURE


def _by_dnspython(octets: bytes) -> tuple[DnsStatus | None, list[Mx]]:
    """What dnspython would say of a response; None for an alias that leads out of it."""
    message = dns.message.from_wire(octets, ignore_trailing=True)
    assert isinstance(message, dns.message.QueryMessage)
    if message.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return DnsStatus.FAILURE, []
    try:
        chain = message.resolve_chaining()
    except dns.exception.DNSException:
        return DnsStatus.FAILURE, []
    if chain.answer is not None:
        records = [cast(dns.rdtypes.ANY.MX.MX, record) for record in chain.answer]
        hosts = {(each.preference, each.exchange.to_text(True).lower()) for each in records}
        return DnsStatus.OK, [Mx(each, host.removesuffix(".")) for each, host in sorted(hosts)]
    authority = {rrset.rdtype for rrset in message.authority}
    if message.rcode() == dns.rcode.NXDOMAIN or dns.rdatatype.SOA in authority:
        absent = DnsStatus.NXDOMAIN if message.rcode() else DnsStatus.NODATA
        return absent, []
    if chain.cnames:
        return None, []
    return DnsStatus.FAILURE if dns.rdatatype.NS in authority else DnsStatus.NODATA, []


WHOLE = [
    response("shop.example. 300 IN MX 20 b.example.", authority=(SOA,)),
    response("shop.example. 30 IN CNAME b.example.", "b.example. 300 IN MX 20 c.b.example."),
    response("shop.example. 30 IN CNAME b.example."),
    response(authority=(SOA,), rcode="NXDOMAIN"),
    response(authority=("example. 60 IN NS ns.example.",)),
]


@pytest.mark.parametrize("whole", WHOLE)
def test_whatever_dnspython_reads_is_read_as_by_it(whole: dns.message.Message) -> None:
    wire, query = whole.to_wire(), query_for(RecordType.MX)
    query = Query(wire[:2] + query.octets[2:], query.question)
    chance, read_by_both = random.Random(7), 0
    for _ in range(400):
        octets = bytearray(wire)
        for _ in range(chance.randrange(3)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        if not query.is_answered_by(bytes(octets)) or octets[2] & 2:
            continue
        try:
            theirs = _by_dnspython(bytes(octets))
        except (dns.exception.DNSException, ValueError):
            theirs = None
        try:
            ours = read_response(
                parse_response(bytes(octets), query), "shop.example", RecordType.MX
            )
        except (dns.exception.DNSException, ValueError):
            assert theirs is None
            continue
        if theirs is not None:
            said = (None, []) if isinstance(ours, Alias) else (ours.status, [*ours.mx])
            assert theirs == said
            read_by_both += 1

    assert read_by_both > 150
