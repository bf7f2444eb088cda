"""What a filter says to an MTA, octet by octet."""

import pytest

from ringback.errors import LocalProtocolError
from ringback.wire.milter import Options
from ringback.wire.milter_answers import (
    CONTINUE,
    MAX_REPLY_BYTES,
    MacroStage,
    encode_first_header,
    encode_options,
    encode_packet,
    encode_removal,
    encode_reply,
)


def test_a_packet_is_its_length_a_letter_and_the_rest() -> None:
    assert b"\0\0\0\1c" == CONTINUE
    assert b"\0\0\0\3Hx\0" == encode_packet(b"H", b"x\0")


def test_options_are_three_numbers_and_lists_of_macros() -> None:
    options = Options(6, 0x111, 0xF0)
    numbers = b"\0\0\0\6\0\0\1\x11\0\0\0\xf0"

    assert b"\0\0\0\x0dO" + numbers == encode_options(options, {})
    assert b"\0\0\0\x15O" + numbers + b"\0\0\0\2i j\0" == encode_options(
        options, {MacroStage.MAIL: "i j"}
    )


def test_a_reply_goes_to_the_client_with_its_percent_signs_doubled() -> None:
    encoded = encode_reply("550 5.1.7 <50%off@shop.example> does not exist")

    assert encode_packet(b"y", b"550 5.1.7 <50%%off@shop.example> does not exist\0") == encoded
    assert encode_packet(b"y", b"450 4.1.7 later\0") == encode_reply("450 4.1.7 later")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("250 2.0.0 Ok", "not a refusal"),
        ("", "not a refusal"),
        ("5x0 5.1.7 no", "not a refusal"),
        ("550", "not a refusal"),
        ("550-5.1.7 no", "not a refusal"),
        ("550 5.1.7 a\r\n250 b", "not printable ASCII"),
        ("550 5.1.7 a\0b", "not printable ASCII"),
        ("550 5.1.7 jörg", "not printable ASCII"),
        ("550 5.1.7 " + "%" * (MAX_REPLY_BYTES // 2), "a reply of 991 bytes"),
    ],
)
def test_nothing_but_a_refusal_in_one_line_is_a_reply(reply: str, why: str) -> None:
    with pytest.raises(LocalProtocolError, match=why):
        encode_reply(reply)


def test_a_header_is_removed_by_its_number() -> None:
    assert encode_packet(b"m", b"\0\0\0\2X-One\0\0") == encode_removal("X-One", 2)


def test_a_header_is_put_above_the_others_and_folded() -> None:
    assert encode_packet(b"i", b"\0\0\0\0X-One\0a;\n\tb\0") == encode_first_header(
        "X-One", ("a;", "b")
    )


def test_no_line_end_gets_into_a_header_but_to_fold_it() -> None:
    with pytest.raises(LocalProtocolError, match="not printable ASCII"):
        encode_first_header("X-One", ("a\nBcc: all",))
