"""Events as lines of a log: one event a line, with stable field names; remote text made printable first.

Not here: what is worth an event (values/events.py), counters (metrics), and the table of who was called
(audit). The names are a promise: others' alarms and dashboards read them.
"""

import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

import msgspec
import structlog

from ..values.events import (
    Answered,
    CalledOut,
    Decided,
    DoorClosed,
    Event,
    Examined,
    Lifecycle,
    Requested,
    Trouble,
)
from ..values.evidence import Exchange
from ..values.fitness import Severity
from ..values.query import Report
from ..values.text import printable

MAX_FIELD_CHARS = 500  # a reply that says more than this says it better in `ringback audit`
MAX_TRACE_CHARS = 8_000  # a traceback of some thirty calls

Value = str | int | float | bool | None
Fields = dict[str, Value]


class Style(StrEnum):
    """How a line is written."""

    JSON = "json"  # for programs
    PLAIN = "plain"  # key=value, for people and grep
    JOURNAL = "journal"  # key=value with journald's priority in front, and no time of our own


# sd-daemon(3): the priorities of syslog, in angle brackets at the start of a line.
_PRIORITY = {"info": "<6>", "warning": "<4>", "error": "<3>"}


def style_for(environment: Mapping[str, str]) -> Style:
    """Choose a style: systemd sets JOURNAL_STREAM for a service whose output goes to its journal."""
    return Style.JOURNAL if environment.get("JOURNAL_STREAM") else Style.JSON


def make_sink(
    stream: TextIO, now: Callable[[], float], style: Style = Style.JSON
) -> Callable[[Event], None]:
    """Return a sink that writes events to `stream`. `now` is Unix seconds.

    A log that cannot be written is not a reason to stop deciding about mail: such lines are lost.
    """
    render = _renderer(style, now)

    def write(event: Event) -> None:
        if stream.closed:
            return
        with contextlib.suppress(OSError):
            stream.write(f"{render(*describe(event))}\n")
            stream.flush()

    return write


def describe(event: Event) -> tuple[str, str, Fields]:
    """Return the level, the name and the fields of `event`, all text printable and bounded."""
    match event:
        case Decided():
            described = "info", "decided", _decided(event)
        case Answered():
            described = "info", "answered", _answered(event)
        case Requested():
            described = "info", "requested", _requested(event)
        case CalledOut():
            described = "info", "called_out", _called_out(event)
        case DoorClosed():
            described = "warning", "door_closed", _door_closed(event)
        case Trouble():
            described = "error", "trouble", _trouble(event)
        case Examined():
            described = _level_of(event), "examined", _examined(event)
        case Lifecycle():
            described = "info", "lifecycle", {"what": event.what, "detail": event.detail}
    level, name, fields = described
    return level, name, {key: _safe(key, value) for key, value in fields.items()}


def _decided(event: Decided) -> Fields:
    return {**_asked(event), "action": event.action, "told": event.told, **_reported(event)}


def _answered(event: Answered) -> Fields:
    return {**_asked(event), **_reported(event)}


def _asked(event: Decided | Answered) -> Fields:
    report = event.report
    return {
        "door": event.door,
        "purpose": event.purpose,
        "address": event.address,
        "client": event.client,
        "verdict": report.verdict,
        "reason": report.reason,
        "blame": report.blame,
        "rule": report.rule,
        "gate": report.gate,
    }


def _reported(event: Decided | Answered) -> Fields:
    report = event.report
    return {
        "final": report.final,
        "settled": report.settled,
        "retry_at": _instant(report.retry_at),
        "from_cache": report.from_cache,
        "callouts": report.callouts,
        "took_ms": _milliseconds(event.took_s),
        **_said(report),
    }


def _requested(event: Requested) -> Fields:
    return {
        "door": event.door,
        "client": event.client,
        "method": event.method,
        "route": event.route,
        "status": event.status,
        "took_ms": _milliseconds(event.took_s),
    }


def _said(report: Report) -> Fields:
    """What decided: the host's name, its address, and its reply or what went wrong instead."""
    because = report.because
    if because is None:
        return {"host": "", "ip": "", "reply": ""}
    return {"host": because.host, "ip": because.ip, "reply": _reply(because)}


def _reply(said: Exchange) -> str:
    head = said.fault if said.code is None else f"{said.code} {said.enhanced or ''}".rstrip()
    return f"{head or ''} {said.text}".strip()


def _called_out(event: CalledOut) -> Fields:
    return {
        "address": event.address,
        "purpose": event.purpose,
        "connections": event.connections,
        "hosts": " ".join(event.hosts),
        "reason": event.reason,
        "rule": event.rule,
        "took_ms": _milliseconds(event.took_s),
    }


def _door_closed(event: DoorClosed) -> Fields:
    return {"door": event.door, "peer": event.peer, "why": event.why}


def _trouble(event: Trouble) -> Fields:
    fields: Fields = {"where": event.where, "what": event.what, "remedy": event.remedy}
    if event.trace:
        fields["trace"] = event.trace.rstrip().replace("\n", " | ")
    return fields


def _level_of(event: Examined) -> str:
    if not event.fitness.is_fit:
        return "error"
    return "warning" if event.fitness.of(Severity.WARNING) else "info"


def _examined(event: Examined) -> Fields:
    told: Fields = {
        severity.value: "; ".join(found.text for found in event.fitness.of(severity))
        for severity in (Severity.FATAL, Severity.WARNING, Severity.UNKNOWN)
    }
    remedies = (found.remedy for found in event.fitness.of(Severity.FATAL))
    return {
        "fit": event.fitness.is_fit,
        "may_call": event.may_call,
        **told,
        "remedy": "; ".join(dict.fromkeys(remedies)),
    }


def _safe(key: str, value: Value) -> Value:
    if not isinstance(value, str):
        return value
    if len(value) <= MAX_FIELD_CHARS and value.isascii() and value.isprintable():
        return value
    return printable(value, limit=MAX_TRACE_CHARS if key == "trace" else MAX_FIELD_CHARS)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1_000, 1)


def _instant(at: float | None) -> str | None:
    """RFC 3339 in UTC, as everywhere that we show an instant."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_Render = Callable[[str, str, Fields], str]
_logfmt = structlog.processors.LogfmtRenderer(bool_as_flag=False)


def _renderer(style: Style, now: Callable[[], float]) -> _Render:
    """What every line has comes first: when, how bad, what."""

    def json(level: str, name: str, fields: Fields) -> str:
        line = {"at": _instant(now()), "level": level, "event": name, **fields}
        return msgspec.json.encode(line).decode()

    def plain(level: str, name: str, fields: Fields) -> str:
        head = {"at": _instant(now()), "level": level, "event": name}
        return _as_logfmt({**head, **fields})

    def journal(level: str, name: str, fields: Fields) -> str:
        return _PRIORITY[level] + _as_logfmt({"event": name, **fields})

    return {Style.JSON: json, Style.PLAIN: plain, Style.JOURNAL: journal}[style]


def _as_logfmt(fields: Fields) -> str:
    """People read past what is not there; programs want every field in every line."""
    kept = {"address"}  # an empty one is the null sender
    told = {key: value for key, value in fields.items() if key in kept or value not in ("", None)}
    return str(_logfmt(None, "", told))
