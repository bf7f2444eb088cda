"""Records of CSV, and their delimiter."""

import csv

import pytest

from ringback.doors.lists.records import MAX_CELLS, is_blank, records, sniff_delimiter
from ringback.doors.lists.rows import Row
from ringback.errors import UsageError

from .conftest import Lists, Opens


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"x," * MAX_CELLS, f"line 2: more than {MAX_CELLS} cells; see --delimiter"),
        (b'"' + b"x" * 200_000, "line 2: a cell is longer than 131,072 characters; is a quote"),
        (b'"' + b"x,\n" * 100, "line 2: a quote is opened there and never closed; close it"),
        (b'"a' + b'"",""' * 300_000, "line 2: longer than 1 MiB"),
        (b'"x\n",' * 400_000, "line 2: this record is longer than 1 MiB; is a quote opened there"),
    ],
)
def test_no_record_is_without_bounds(lists: Lists, octets: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=r"list\.csv, ") as refused:
        lists(b"email\n" + octets, "list.csv")

    assert problem in str(refused.value)


@pytest.mark.parametrize(
    "octets",
    [
        b'email\n"ann@shop.example"junk\n',
        b'email,n\n"5" disk",x\n',
        b'email,n\nann@a.example,"open\nbob@b.example,"2\n',
    ],
)
def test_what_stands_behind_a_quote_is_glued_to_nothing(lists: Lists, octets: bytes) -> None:
    with pytest.raises(UsageError, match="line 2: text stands behind a closing quote; write"):
        lists(octets, "list.csv")


def test_quotes_within_a_cell_are_text(opens: Opens) -> None:
    (row,) = records(opens(b'5" disk,the "best"\n'), ",")

    assert ('5" disk', 'the "best"') == row.cells


def test_a_delimiter_may_be_a_space(opens: Opens) -> None:
    (row,) = records(opens(b'a  "b c"\n'), " ")

    assert ("a", "", "b c") == row.cells


def test_a_record_is_kept_as_it_stands(lists: Lists) -> None:
    octets = b'email,"no ""te"\n"ann@a.example","two\r\nlines"\r\nbob@b.example,=1+1'
    listing = lists(octets, "list.csv")
    assert listing.table is not None
    assert listing.table.header is not None

    kept = [listing.table.header, *listing.rows()]

    assert octets.decode() == "".join(row.body + row.end for row in kept)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1;2;3;4", ","),
        ("a\n1;2", ";"),
        ("a,b,c;email", ";"),
        ('"a\n;b",c', ","),
        ("\n\na;b", ";"),
        ("sep=\t\na;b", "\t"),
        ("sep=ab\na;b", ";"),
        ('"' + "x" * (csv.field_size_limit() + 1), ","),
        ("a,b;c,d", ","),
        ("a;b", ";"),
        ('"a,b,c";d', ";"),
        ("a\tb", "\t"),
        ("a", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_commonest_outside_quotes(text: str, delimiter: str) -> None:
    assert delimiter == sniff_delimiter(text)


@pytest.mark.parametrize(
    ("body", "number", "blank"),
    [("", 3, True), (" ; ", 1, True), ("sep=;", 1, True), ("sep=;", 2, False), ("a", 1, False)],
)
def test_blank_is_what_has_no_cell_of_a_table(body: str, number: int, blank: bool) -> None:
    assert blank is is_blank(Row(number, body, "\n", cells=tuple(body.split(";"))))
