"""Addresses out of cells and lines."""

import pytest

from ringback.doors.lists.rows import bare, plain_name, without_end


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@shop.example", "ann@shop.example"),
        (" \tann@shop.example  ", "ann@shop.example"),
        ("<ann@shop.example>", "ann@shop.example"),
        ("< ann@shop.example >", "ann@shop.example"),
        ("<>", ""),
        ("m\udcfcller@shop.example", "m\\xfcller@shop.example"),  # Latin-1
        ("müller@shop.example", "müller@shop.example"),
    ],
)
def test_what_surrounds_an_address_is_taken_off(text: str, address: str) -> None:
    assert address == bare(text)


def test_an_address_can_be_written_anywhere() -> None:
    assert bare("\udcff@shop.example").encode()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_a_line_has_one_of_three_ends(end: str) -> None:
    assert ("ann", end) == without_end(f"ann{end}")


def test_names_of_columns_are_read_leniently() -> None:
    names = ["E-Mail", " email ", "Email_Address", "EMAIL ADDRESS", "Mail"]

    assert ["e-mail", "email", "emailaddress", "emailaddress", "mail"] == [*map(plain_name, names)]
