"""Octets of others as text."""

import pytest

from ringback.wire.octets import decode_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"ann@shop.example", "ann@shop.example"),
        ("jörg".encode(), "jörg"),
        (b"j\xf6rg", "j\ueff6rg"),
        (b"\xed\xa0\x80", "\uefed\uefa0\uef80"),  # a surrogate, which is no UTF-8
        (b"", ""),
    ],
)
def test_what_is_not_utf8_becomes_private_characters(octets: bytes, text: str) -> None:
    assert text == decode_text(octets)


def test_different_octets_are_different_texts() -> None:
    octets = [bytes([byte]) for byte in range(256)]

    assert 256 == len({decode_text(one) for one in octets})
    assert all(decode_text(one).encode() for one in octets)
