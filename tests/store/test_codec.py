"""Rows and values: nothing is lost, and no row of another version breaks anything."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.rules.freshness import Entry
from ringback.rules.waiting import Acquaintance, Wait
from ringback.store.codec import (
    Row,
    encode_acquaintance,
    encode_call,
    encode_entry,
    encode_fact,
    encode_job,
    encode_wait,
    parse_acquaintance,
    parse_call,
    parse_entry,
    parse_fact,
    parse_job,
    parse_report,
    parse_wait,
)
from ringback.values.calls import Call
from ringback.values.evidence import Exchange
from ringback.values.facts import Fact
from ringback.values.job import Job
from ringback.values.query import Report
from ringback.values.verdict import Reason

INSTANTS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 2**31)


def _any(kind: type[Any], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of `kind` with something in every field, those with a default included."""
    by_type: dict[str, Any] = {field.name: ... for field in msgspec.structs.fields(kind)}
    return st.builds(kind, **(by_type | known))


EXCHANGES = _any(
    Exchange, at=INSTANTS, connection=COUNTS, preference=COUNTS, code=st.none() | COUNTS
)
EVIDENCE = st.lists(EXCHANGES, max_size=3).map(tuple)
ENTRIES = _any(
    Entry,
    checked_at=INSTANTS,
    expires_at=INSTANTS,
    retry_at=st.none() | INSTANTS,
    attempts=COUNTS,
    doubted_at=st.none() | INSTANTS,
    tried_at=st.none() | INSTANTS,
    because=st.none() | EXCHANGES,
    evidence=EVIDENCE,
)
FACTS = _any(
    Fact,
    noted_at=INSTANTS,
    expires_at=INSTANTS,
    window_s=st.none() | INSTANTS,
    evidence=EVIDENCE,
    strikes=COUNTS,
)
CALLS = _any(Call, at=INSTANTS, said=EVIDENCE)
ACQUAINTANCES = _any(
    Acquaintance,
    contacts=COUNTS,
    returned=COUNTS,
    expires_at=INSTANTS,
    waiting=COUNTS,
    waiting_since=INSTANTS,
)
WAITS = _any(Wait, first_at=INSTANTS, count=COUNTS, expires_at=INSTANTS)

JOBS = _any(
    Job,
    list=COUNTS,
    due_at=st.none() | INSTANTS,
    tries=COUNTS,
    callouts=COUNTS,
    report=st.none()
    | _any(
        Report,
        checked_at=INSTANTS,
        expires_at=st.none() | INSTANTS,
        retry_at=st.none() | INSTANTS,
        callouts=COUNTS,
        questions=COUNTS,
        because=st.none() | EXCHANGES,
        evidence=EVIDENCE,
    ),
)


def _stored(row: Row) -> sqlite3.Row:
    """`row` as it comes back from SQLite."""
    columns = ", ".join(f":{name} AS {name}" for name in row)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.row_factory = sqlite3.Row
        stored: sqlite3.Row = connection.execute(f"SELECT {columns}", row).fetchone()
    return stored


def _with_body(row: Row, **changed: object) -> sqlite3.Row:
    body = json.loads(str(row["body"]))
    return _stored(row | {"body": json.dumps(body | changed)})


@settings(max_examples=40)
@given(ENTRIES)
def test_every_entry_comes_back(entry: Entry) -> None:
    assert entry == parse_entry(_stored(encode_entry(entry)))


@settings(max_examples=40)
@given(FACTS)
def test_every_fact_comes_back(fact: Fact) -> None:
    assert fact == parse_fact(_stored(encode_fact(fact)))


@settings(max_examples=40)
@given(WAITS)
def test_every_wait_comes_back(wait: Wait) -> None:
    assert wait == parse_wait(_stored(encode_wait(wait)))


@settings(max_examples=40)
@given(CALLS)
def test_every_call_comes_back(call: Call) -> None:
    assert call == parse_call(_stored(encode_call(call)))


@settings(max_examples=40)
@given(ACQUAINTANCES)
def test_every_acquaintance_comes_back(acquaintance: Acquaintance) -> None:
    assert acquaintance == parse_acquaintance(_stored(encode_acquaintance(acquaintance)))


@settings(max_examples=40)
@given(JOBS)
def test_every_job_comes_back_whose_report_is_about_it(job: Job) -> None:
    row = _stored(encode_job(job))

    assert job.but(report=None) == parse_job(row)
    if job.report:
        assert job.report.but(address=job.key) == parse_report(row)


def test_a_call_is_found_below_its_names(call: Call) -> None:
    row = encode_call(call)

    assert ("org.example.", "net.example.mx.") == (row["domain_path"], row["host_path"])
    assert "" == encode_call(call.but(host=""))["host_path"]


def test_a_wait_is_counted_by_its_networks(wait: Wait) -> None:
    row = encode_wait(wait)

    assert ("192.0.2.0/24", "192.0.0.0/16") == (row["network"], row["wide_network"])


def test_what_has_its_default_takes_no_room(entry: Entry) -> None:
    silent = entry.evidence[2]
    body = json.loads(str(encode_entry(entry.but(evidence=(silent,), because=silent))["body"]))

    lean = {"at": 1002.0, "stage": "connect", "host": "mx2.example", "fault": "timeout"}
    assert [lean] == body["evidence"]
    assert 0 == body["because"]
    assert "settled" not in body


def test_fields_of_a_newer_version_are_passed_over(entry: Entry) -> None:
    row = encode_entry(entry)
    evidence = json.loads(str(row["body"]))["evidence"]
    evidence[0]["colour"] = {"deep": [1, 2]}

    assert entry == parse_entry(_with_body(row, evidence=evidence, novelty=[1]))


def test_fields_that_an_older_version_did_not_write_have_their_default(entry: Entry) -> None:
    row = encode_entry(entry)
    body = {"final": True, "rule": "550 to RCPT"}
    older = parse_entry(_stored(row | {"body": json.dumps(body)}))

    expected = Entry(entry.key, entry.reason, True, "550 to RCPT", 1_000.0, 90_000.0)
    assert expected == older


@pytest.mark.parametrize(
    "changed",
    [
        {"body": "{"},
        {"body": "[]"},
        {"body": "{}"},
        {"body": b"\xff"},
        {"body": 5},
        {"reason": "from the future"},
        {"reason": 5},
        {"checked_at": "yesterday"},
        {"body": '{"final":true,"rule":"x","because":0}'},
        {"body": '{"final":true,"rule":"x","because":-1,"evidence":[{}]}'},
        {"body": '{"final":true,"rule":"x","because":0,"evidence":7}'},
        {"body": '{"final":true,"rule":"x","evidence":[{"at":1.0,"stage":"telepathy"}]}'},
    ],
)
def test_an_entry_that_cannot_be_read_is_a_value_error(entry: Entry, changed: Row) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_entry(_stored(encode_entry(entry) | changed))


@pytest.mark.parametrize(
    "changed",
    [{"kind": "from the future"}, {"noted_at": "yesterday"}, {"body": "nothing"}, {"body": 5}],
)
def test_a_fact_that_cannot_be_read_is_a_value_error(fact: Fact, changed: Row) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_fact(_stored(encode_fact(fact) | changed))


def test_a_wait_that_cannot_be_read_is_a_value_error(wait: Wait) -> None:
    with pytest.raises(ValueError, match="count"):
        parse_wait(_stored(encode_wait(wait) | {"count": "many"}))


@pytest.mark.parametrize(
    "changed",
    [{"at": "noon"}, {"ip": 5}, {"body": "{}"}, {"body": b"x"}, {"body": '{"said":[{}]}'}],
)
def test_a_call_that_cannot_be_read_is_a_value_error(call: Call, changed: Row) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_call(_stored(encode_call(call) | changed))


def test_an_acquaintance_that_cannot_be_read_is_a_value_error(acquaintance: Acquaintance) -> None:
    with pytest.raises(ValueError, match="contacts"):
        parse_acquaintance(_stored(encode_acquaintance(acquaintance) | {"contacts": "many"}))


def test_half_a_surrogate_pair_is_refused(
    entry: Entry, fact: Fact, wait: Wait, acquaintance: Acquaintance, call: Call
) -> None:
    half = "\ud800"
    exchange = entry.evidence[0].but(text=half)
    with pytest.raises(UnicodeEncodeError):
        encode_entry(entry.but(key=half))
    with pytest.raises(UnicodeEncodeError):
        encode_entry(entry.but(evidence=(exchange,)))
    with pytest.raises(UnicodeEncodeError):
        encode_fact(fact.but(subject=half))
    with pytest.raises(UnicodeEncodeError):
        encode_wait(wait.but(key=half))
    with pytest.raises(UnicodeEncodeError):
        encode_acquaintance(acquaintance.but(network=half))
    for bad in (
        call.but(id=half),
        call.but(address=half),
        call.but(domain=half),
        call.but(host=half),
        call.but(ip=half),
        call.but(recipient=half),
    ):
        with pytest.raises(UnicodeEncodeError):
            encode_call(bad)


REPORT = Report("a@x.example", Reason.ACCEPTED, True, 1.0, "so")
JOB = Job(1, "a@x.example", "x.example", None, 1, 2, REPORT)


@pytest.mark.parametrize(
    "changed", [{"reason": "from the future"}, {"reason": ""}, {"body": "nothing"}, {"body": 5}]
)
def test_a_report_that_cannot_be_read_is_a_value_error_and_its_job_can(changed: Row) -> None:
    row = _stored(encode_job(JOB) | changed)

    with pytest.raises(ValueError, match=r"."):
        parse_report(row)
    assert JOB.but(report=None) == parse_job(row)


def test_a_job_that_cannot_be_read_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"tries"):
        parse_job(_stored(encode_job(JOB) | {"tries": "many"}))


def test_of_a_report_that_no_row_can_hold_the_reason_is_kept() -> None:
    row = encode_job(JOB.but(report=REPORT.but(rule="\ud800")))

    assert ("accepted", "") == (row["reason"], row["body"])
