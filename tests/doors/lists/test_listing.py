"""Which form a list has."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.assemble import flag_lists
from ringback.doors.lists.listing import Form, Listing, form_by_suffix
from ringback.doors.lists.source import Source
from ringback.doors.lists.writing import COLUMNS, writer_of
from ringback.errors import UsageError
from ringback.values.job import Task
from ringback.values.query import Report
from ringback.values.verdict import Reason

from .conftest import Lists

# What means something to one of the readers, and what means nothing to any.
PIECES = [b'"', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\x00", b"\xef\xbb\xbf", b"\xff", b"#"]
PIECES += [b"email", b"name", b"ann@shop.example", b"=1+1", b"{", b"}", b'{"email": "a@b.example"}']
PIECES += ["ü\u2028\u202e".encode(), b"<", b">", b" ", b"x"]
OCTETS = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
REPORT = Report("", Reason.NOT_ASKED, final=True, checked_at=0.0, rule="a rule")


def as_csv(octets: bytes, delimiter: str) -> list[list[str]]:
    text = octets.decode("utf-8", "surrogateescape")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    return list(rows)


@given(octets=OCTETS, form=st.sampled_from(Form), to=st.sampled_from(Form))
def test_any_octets_are_a_list_or_a_mistake_that_is_told(
    octets: bytes, form: Form, to: Form
) -> None:
    with tempfile.TemporaryFile() as opened:
        opened.write(octets)
        opened.seek(0)
        try:
            source = Source(opened, "list")
            listing = Listing(source, form, None, None)
            rows = list(listing.rows())
        except UsageError:
            return
        writer = writer_of(listing, to, flag_lists())
        written = [writer.row(row, REPORT if row.address else None) for row in rows]
        out = writer.head() + b"".join(written)

    header = listing.table.header if listing.table else None
    mark = b"\xef\xbb\xbf" if source.has_mark else b""
    before = listing.table.preamble if listing.table else ""
    kept = before + "".join(row.body + row.end for row in (*filter(None, [header]), *rows))
    assert octets == mark + kept.encode("utf-8", "surrogateescape")
    assert all(Task.parse(row.address).key.encode() for row in rows if row.address)
    assert all(not one or one.endswith((b"\n", b"\r")) for one in written)
    if to is Form.JSONL:
        assert [row.number for row in rows if row.address or row.problem] == [
            json.loads(line)["line"] for line in out.splitlines()
        ]
    elif to is Form.CSV and listing.table:
        delimiter, above = listing.table.delimiter, mark + listing.table.preamble.encode()
        was, now = (as_csv(it.removeprefix(above), delimiter) for it in (octets, out))
        assert was == [row[: len(cells)] for cells, row in zip(was, now, strict=True)]
        assert {0, listing.table.width + len(COLUMNS)} >= {len(row) for row in now}


@pytest.mark.parametrize(
    ("name", "octets", "form"),
    [
        ("list.txt", b"a,b\n", Form.TEXT),
        ("LIST.CSV", b"email\n", Form.CSV),
        ("list.tsv", b"email\n", Form.CSV),
        ("list.ndjson", b"", Form.JSONL),
        ("list", b"\n{}\n", Form.JSONL),
        ("list", b"name;email\n", Form.CSV),
        ("list", b"ann@shop.example\n", Form.TEXT),
        ("list", b"", Form.TEXT),
        ("list", b"# ours, all of them\n\nann@shop.example\n", Form.TEXT),
    ],
)
def test_a_form_is_told_by_name_or_content(
    lists: Lists, name: str, octets: bytes, form: Form
) -> None:
    assert form is lists(octets, name).form


def test_a_form_may_be_given(lists: Lists) -> None:
    listing = lists(b"email,name\nann@shop.example,Ann\n", "list.txt", form=Form.CSV)

    assert ["ann@shop.example"] == [*listing.addresses()]


def test_a_suffix_tells_a_form() -> None:
    assert [Form.JSONL, None] == [form_by_suffix(Path(name)) for name in ("a.JSONL", "a.out")]


def test_an_array_is_no_table_whatever_its_name(lists: Lists) -> None:
    with pytest.raises(UsageError, match="this is one JSON array"):
        lists(b'[{"email": "ann@shop.example"}, {}]', "list")


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("list.txt", {"column": "email"}, "this is read as txt, which has none for --column; say"),
        (
            "list.txt",
            {"delimiter": ";"},
            "this is read as txt, which has none for --delimiter; say",
        ),
        ("list.jsonl", {"delimiter": ";"}, "this is read as jsonl, which has none for --delimiter"),
    ],
)
def test_an_option_that_would_not_be_heeded_is_refused(
    lists: Lists, name: str, options: dict[str, str], problem: str
) -> None:
    with pytest.raises(UsageError) as refused:
        lists(b"ann@shop.example\n", name, **options)

    assert problem in str(refused.value)
