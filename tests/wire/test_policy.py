"""Postfix policy delegation, as bytes."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import AddressError, LocalProtocolError, RemoteProtocolError
from ringback.values.address import parse_address
from ringback.values.text import printable
from ringback.wire.policy import (
    MAX_ATTRIBUTES,
    MAX_LINE_BYTES,
    MAX_REQUEST_BYTES,
    PolicyReader,
    PolicyRequest,
    encode,
)

VECTORS = sorted((Path(__file__).parent.parent / "vectors" / "policy").glob("*.txt"))
GOOD = b"request=smtpd_access_policy\nsender=ann@shop.example\n\n"
ANN = PolicyRequest(request="smtpd_access_policy", sender="ann@shop.example")


def read(*pieces: bytes) -> tuple[list[PolicyRequest], str]:
    """Feed the pieces; return the requests, and the error that ended it, or ""."""
    reader = PolicyReader()
    requests: list[PolicyRequest] = []
    try:
        for piece in (*pieces, b""):
            requests += reader.feed(piece)
    except RemoteProtocolError as error:
        return requests, str(error)
    return requests, ""


def octets(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def load(vector: Path) -> tuple[bytes, list[dict[str, str]], str]:
    stream, expected, error = b"", [], ""
    for line in vector.read_text("utf-8").splitlines():
        mark, rest = line[:1], line[2:].strip(" ")
        if mark == "C":
            stream += rest.encode("ascii").decode("unicode_escape").encode("latin-1") + b"\n"
        elif mark == "=":
            words = rest.replace(r"\ueff6", "\ueff6").split(" ")
            expected.append(dict(zip(words[::2], words[1::2], strict=True)))
        elif mark == "!":
            error = rest
    return stream, expected, error


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.stem)
def test_vectors_whole_and_octet_by_octet(vector: Path) -> None:
    stream, expected, error = load(vector)

    whole = read(stream)
    said = [
        {name: value for name, value in msgspec.structs.asdict(one).items() if value}
        for one in whole[0]
    ]

    assert said == expected
    assert whole[1] == error
    assert whole == read(*octets(stream))


def test_requests_are_complete_only_at_the_empty_line() -> None:
    reader = PolicyReader()

    assert reader.idle
    assert reader.feed(GOOD[:-1]) == []
    assert not reader.idle
    assert reader.feed(b"\n") == [ANN]
    assert reader.idle


@pytest.mark.parametrize(
    "stream",
    [
        GOOD * 3,
        GOOD + b"\n",
        b"\n\n",
        GOOD[:-1] + b"sender=ann@shop.example\n\n",
        GOOD[:-1] + b"sender=bob@shop.example\n\n",
        GOOD[:-1] + b"=\n\n",
        GOOD[:-1] + b"x\n\n",
        GOOD[:-1] + b"helo_name=a=b=\n\n",
        GOOD[:-1] + b"helo_name=\0\n\n",
        GOOD[:-1] + b"helo_name=\r\n\r\n",
        b"sender=ann@shop.example\r\nrequest=smtpd_access_policy\n\n",
        GOOD[:-1] + b"helo_name=\xc3\xa4\n\n",
        GOOD[:-1] + b"".join(b"a%d=\n" % number for number in range(MAX_ATTRIBUTES)) + b"\n",
        b"request=other\n\n",
        b"sender=\n\n",
        GOOD + b"request=other\n\n",
    ],
)
def test_what_comes_whole_is_read_as_what_comes_octet_by_octet(stream: bytes) -> None:
    assert read(*octets(stream)) == read(stream)


def test_the_last_piece_of_a_request_is_not_read_as_a_whole_one() -> None:
    pieces = b"sender=ann@shop.example\n", b"request=smtpd_access_policy\n\n"

    assert ([ANN], "") == read(*pieces)


def test_trailing_bytes_wait_for_their_end() -> None:
    reader = PolicyReader()

    assert reader.feed(GOOD + b"r") == [ANN]
    assert not reader.idle
    assert reader.feed(GOOD[1:]) == [ANN]


def test_good_requests_before_garbage_come_first_and_the_error_stands() -> None:
    reader = PolicyReader()

    assert reader.feed(GOOD + GOOD + b"garbage\n" + GOOD) == [ANN, ANN]
    assert not reader.idle
    assert str(reader.broken) == "not a line of name=value"
    with pytest.raises(RemoteProtocolError, match="not a line"):
        reader.feed(GOOD)


LONG = b"sender=" + b"a" * (MAX_LINE_BYTES - len(b"sender="))
FILLER = b"x=" + b"y" * 1_021 + b"\n"  # 1 KiB
# (stream, how it ends); all are longer than any limit allows, by one octet or by far.
TOO_MUCH = {
    "a line of 100 kB": (b"request=" + b"x" * 100_000 + b"\n\n", "line exceeds"),
    "a line that never ends": (b"z" * (MAX_LINE_BYTES + 1), "line exceeds"),
    "a line that is one octet too long": (LONG + b"a\n\n", "line exceeds"),
    "a request that never ends": (FILLER * 70, "request exceeds"),
    "a request that ends too late": (FILLER * 64 + b"request=smtpd_access_policy\n\n", "request"),
    "a long line at the end of a long request": (FILLER * 63 + b"x" * 9_000, "request exceeds"),
    "attributes that never end": (b"a=\n" * (MAX_ATTRIBUTES + 1), "attributes"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_what_is_too_much_is_too_much_however_it_arrives(case: str) -> None:
    stream, why = TOO_MUCH[case]
    requests, error = read(GOOD + stream)

    assert requests == [ANN]
    assert why in error
    assert read(*octets(GOOD + stream)) == ([ANN], error)


def test_limits_are_reached_before_they_refuse() -> None:
    head = b"request=smtpd_access_policy\n"
    many = head + b"a=\n" * (MAX_ATTRIBUTES - 1) + b"\n"
    big = head + FILLER * ((MAX_REQUEST_BYTES - len(head)) // len(FILLER)) + b"\n"

    assert len(read(head + LONG + b"\n\n")[0][0].sender) == MAX_LINE_BYTES - len("sender=")
    assert len(read(many + big)[0]) == 2


def test_each_request_has_its_own_limits() -> None:
    request = b"request=smtpd_access_policy\n" + FILLER * 60 + b"\n"

    requests, error = read(request * 3)

    assert (len(requests), error) == (3, "")


def test_octets_beyond_utf8_stay_apart_and_are_no_address() -> None:
    senders = [
        read(GOOD.replace(b"ann@", octet + b"nn@"))[0][0].sender
        for octet in (b"\x80", b"\xff", b"\xed\xb2\x80", rb"\xff")
    ]

    assert len(set(senders)) == 4
    assert printable(senders[1]) == r"\uefffnn@shop.example"
    assert senders[1].encode("utf-8").decode("utf-8") == senders[1]
    for sender in senders:
        with pytest.raises(AddressError):
            parse_address(sender)


def test_an_octet_beyond_utf8_in_quotes_does_not_name_another_mailbox() -> None:
    sender = read(GOOD.replace(b"ann@", b'"a\xffb"@'))[0][0].sender

    with pytest.raises(AddressError):
        parse_address(sender)


@pytest.mark.parametrize(
    ("action", "octets_sent"),
    [
        ("DUNNO", b"action=DUNNO\n\n"),
        ("550 5.1.7 no", b"action=550 5.1.7 no\n\n"),
    ],
)
def test_actions_are_encoded(action: str, octets_sent: bytes) -> None:
    assert encode(action) == octets_sent


@pytest.mark.parametrize("action", ["", "DUNNO\n", "550 a\raction=OK", "550 \x00", "550 ö", "a\t"])
def test_an_answer_that_could_be_two_is_a_bug_of_ours(action: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode(action)


LINES = st.sampled_from(
    [
        b"request=smtpd_access_policy\n",
        b"request=x\n",
        b"sender=ann@shop.example\n",
        b"sender=\xff\r\n",
        b"x=y\n",
        b"\n",
        b"\r\n",
        b"\0",
        b"=",
    ]
)


@given(st.lists(LINES | st.binary(max_size=12), max_size=24), st.data())
def test_what_is_read_does_not_depend_on_how_the_stream_was_cut(
    lines: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]

    assert read(stream) == read(*pieces) == read(*octets(stream))
