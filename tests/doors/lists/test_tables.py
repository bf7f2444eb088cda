"""Lists as CSV."""

import pytest

from ringback.doors.lists.tables import MAX_CELLS, sniff_delimiter
from ringback.errors import UsageError

from .conftest import Lists


def addresses(lists: Lists, octets: bytes, **options: str) -> list[str]:
    return [*lists(octets, "list.csv", **options).addresses()]


@pytest.mark.parametrize(
    "octets",
    [
        b"name,email\nAnn,ann@shop.example\n",
        b"name;email\r\nAnn;ann@shop.example\r\n",
        b"name\temail\rAnn\tann@shop.example\r",
        b"name|E-Mail\nAnn|ann@shop.example",
        b'\xef\xbb\xbf"email",name\nann@shop.example,Ann\n',
        b'"name, in full",Email Address\n"Lee, Ann",<ann@shop.example>\n',
        b"address,email\nThe Way 1,ann@shop.example\n",
        b"email\nann@shop.example\n",
        b"contact\nann@shop.example\n",
        b"1,ann@shop.example\n",
        b'name,email\n"Ann\nLee",ann@shop.example\n',
        b'name,email\nAnn "the" Lee,ann@shop.example\n',
        b"name,email\nM\xfcller\x00,ann@shop.example\n",
    ],
)
def test_the_column_of_addresses_is_found(lists: Lists, octets: bytes) -> None:
    assert ["ann@shop.example"] == addresses(lists, octets)


@pytest.mark.parametrize("column", ["contact", "2"])
def test_the_column_may_be_named_or_numbered(lists: Lists, column: str) -> None:
    octets = b"email,contact\nno,ann@shop.example\n"

    assert ["ann@shop.example"] == addresses(lists, octets, column=column)


def test_a_column_without_a_name_has_a_number(lists: Lists) -> None:
    assert ["bob@b.example"] == addresses(lists, b"ann@a.example,bob@b.example\n", column="2")


@pytest.mark.parametrize(
    ("octets", "column", "problem"),
    [
        (b"", None, "it is empty; its first line names the columns"),
        (
            b"id,name\n1,Ann\n",
            None,
            'no column of addresses among "id", "name"; name it with --column',
        ),
        (
            b"a,b,c,d,e,f,g,h,i\n",
            None,
            'among "a", "b", "c", "d", "e", "f", "g", "h" …; name it with --column',
        ),
        (
            b"email,Email\n",
            None,
            'more than one column is called "email"; give its number with --column',
        ),
        (
            b"to,to\n",
            "to",
            'more than one column is called "to"; give its number with --column',
        ),
        (b"id,name\n", "\x1b[2J", 'there is no column "\\x1b[2J" among "id", "name"'),
        (b"id,name\n", "3", 'there is no column "3" among "id", "name"'),
        (
            b"a@b.example,x\n",
            "to",
            'there is no column "to" among 2 without names; give its number',
        ),
        (b'name,email\n"Ann,x\nBob,y\n', None, "line 2: a quote is opened there and never closed"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_remedy(
    lists: Lists, octets: bytes, column: str | None, problem: str
) -> None:
    with pytest.raises(UsageError) as refused:
        [*lists(octets, "list.csv", column=column).rows()]

    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"x," * MAX_CELLS, f"line 2: more than {MAX_CELLS} cells; see --delimiter"),
        (b'"' + b"x" * 200_000, "line 2: field larger than field limit"),
        (b'"' + b"x,\n" * 100, "line 2: a quote is opened there and never closed; close it"),
        (b'"a' + b'"",""' * 300_000, "line 2: longer than 1 MiB"),
        (b'"x\n",' * 400_000, "line 2: this record is longer than 1 MiB; is a quote opened there"),
    ],
)
def test_no_record_is_without_bounds(lists: Lists, octets: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=r"list\.csv, ") as refused:
        lists(b"email\n" + octets, "list.csv")

    assert problem in str(refused.value)


def test_ragged_rows_are_counted_and_none_is_lost(lists: Lists) -> None:
    listing = lists(b"name,email\nAnn,ann@a.example,1,2\n\nBob\nCy,cy@c.example\n,\n", "list.csv")

    assert listing.table is not None
    assert (4, 2, 2) == (listing.table.width, listing.table.ragged, listing.table.first_ragged)
    assert [
        (2, "ann@a.example", ""),
        (3, "", ""),
        (4, "", "this row ends before the column of addresses"),
        (5, "cy@c.example", ""),
        (6, "", "no address in this row"),
    ] == [(row.number, row.address, row.problem) for row in listing.rows()]


def test_a_record_is_kept_as_it_stands(lists: Lists) -> None:
    octets = b'email,"no ""te"\n"ann@a.example","two\r\nlines"x\r\nbob@b.example,=1+1'
    listing = lists(octets, "list.csv")
    assert listing.table is not None
    assert listing.table.header is not None

    kept = [listing.table.header, *listing.rows()]

    assert octets.decode() == "".join(row.body + row.end for row in kept)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a,b;c,d", ","), ("a;b", ";"), ('"a,b,c";d', ";"), ("a\tb", "\t"), ("a", ","), ("", ",")],
)
def test_the_delimiter_is_the_commonest_outside_quotes(text: str, delimiter: str) -> None:
    assert delimiter == sniff_delimiter(text)


def test_the_delimiter_may_be_given(lists: Lists) -> None:
    octets = b"a,b:email\n1,2:ann@shop.example\n"

    assert ["ann@shop.example"] == addresses(lists, octets, delimiter=":")
