"""Lists of a JSON object a line."""

import pytest

from ringback.errors import UsageError

from .conftest import Lists


@pytest.mark.parametrize(
    ("line", "address", "problem"),
    [
        (b'{"email": "ann@shop.example"}', "ann@shop.example", ""),
        (b'{"address": "Way 1", "E-Mail": " ann@shop.example"}', "ann@shop.example", ""),
        (b'{"name": "Ann"}', "", 'no member "email" in this object'),
        (b'{"email": ""}', "", 'its member "email" is empty'),
        (b'{"email": 7}', "", 'its member "email" is no text'),
        (b"ann@shop.example", "", "this line is not a JSON object"),
        (b'"ann@shop.example"', "", "this line is not a JSON object"),
        (b'{"email": "m\xfcller@shop.example"}', "", "this line is not a JSON object"),
        (b'{"email": "\\ud800@shop.example"}', "", "this line is not a JSON object"),
        (b"[" * 100_000, "", "this line is not a JSON object"),
        (b'{"a":' * 100_000, "", "this line is not a JSON object"),
        (b"  ", "", ""),
    ],
)
def test_a_line_has_an_address_or_says_why_not(
    lists: Lists, line: bytes, address: str, problem: str
) -> None:
    (_, row) = lists(b"{}\n" + line, "list.jsonl").rows()

    assert (2, address, problem) == (row.number, row.address, row.problem)


def test_the_member_may_be_named(lists: Lists) -> None:
    listing = lists(b'{"email": "x", "to": "ann@shop.example"}\n{}', "list.jsonl", column="to")

    assert [("ann@shop.example", ""), ("", 'no member "to" in this object')] == [
        (row.address, row.problem) for row in listing.rows()
    ]


def test_an_array_is_refused_with_the_way_out(lists: Lists) -> None:
    with pytest.raises(UsageError, match="this is one JSON array; write an object a line: jq -c"):
        lists(b'[\n {"email": "ann@shop.example"}]', "list.json")
