"""Lookups of Postfix's socketmap, whole, octet by octet, and broken."""

import pytest

from ringback.errors import LocalProtocolError, RemoteProtocolError
from ringback.wire.socketmap import (
    MAX_ANSWER_BYTES,
    MAX_LOOKUP_BYTES,
    Lookup,
    SocketmapReader,
    Status,
    encode,
)

TWO = b"28:ringback bob@ours.example  a,13:ringback @a.b,"
READ = [Lookup("ringback", "bob@ours.example  a"), Lookup("ringback", "@a.b")]


def test_lookups_do_not_depend_on_how_the_octets_arrive() -> None:
    whole = SocketmapReader().feed(TWO)
    reader = SocketmapReader()
    trickled = [lookup for octet in TWO for lookup in reader.feed(bytes([octet]))]

    assert READ == whole == trickled
    assert reader.idle


def test_half_a_lookup_is_not_idle() -> None:
    for half in (b"2", b"28:", b"28:ringback"):
        reader = SocketmapReader()

        assert [] == reader.feed(half)
        assert not reader.idle


def test_an_empty_key_is_a_key() -> None:
    assert [Lookup("ringback", "")] == SocketmapReader().feed(b"9:ringback ,")


@pytest.mark.parametrize(
    "octets",
    [
        b"x",
        b":,",
        b"01:a,",
        b"-1:a,",
        b"99999",
        b"8193:",
        b"3:a bx",
        b"0:,",
        b"3:abc,",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_what_is_no_lookup_ends_the_connection(octets: bytes) -> None:
    reader = SocketmapReader()

    with pytest.raises(RemoteProtocolError):
        reader.feed(octets)
    with pytest.raises(RemoteProtocolError):
        reader.feed(b"9:ringback ,")
    assert not reader.idle


def test_a_good_lookup_before_garbage_is_handed_out() -> None:
    reader = SocketmapReader()

    assert READ[1:] == reader.feed(b"13:ringback @a.b,garbage")
    assert reader.broken


def test_octets_that_are_no_text_are_held() -> None:
    (lookup,) = SocketmapReader().feed(b"3:a \xff,")

    assert "\uefff" == lookup.key


def test_the_longest_lookup_is_read() -> None:
    key = b"x" * (MAX_LOOKUP_BYTES - 2)

    assert 1 == len(SocketmapReader().feed(b"%d:a %b," % (MAX_LOOKUP_BYTES, key)))


@pytest.mark.parametrize(
    ("status", "text", "octets"),
    [
        (Status.OK, "exists", b"9:OK exists,"),
        (Status.NOTFOUND, "", b"9:NOTFOUND ,"),
        (Status.TEMP, "later", b"10:TEMP later,"),
        (Status.PERM, "ü", b"7:PERM \xc3\xbc,"),
    ],
)
def test_answers(status: Status, text: str, octets: bytes) -> None:
    assert octets == encode(status, text)


def test_an_answer_has_its_bound() -> None:
    with pytest.raises(LocalProtocolError):
        encode(Status.OK, "x" * MAX_ANSWER_BYTES)
