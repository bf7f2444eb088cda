"""Addresses out of cells and lines."""

import pytest

from ringback.doors.lists.rows import address_in, bare, plain_name, without_end


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


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("Ann Lee <ann@shop.example>", "ann@shop.example"),
        ("mailto:ann@shop.example", "ann@shop.example"),
        ("'ann@shop.example'", "ann@shop.example"),
        ("ann@shop.example.", "ann@shop.example"),
        ("ann@shop.example\u200b", "ann@shop.example"),
        ("\ufeffann@shop.example", "ann@shop.example"),
        ("ann@shop.example,Ann", "ann@shop.example"),
        ("ann@a.example; bob@b.example", "ann@a.example"),
    ],
)
def test_more_than_an_address_is_not_judged(text: str, inside: str) -> None:
    said = f"it is no address, though {inside} in it is one; write that alone"

    assert ("", said) == address_in(text)


@pytest.mark.parametrize(
    "text", ["nonsense", "ann@", "@shop.example", "a..b@shop.example", "ann@@shop.example", "@"]
)
def test_what_is_no_address_has_its_verdict(text: str) -> None:
    assert (text, "") == address_in(text)


def test_an_address_is_looked_for_in_so_much_of_a_line_and_no_more() -> None:
    text = "x" * 10_000 + " ann@shop.example"

    assert (text, "") == address_in(text)


@pytest.mark.parametrize("text", ["m\udcfcller@shop.example", '"m\udcfc"@shop.example'])
def test_octets_that_are_no_utf_8_are_nobodys_address(text: str) -> None:
    assert ("", "it is not written in UTF-8; save the list so") == address_in(text)


def test_an_address_can_be_written_anywhere() -> None:
    assert bare("\udcff@shop.example").encode()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_a_line_has_one_of_three_ends(end: str) -> None:
    assert ("ann", end) == without_end(f"ann{end}")


def test_names_of_columns_are_read_leniently() -> None:
    names = ["E-Mail (required)", " email ", "Email_Address", "EMAIL ADDRESS", "Mail"]

    assert ["e-mail", "email", "emailaddress", "emailaddress", "mail"] == [*map(plain_name, names)]
