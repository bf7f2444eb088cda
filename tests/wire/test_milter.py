"""Packets of the milter protocol, as an MTA writes them."""

import struct

import pytest

from ringback.errors import RemoteProtocolError
from ringback.wire.milter import (
    MAX_PACKET_BYTES,
    MAX_SKIMMED_BYTES,
    Command,
    Options,
    Packet,
    PacketReader,
    Peer,
    parse_connect,
    parse_header_name,
    parse_macros,
    parse_options,
    parse_path,
    parse_text,
)
from ringback.wire.milter_answers import encode_packet

# A conversation of Postfix 3.10, its body left out as we ask for.
STREAM = b"".join(
    [
        encode_packet(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)),
        encode_packet(b"D", b"Cj\0mx.home.test\0{daemon_name}\0mx.home.test\0"),
        encode_packet(b"C", b"localhost\x004\x04\xd2127.0.0.1\0"),
        encode_packet(b"H", b"client.test\0"),
        encode_packet(b"M", b"<ann@shop.example>\0SIZE=100\0"),
        encode_packet(b"R", b"<you@home.test>\0"),
        encode_packet(b"L", b"Subject\0 test\0"),
        encode_packet(b"E"),
        encode_packet(b"A"),
        encode_packet(b"Q"),
    ]
)
LETTERS = "ODCHMRLEAQ"


def read(*pieces: bytes) -> list[Packet]:
    reader = PacketReader()
    return [packet for piece in pieces for packet in reader.feed(piece)]


def refusal_of(octets: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        read(octets)
    return str(caught.value)


def test_packets_do_not_depend_on_how_the_octets_arrive() -> None:
    whole = read(STREAM)
    trickled = read(*[STREAM[at : at + 1] for at in range(len(STREAM))])
    halves = [read(STREAM[:at], STREAM[at:]) for at in range(len(STREAM))]

    assert LETTERS == "".join(packet.command.value.decode() for packet in whole)
    assert whole == trickled
    assert all(whole == half for half in halves)


def test_a_reader_is_idle_between_packets_only() -> None:
    reader = PacketReader()
    idle = []
    for octet in encode_packet(b"H", b"x\0"):
        idle.append(reader.idle)
        reader.feed(bytes([octet]))

    assert [True, *[False] * 6] == idle
    assert reader.idle


def test_what_follows_a_packet_belongs_to_the_next() -> None:
    reader = PacketReader()
    packets = reader.feed(encode_packet(b"A") + b"\0\0")

    assert [Packet(Command.ABORT)] == packets
    assert not reader.idle


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\0\0\0\0A", "ABORT of 0 bytes, where at most 65536 are read"),
        (b"\0\1\0\1M", "MAIL of 65537 bytes, where at most 65536 are read"),
        (b"\xff\xff\xff\xffB", "BODY of 4294967295 bytes, where at most 1049600 are read"),
        (b"GET / HTTP/1.1\r\n", "not a packet of the milter protocol"),
        (b"EHLO client\r\n", "not a packet of the milter protocol"),
        (b"\0\0\0\1z", "not a packet of the milter protocol"),
        (b"\0\0\0\1\xff", "not a packet of the milter protocol"),
    ],
)
def test_what_is_no_packet_is_refused_at_its_head(octets: bytes, why: str) -> None:
    assert why == refusal_of(octets)


def test_good_packets_before_garbage_are_handed_out_first() -> None:
    reader = PacketReader()

    assert [Packet(Command.ABORT)] == reader.feed(encode_packet(b"A") + b"garbage")
    assert not reader.idle
    assert reader.broken is not None
    with pytest.raises(RemoteProtocolError, match="not a packet"):
        reader.feed(b"")


def test_the_largest_packet_is_read_whole() -> None:
    octets = b"x" * (MAX_PACKET_BYTES - 2) + b"\0"

    assert [Packet(Command.HELO, octets)] == read(encode_packet(b"H", octets))


@pytest.mark.parametrize(
    ("letter", "kept"),
    [(b"B", b""), (b"E", b""), (b"U", b""), (b"L", b"Subject\0" + b"x" * 56)],
)
def test_what_we_do_not_need_is_dropped_as_it_arrives(letter: bytes, kept: bytes) -> None:
    octets = b"Subject\0" + b"x" * (MAX_SKIMMED_BYTES - 9)
    packet = encode_packet(letter, octets)
    pieces = [packet[at : at + 4_096] for at in range(0, len(packet), 4_096)]

    assert [Packet(Command(letter), kept), Packet(Command.QUIT)] == read(
        *pieces, encode_packet(b"Q")
    )


# What packets hold.


def test_an_offer_is_three_numbers() -> None:
    assert Options(6, 0x1FF, 0x1FFFFF) == parse_options(struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
    assert Options(7, 1, 2) == parse_options(struct.pack(">IIIb", 7, 1, 2, 9))
    with pytest.raises(RemoteProtocolError, match="too short"):
        parse_options(struct.pack(">II", 6, 0x1FF))


@pytest.mark.parametrize(
    ("octets", "peer"),
    [
        (b"mx.shop.example\x004\0\x19192.0.2.1\0", Peer("mx.shop.example", "192.0.2.1")),
        (b"[192.0.2.1]\x004\0\x19192.0.2.1\0", Peer("[192.0.2.1]", "192.0.2.1")),
        (b"mx\x006\0\x19IPv6:2001:DB8::1\0", Peer("mx", "2001:db8::1")),
        (b"mx\x006\0\x192001:db8::1\0", Peer("mx", "2001:db8::1")),
        (b"mx\x006\0\x19::ffff:192.0.2.1\0", Peer("mx", "192.0.2.1")),
        (b"localhost\0L\0\0/run/socket\0", Peer("localhost", "")),
        (b"localhost\0U", Peer("localhost", "")),
        (b"unknown\0U\0\0unknown\0", Peer("unknown", "")),
        (b"mx\x004\0\x19not an address\0", Peer("mx", "")),
        (b"mx\x004\0\x19\0", Peer("mx", "")),
        (b"m\xff\0U", Peer("m\uefff", "")),
    ],
)
def test_who_is_connected(octets: bytes, peer: Peer) -> None:
    assert peer == parse_connect(octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "unknown family"),
        (b"mx.shop.example", "unknown family"),
        (b"mx\0", "unknown family"),
        (b"mx\0X\0\x19192.0.2.1\0", "unknown family"),
        (b"mx\x004", "not whole"),
        (b"mx\x004\0", "not whole"),
        (b"mx\x004\0\x19192.0.2.1", "not whole"),
        (b"mx\x004\0\0", "not whole"),
    ],
)
def test_half_a_client_is_none(octets: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        parse_connect(octets)


@pytest.mark.parametrize(
    ("octets", "path"),
    [
        (b"<ann@shop.example>\0", "ann@shop.example"),
        (b"<ann@shop.example>\0SIZE=100\0BODY=8BITMIME\0", "ann@shop.example"),
        (b"<>\0", ""),
        (b"\0", ""),
        (b"ann@shop.example\0", "ann@shop.example"),
        (b" ann@shop.example \0", "ann@shop.example"),
        (b"Ann Smith <ann@shop.example>\0", "ann@shop.example"),
        (b"<@a.example,@b.example:ann@shop.example>\0", "ann@shop.example"),
        (b"<@a.example>\0", "@a.example"),
        (b'<"a<b>@c:d"@shop.example>\0', '"a<b>@c:d"@shop.example'),
        (b'"a<b"@shop.example\0', '"a<b"@shop.example'),
        (b"ann>\0", "ann>"),
        (b"<j\xf6rg@shop.example>\0", "j\ueff6rg@shop.example"),
        ("<jörg@shop.example>\0SMTPUTF8\0".encode(), "jörg@shop.example"),
    ],
)
def test_a_path_is_an_address_however_it_is_dressed(octets: bytes, path: str) -> None:
    assert path == parse_path(octets)


@pytest.mark.parametrize("octets", [b"", b"x", b"x\0y"])
def test_a_string_has_an_end(octets: bytes) -> None:
    for parse in (parse_text, parse_path):
        with pytest.raises(RemoteProtocolError, match="a string without its end"):
            parse(octets)


def test_macros_are_for_a_command() -> None:
    octets = b"M{auth_type}\0PLAIN\0{auth_authen}\0ann\0i\x004c1\0{mail_addr}\0\0"
    named = {"auth_type": "PLAIN", "auth_authen": "ann", "i": "4c1", "mail_addr": ""}

    assert (b"M", named) == parse_macros(octets)
    assert (b"C", {}) == parse_macros(b"C")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "a macro without its value"),
        (b"M{auth_type}\0", "a macro without its value"),
        (b"M{auth_type}\0PLAIN\0x\0", "a macro without its value"),
        (b"M{auth_type}\0PLAIN", "a string without its end"),
    ],
)
def test_half_a_macro_is_none(octets: bytes, why: str) -> None:
    with pytest.raises(RemoteProtocolError, match=why):
        parse_macros(octets)


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"Subject\0 test\0", "Subject"),
        (b"Subject \0test\0", "Subject"),
        (b"Subject", "Subject"),
        (b"\0test\0", ""),
        (b"", ""),
    ],
)
def test_of_a_header_the_name_is_read(octets: bytes, name: str) -> None:
    assert name == parse_header_name(octets)
