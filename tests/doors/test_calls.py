"""The audit's calls as text, as JSON, and as rows of a spreadsheet."""

import pytest

from ringback.doors.calls import COLUMNS, encode_call, row_of, tell_call
from ringback.doors.cells import MAX_CELL_CHARS
from ringback.values.calls import Call
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.query import Purpose

AT = 1_800_000_000.0
SILENCE = Exchange(
    at=AT,
    stage=Stage.CONNECT,
    connection=1,
    host="mx.shop.example",
    ip="192.0.2.25",
    fault=Fault.TIMEOUT,
    text="no answer within 20 s",
)
CALL = Call(
    id="a1",
    session="a1",
    at=AT,
    address="ann@shop.example",
    domain="shop.example",
    host="mx.shop.example",
    ip="192.0.2.25",
    purpose=Purpose.SENDER,
    client="198.51.100.7",
    recipient="bob@ours.example",
    gates=("SPF none", "came back after the wait"),
    outcome="unreachable",
    said=(SILENCE,),
)


def test_a_program_finds_every_field_of_a_call() -> None:
    encoded = encode_call(CALL)

    assert set(encoded) == set(COLUMNS)
    assert encoded["at"] == "2027-01-15T08:00:00Z"
    assert encoded["gates"] == ["SPF none", "came back after the wait"]


def test_a_row_has_a_cell_for_each_column() -> None:
    row = dict(zip(COLUMNS, row_of(CALL), strict=True))

    assert row["gates"] == "SPF none; came back after the wait"
    assert row["said"] == "connect: timeout no answer within 20 s"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    address = dict(zip(COLUMNS, row_of(CALL.but(address=f"{start}1+1")), strict=True))["address"]

    assert address[0] in "'\\"


def test_a_cell_is_no_longer_than_a_spreadsheet_takes() -> None:
    long = CALL.but(gates=("=" + "x" * 40_000,))

    assert max(map(len, row_of(long))) == MAX_CELL_CHARS


def test_a_person_reads_who_was_called_why_and_what_was_said() -> None:
    assert list(tell_call(CALL)) == [
        "2027-01-15T08:00:00Z  ann@shop.example at mx.shop.example [192.0.2.25]: unreachable",
        "  asked for  a mail from 198.51.100.7 to bob@ours.example",
        "  let in by  SPF none; came back after the wait",
        "  mx.shop.example [192.0.2.25], preference 0",
        "    !  no answer within 20 s",
        "       → no answer in time",
    ]


def test_what_is_not_known_is_said_to_be_so() -> None:
    bare = CALL.but(host=CALL.ip, client="", recipient="", gates=(), outcome="", said=())

    assert list(tell_call(bare)) == [
        "2027-01-15T08:00:00Z  ann@shop.example at 192.0.2.25: "
        "no answer noted: under way, or stopped in it",
        "  asked for  an operator (sender)",
        "  let in by  nothing noted",
    ]
