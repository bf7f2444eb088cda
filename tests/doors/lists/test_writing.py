"""Rows with their reports, in each form."""

import csv
import io
import json

import pytest

from ringback.assemble import flag_lists
from ringback.doors.lists.listing import Form, Listing
from ringback.doors.lists.writing import (
    COLUMNS,
    encode_record,
    our_names,
    unique_names,
    writer_of,
)
from ringback.values.evidence import Exchange, Stage
from ringback.values.query import Report
from ringback.values.verdict import Reason

from .conftest import Lists

AT = 1_800_000_000.0
REFUSAL = Exchange(
    at=AT,
    stage=Stage.RCPT,
    connection=1,
    host="mx.shop.example",
    ip="192.0.2.25",
    code=550,
    enhanced="5.1.1",
    text='=cmd|"/c calc"!A1\n\x1b[2J<b>no</b> "user"; ü\u202e',
)
HOSTILE = Report(
    address="ann@shop.example",
    reason=Reason.NO_SUCH_MAILBOX,
    final=True,
    checked_at=AT,
    rule="the host permanently refuses this mailbox",
    because=REFUSAL,
    evidence=(REFUSAL,),
)
OURS = dict.fromkeys(COLUMNS, "") | {
    "verdict": "undeliverable",
    "reason": "no_such_mailbox",
    "blame": "address",
    "final": "true",
    "checked_at": "2027-01-15T08:00:00Z",
    "host": "mx.shop.example",
    "code": "550",
    "enhanced": "5.1.1",
    "text": '\'=cmd|"/c calc"!A1 \\x1b[2J<b>no</b> "user"; ü\\u202e',
    "rule": "the host permanently refuses this mailbox",
    "role": "false",
    "disposable": "false",
    "free": "false",
    "tagged": "false",
}


def written(listing: Listing, form: Form, delimiter: str = ",") -> bytes:
    writer = writer_of(listing, form, flag_lists(), delimiter)
    rows = (
        writer.row(row, HOSTILE.but(address=row.address) if row.address else None)
        for row in listing.rows()
    )
    return writer.head() + b"".join(rows)


def records(octets: bytes, delimiter: str = ",") -> list[list[str]]:
    text = io.StringIO(octets.decode("utf-8", "surrogateescape"), newline="")
    return list(csv.reader(text, delimiter=delimiter))


def test_a_csv_keeps_what_it_had_octet_for_octet(lists: Lists) -> None:
    heads = (
        b'\xef\xbb\xbf"email";"a ""b"""\r\n',
        b'ann@shop.example;=1+1 m\xfc\x00;"x;\r\ny"\r\n',
        b"\r\n",
    )
    out = written(lists(b"".join(heads), "list.csv"), Form.CSV)

    head, row, blank = records(out.removeprefix(b"\xef\xbb\xbf"), ";")
    assert out.startswith(heads[0].removesuffix(b"\r\n") + b";;verdict;")
    assert heads[1].removesuffix(b"\r\n") in out
    assert out.endswith(b"\r\n\r\n")
    assert ["email", 'a "b"', "", *COLUMNS] == head
    assert ["ann@shop.example", "=1+1 m\udcfc\x00", "x;\r\ny", *OURS.values()] == row
    assert [] == blank


def test_a_csv_without_a_header_gets_none(lists: Lists) -> None:
    (row,) = records(written(lists(b"ann@shop.example,Ann", "list.csv"), Form.CSV))

    assert ["ann@shop.example", "Ann", *OURS.values()] == row


def test_a_row_without_an_address_says_so_where_a_rule_would_stand(lists: Lists) -> None:
    _, row = records(written(lists(b"name,email\nAnn,\n", "list.csv"), Form.CSV))

    assert {"rule": "no address in this row"} == {
        name: said for name, said in zip(COLUMNS, row[2:], strict=True) if said
    }


def test_a_column_of_the_users_is_not_taken_for_ours(lists: Lists) -> None:
    head, _ = records(written(lists(b"email,Verdict\na@b.example,x\n", "a.csv"), Form.CSV))

    assert ["email", "Verdict", "ringback_verdict", "ringback_reason"] == head[:4]
    assert "ringback_ringback_verdict" == our_names(["text", "ringback_text"])[0]


def test_a_text_keeps_its_comments_and_has_a_line_an_address(lists: Lists) -> None:
    out = written(
        lists(b"\xef\xbb\xbf# ours\r\n\r\nann@shop.example\r\n=1@shop.example"), Form.TEXT
    )

    said = 'mx.shop.example said: 550 5.1.1 =cmd|"/c calc"!A1 \\x1b[2J<b>no</b> "user"; ü\\u202e'
    assert (
        "\ufeff# ours\r\n\r\n"
        f"ann@shop.example\tundeliverable\tno_such_mailbox\t{said}\r\n"
        f"'=1@shop.example\tundeliverable\tno_such_mailbox\t{said}\n"
    ) == out.decode()


def test_a_text_made_of_a_csv_has_lines_only_for_addresses(lists: Lists) -> None:
    out = written(lists(b"email\r\nann@shop.example\r\n\r\n", "list.csv"), Form.TEXT)

    assert out.startswith(b"ann@shop.example\tundeliverable\t")
    assert 1 == out.count(b"\n") == len(out.splitlines())


@pytest.mark.parametrize(
    ("octets", "name", "begins"),
    [
        (b"Ann <a@b.example>\r\n", "list.txt", "Ann <a@b.example>\t\t\tit is no address, though"),
        (b"id,email\n=1,\n", "list.csv", "'=1,\t\t\tno address in this row\n"),
        (b"{}\n", "list.jsonl", '{}\t\t\tno member "email" in this object\n'),
    ],
)
def test_a_text_says_which_rows_have_a_problem(
    lists: Lists, octets: bytes, name: str, begins: str
) -> None:
    assert written(lists(octets, name), Form.TEXT).decode().startswith(begins)


def test_the_text_that_has_a_problem_is_in_every_form(lists: Lists) -> None:
    octets = b"Ann <a@b.example>\n"
    _, row = records(written(lists(octets), Form.CSV))
    member = json.loads(written(lists(octets), Form.JSONL))

    assert ("Ann <a@b.example>", "Ann <a@b.example>") == (row[0], member["input"])
    assert row[1 + COLUMNS.index("rule")] == member["rule"]


def test_what_stands_before_a_table_stays_there(lists: Lists) -> None:
    octets = b"\xef\xbb\xbfsep=;\r\n\r\nemail;n\r\nann@shop.example;1\r\n"
    out = written(lists(octets, "list.csv"), Form.CSV)

    assert out.startswith(b"\xef\xbb\xbfsep=;\r\n\r\nemail;n;verdict;")
    assert 1 == out.count(b"ann@shop.example")


def test_a_csv_made_of_a_text_has_the_address_and_no_formula(lists: Lists) -> None:
    head, row = records(written(lists(b"# no\n=1@shop.example\n"), Form.CSV, "\t"), "\t")

    assert ["address", *COLUMNS] == head
    assert ["'=1@shop.example", *OURS.values()] == row


def test_a_csv_made_of_objects_has_them_in_a_column(lists: Lists) -> None:
    octets = b'{"email": "ann@shop.example", "n": 1}\nnonsense\n\n'
    head, row, problem = records(written(lists(octets, "list.jsonl"), Form.CSV))

    assert "input" == head[-1]
    assert '{"email": "ann@shop.example", "n": 1}' == row[-1]
    assert ("", "nonsense") == (problem[0], problem[-1])
    assert "this line is not a JSON object" == dict(zip(head, problem, strict=True))["rule"]


def test_an_object_is_the_report_and_what_the_list_had(lists: Lists) -> None:
    octets = b'{"email": "ann@shop.example", "email": "ann@shop.example", "n": 1.50}\nm\xfcll\n\n'
    out = written(lists(octets, "list.jsonl"), Form.JSONL)

    assert (
        b'"input": {"email": "ann@shop.example", "email": "ann@shop.example", "n": 1.50}}\n' in out
    )
    first, second = map(json.loads, out.splitlines())
    assert (1, "undeliverable", REFUSAL.text) == (
        first["line"],
        first["verdict"],
        first["evidence"][0]["text"],
    )
    assert {
        "address": None,
        "verdict": None,
        "reason": None,
        "rule": "this line is not a JSON object",
        "line": 2,
        "input": "m\\xfcll",
    } == second


def test_no_octet_of_ours_reaches_a_terminal_as_an_escape(lists: Lists) -> None:
    assert written(lists(b"ann@shop.example"), Form.JSONL).isascii()


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (
            b"email,n,n,\nann@a.example,1,2,3,4\n",
            {"email": "ann@a.example", "n": "1", "n (3)": "2", "column 4": "3", "column 5": "4"},
        ),
        (
            b"email,column 4,\nann@a.example,1,2,3\n",
            {"email": "ann@a.example", "column 4": "1", "column 3": "2", "column 4 (4)": "3"},
        ),
        (b"ann@a.example,m\xfc\n", ["ann@a.example", "m\\xfc"]),
    ],
)
def test_cells_become_members(lists: Lists, octets: bytes, kept: object) -> None:
    (row,) = map(json.loads, written(lists(octets, "list.csv"), Form.JSONL).splitlines())

    assert kept == row["input"]


def test_objects_of_a_text_have_no_other_input(lists: Lists) -> None:
    (row,) = map(json.loads, written(lists(b"#\nann@a.example"), Form.JSONL).splitlines())

    assert "input" not in row


def test_names_of_members_are_unique() -> None:
    assert ("a", "a (2)", "column 3") == unique_names(["a", "a", ""])
    assert ("a", "a (3)", "a (4)", "email") == unique_names(["a", "a (3)", "a", "email"])
    assert ("column 2", "column 2 (2)") == unique_names(["column 2", ""])


def test_a_record_is_quoted_where_it_has_to_be() -> None:
    assert 'a,"b,c","d""e"' == encode_record(["a", "b,c", 'd"e'], ",")
