"""Addresses and shown text under fire: a value or AddressError, nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import AddressError
from ringback.values.address import parse_address, parse_domain
from ringback.values.text import printable

CHARS = st.characters(codec=None)


@given(st.text(CHARS), st.text(CHARS))
def test_text_is_an_address_or_an_error(local: str, domain: str) -> None:
    try:
        address = parse_address(f"{local}@{domain}")
    except AddressError:
        return

    assert parse_address(address.key) == address


@given(st.text(CHARS) | st.binary().map(lambda octets: f"[{octets.decode('latin-1')}]"))
def test_text_is_a_domain_or_an_error(text: str) -> None:
    try:
        domain = parse_domain(text)
    except AddressError:
        return

    assert domain.isascii()
    assert domain.isprintable()


@given(st.text(CHARS))
def test_any_text_can_be_shown(text: str) -> None:
    shown = printable(text)

    assert shown == shown.encode("utf-8").decode("utf-8") == printable(shown)
