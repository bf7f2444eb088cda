"""Lists as CSV."""

import pytest

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
        b'"First\nName";email\nAnn;ann@shop.example\n',
        b"First\x0bName;email\nAnn;ann@shop.example\n",
        "First\u2028Name;email\nAnn;ann@shop.example\n".encode(),
        b"Surname, first name;E-Mail\nLee;ann@shop.example\n",
        b"Lee, Ann;ann@shop.example\n",
        b"Ann|ann@shop.example\n",
        b'name, email\nAnn, "ann@shop.example"\n',
        b"\n,\nname,email\nAnn,ann@shop.example\n",
        b"sep=;\r\nname, full;email\r\nAnn;ann@shop.example\r\n",
        b'\xef\xbb\xbf"SEP=|"\nemail|a,b,c\nann@shop.example|\n',
        b"name,E-Mail (like a@b.example)\nAnn,ann@shop.example\n",
        b"@ann,ann@shop.example\n",
        b"email\nann@shop.example,Ann\n",
    ],
)
def test_the_column_of_addresses_is_found(lists: Lists, octets: bytes) -> None:
    assert ["ann@shop.example"] == addresses(lists, octets)


@pytest.mark.parametrize("column", ["contact", "2"])
def test_the_column_may_be_named_or_numbered(lists: Lists, column: str) -> None:
    octets = b"email,contact\nno,ann@shop.example\n"

    assert ["ann@shop.example"] == addresses(lists, octets, column=column)


def test_the_name_of_a_column_may_have_an_address_in_it(lists: Lists) -> None:
    octets = b"Me (like a@b.example),id\nann@shop.example,1\n"

    assert ["ann@shop.example"] == addresses(lists, octets, column="Me (like a@b.example)")


def test_the_column_that_is_wanted_tells_the_delimiter(lists: Lists) -> None:
    octets = b"a, b, c;contact\n1;ann@shop.example\n"

    assert ["ann@shop.example"] == addresses(lists, octets, column="contact")


def test_a_first_row_without_a_header_is_asked_even_with_a_slip(lists: Lists) -> None:
    assert ["ann@@a.example", "bob@b.example"] == addresses(
        lists, b"Ann,ann@@a.example\nBob,bob@b.example\n"
    )


def test_a_cell_that_has_more_than_an_address_is_a_problem_and_no_verdict(lists: Lists) -> None:
    (row,) = lists(b"email\nAnn Lee <ann@shop.example>\n", "list.csv").rows()

    assert "" == row.address
    assert "it is no address, though ann@shop.example in it is one; write that alone" == row.problem


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
        (b"id,name\n", "9" * 5_000, 'among "id", "name"'),
        (b"\n \n", None, "it is empty; its first line names the columns"),
        (b"@ann,me@\n", None, "more than one column may be that of the addresses; give its number"),
        (
            b"# of today\nemail,n\nann@shop.example,1\n",
            None,
            'line 1: "# of today" stands alone, and line 2 has 2 cells; take off what stands before',
        ),
    ],
)
def test_what_cannot_be_read_is_said_with_its_remedy(
    lists: Lists, octets: bytes, column: str | None, problem: str
) -> None:
    with pytest.raises(UsageError) as refused:
        [*lists(octets, "list.csv", column=column).rows()]

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


def test_the_delimiter_may_be_given(lists: Lists) -> None:
    octets = b"a,b:email\n1,2:ann@shop.example\n"

    assert ["ann@shop.example"] == addresses(lists, octets, delimiter=":")
