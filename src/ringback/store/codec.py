"""Rows of the database to values and back.

What SQL asks for has columns; the rest is one JSON object, without the fields that have their default.
Fields that this version does not know are passed over and missing ones get their default, so that a
neighbouring version's rows can be read.
Not here: SQL (queries.sql), and what becomes of a row that cannot be read (reader.py).
"""

import sqlite3
from typing import Any

import msgspec

from ..rules.freshness import Entry
from ..rules.waiting import Acquaintance, Wait
from ..values.calls import Call
from ..values.evidence import Exchange
from ..values.facts import DomainFact, Fact, FactKind, HostFact
from ..values.job import Job
from ..values.query import Report
from . import pattern

Row = dict[str, str | float | bytes | None]

FACT_KINDS: dict[str, FactKind] = {kind.value: kind for kind in (*DomainFact, *HostFact)}

_ENTRY_COLUMNS = ("key", "reason", "checked_at", "expires_at")
_FACT_COLUMNS = ("subject", "kind", "noted_at", "expires_at")
_CALL_COLUMNS = ("id", "at", "address", "ip")
_JOB_COLUMNS = ("list", "key", "domain", "due_at", "tries", "callouts")


def _defaults(kind: type[Entry | Fact | Call | Report], *columns: str) -> dict[str, object]:
    return {
        field.name: field.default
        for field in msgspec.structs.fields(kind)
        if field.name not in columns
    }


_OF_ENTRY = _defaults(Entry, *_ENTRY_COLUMNS)
_OF_FACT = _defaults(Fact, *_FACT_COLUMNS)
_OF_CALL = _defaults(Call, *_CALL_COLUMNS)
_OF_REPORT = _defaults(Report, "address", "reason")


class _FactRow(msgspec.Struct, frozen=True):
    """A Fact but for its kind, because two enums in one field are beyond msgspec."""

    subject: str
    noted_at: float
    expires_at: float
    evidence: tuple[Exchange, ...] = ()
    window_s: float | None = None
    strikes: int = 1


def encode_entry(entry: Entry) -> Row:
    """Raises UnicodeEncodeError for half a surrogate pair, which UTF-8 has no form for."""
    return {
        "key": _storable(entry.key),
        "domain": pattern.domain_of(entry.key),
        "reason": entry.reason.value,
        "checked_at": entry.checked_at,
        "expires_at": entry.expires_at,
        "body": _encode_body(_body_of(entry, _OF_ENTRY)),
    }


def parse_entry(row: sqlite3.Row) -> Entry:
    """Raises ValueError if `row` is not an entry that this version can read."""
    body = _with_because(_parse_body(row))
    return msgspec.convert(body | {name: row[name] for name in _ENTRY_COLUMNS}, Entry)


def encode_fact(fact: Fact) -> Row:
    """Raises UnicodeEncodeError as encode_entry does."""
    return {
        "subject": _storable(fact.subject),
        "kind": fact.kind.value,
        "noted_at": fact.noted_at,
        "expires_at": fact.expires_at,
        "body": _encode_body(_lean(fact, _OF_FACT) | {"evidence": fact.evidence}),
    }


def parse_fact(row: sqlite3.Row) -> Fact:
    """Raises ValueError if `row` is not a fact that this version can read."""
    if row["kind"] not in FACT_KINDS:
        raise ValueError("a kind of fact from another version")
    columns = {name: row[name] for name in _FACT_COLUMNS}
    read = msgspec.convert(_parse_body(row) | columns, _FactRow)
    return Fact(kind=FACT_KINDS[row["kind"]], **msgspec.structs.asdict(read))


def encode_wait(wait: Wait) -> Row:
    """Raises UnicodeEncodeError as encode_entry does."""
    return {
        "key": _storable(wait.key),
        "network": wait.network,
        "wide_network": wait.wide_network,
        "first_at": wait.first_at,
        "count": wait.count,
        "returned": wait.returned,
        "expires_at": wait.expires_at,
    }


def parse_wait(row: sqlite3.Row) -> Wait:
    """Raises ValueError if `row` is not a wait."""
    return msgspec.convert(dict(row) | {"returned": row["returned"] == 1}, Wait)


def encode_acquaintance(acquaintance: Acquaintance) -> Row:
    """Raises UnicodeEncodeError as encode_entry does."""
    return {
        "network": _storable(acquaintance.network),
        "contacts": acquaintance.contacts,
        "returned": acquaintance.returned,
        "expires_at": acquaintance.expires_at,
        "waiting": acquaintance.waiting,
        "waiting_since": acquaintance.waiting_since,
    }


def parse_acquaintance(row: sqlite3.Row) -> Acquaintance:
    """Raises ValueError if `row` is not an acquaintance."""
    return msgspec.convert(dict(row), Acquaintance)


def encode_call(call: Call) -> Row:
    """Raises UnicodeEncodeError as encode_entry does."""
    return {
        "id": _storable(call.id),
        "at": call.at,
        "address": _storable(call.address),
        "domain_path": pattern.path_of(call.domain),
        "host_path": pattern.path_of(call.host),
        "ip": _storable(call.ip),
        "body": _encode_body(_lean(call, _OF_CALL) | {"said": call.said}),
    }


def parse_call(row: sqlite3.Row) -> Call:
    """Raises ValueError if `row` is not a call that this version can read."""
    return msgspec.convert(_parse_body(row) | {name: row[name] for name in _CALL_COLUMNS}, Call)


def encode_job(job: Job) -> Row:
    """Raises UnicodeEncodeError as encode_entry does."""
    row: Row = {name: getattr(job, name) for name in _JOB_COLUMNS}
    _storable(job.key)
    return row | encode_report(job.report)


def encode_report(report: Report | None) -> Row:
    """What is kept of the answer of a job, or of none."""
    if report is None:
        return {"reason": "", "body": ""}
    try:
        body = _encode_body(_body_of(report, _OF_REPORT))
    except UnicodeEncodeError:
        body = ""  # who has been asked is not asked for ever, for want of words that can be kept
    return {"reason": report.reason.value, "body": body}


def parse_job(row: sqlite3.Row) -> Job:
    """The job without its report. Raises ValueError if `row` is none."""
    return msgspec.convert({name: row[name] for name in _JOB_COLUMNS}, Job)


def parse_report(row: sqlite3.Row) -> Report:
    """That of a job. Raises ValueError if it is not one that this version can read."""
    body = _with_because(_parse_body(row))
    return msgspec.convert(body | {"address": row["key"], "reason": row["reason"]}, Report)


def _parse_body(row: sqlite3.Row) -> dict[str, Any]:
    if not isinstance(row["body"], str):
        raise ValueError("a body that is no text")
    return msgspec.json.decode(row["body"], type=dict[str, Any])


def _encode_body(body: dict[str, object]) -> str:
    return msgspec.json.encode(body).decode()


def _body_of(told: Entry | Report, defaults: dict[str, object]) -> dict[str, object]:
    body = _lean(told, defaults)
    body["evidence"] = told.evidence
    because = told.because
    if because is not None:
        try:  # nearly always one of the evidence: its position says the same in less room
            body["because"] = told.evidence.index(because)
        except ValueError:
            body["because"] = because
    return body


def _with_because(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("because"), int):
        body["because"] = _member(body.get("evidence"), body["because"])
    return body


def _lean(value: Entry | Fact | Call | Report, defaults: dict[str, object]) -> dict[str, object]:
    """The fields of `value` that say something, which is what differs from the default."""
    return {
        name: said
        for name, default in defaults.items()
        if (said := getattr(value, name)) != default
    }


def _member(evidence: object, position: int) -> object:
    if not isinstance(evidence, list) or not 0 <= position < len(evidence):
        raise ValueError("because of an exchange that is not there")
    return evidence[position]


def _storable(text: str) -> str:
    """Raises UnicodeEncodeError for half a surrogate pair."""
    text.encode()
    return text
