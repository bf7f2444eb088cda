"""Events as lines of a log: one event a line, with stable field names; remote text made printable first.

While a service runs, what is told of its everyday is gathered, and its lines are made and written together:
a line alone costs as much as the rest of an answer that is remembered. What an operator should see now is
written at once, and all that came before it.
Not here: what is worth an event (values/events.py), counters (metrics), and the table of who was called
(audit). The names are a promise: others' alarms and dashboards read them.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TextIO

import msgspec

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
from ..values.text import printable

MAX_FIELD_CHARS = 500  # a reply that says more than this says it better in `ringback audit`
MAX_TRACE_CHARS = 8_000  # a traceback of some thirty calls
# How long a line may wait for others. Nobody who reads along sees so short a time, and a process that is
# killed loses less of its log than of its memory (engine/ports.py, Store).
GATHER_S = 0.01
# And how many: 32 together cost an answer some 5 % less, and kept every thirty-second waiting for 0.3 ms.
GATHER_EVENTS = 8

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


class Log:
    """Writes events to a stream. `hear` is a sink; `now` is Unix seconds.

    A log that cannot be written is not a reason to stop deciding about mail: such lines are lost.
    """

    def __init__(self, stream: TextIO, now: Callable[[], float], style: Style = Style.JSON) -> None:
        self._stream, self._now, self._render = stream, now, _RENDER[style]
        self._loop: asyncio.AbstractEventLoop | None = None  # while events are gathered
        self._timer: asyncio.TimerHandle | None = None
        self._gathered: list[tuple[float, Event]] = []

    def hear(self, event: Event) -> None:
        """Write an event, now or with those that follow."""
        self._gathered.append((self._now(), event))
        urgent = not isinstance(event, EVERYDAY) or len(self._gathered) == GATHER_EVENTS
        if self._loop is None or urgent:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(GATHER_S, self.flush)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Gather events while the event loop runs that we are in. However that ends, all are written."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._timer is not None:
            self._timer.cancel()
        gathered, self._gathered, self._timer = self._gathered, [], None
        text = "".join([self._line(at, event) for at, event in gathered])
        if text and not self._stream.closed:
            with suppress(OSError):
                self._stream.write(text)
                self._stream.flush()

    def _line(self, at: float, event: Event) -> str:
        try:
            return self._render(at, *describe(event))
        except Exception as error:  # a bug of ours costs this line, and no other
            return self._render(at, *describe(Trouble.of_bug("log", error)))


# What mail and programs ask, and what comes of it. All else is rare, and told to whoever looks.
EVERYDAY = (Decided, Answered, Requested, CalledOut)


def describe(event: Event) -> tuple[str, str, Fields]:
    """Return the level, the name and the fields of `event`, all text printable and bounded."""
    match event:
        case Decided():
            told: Fields = {"action": event.action, "told": event.told}
            described = "info", "decided", _answered(event, told)
        case Answered():
            described = "info", "answered", _answered(event, {})
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
    _make_safe(fields)
    return level, name, fields


def _make_safe(fields: Fields) -> None:
    said = "".join([value for value in fields.values() if type(value) is str])
    if len(said) <= MAX_FIELD_CHARS and said.isascii() and said.isprintable():
        return  # as nearly always
    for key, value in fields.items():
        if type(value) is not str:  # words of our own are enums
            continue
        if len(value) > MAX_FIELD_CHARS or not (value.isascii() and value.isprintable()):
            limit = MAX_TRACE_CHARS if key == "trace" else MAX_FIELD_CHARS
            fields[key] = printable(value, limit=limit)


def _answered(event: Decided | Answered, told: Fields) -> Fields:
    report, because = event.report, event.report.because
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
        **told,
        "final": report.final,
        "settled": report.settled,
        "retry_at": _instant(report.retry_at),
        "from_cache": report.from_cache,
        "callouts": report.callouts,
        "took_ms": _milliseconds(event.took_s),
        # What decided: the host's name, its address, and its reply or what went wrong instead.
        "host": because.host if because else "",
        "ip": because.ip if because else "",
        "reply": _reply(because) if because else "",
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


def _milliseconds(seconds: float) -> float:
    return int(seconds * 10_000 + 0.5) / 10  # `round` takes as long as all else about a number


def _instant(at: float | None) -> str | None:
    """RFC 3339 in UTC, as everywhere that we show an instant."""
    return None if at is None else f"{_second(int(at))}.{int(at % 1 * 1_000):03}Z"


@lru_cache(64)  # thousands of lines may have the same
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# A value with one of these would not be read as one, or as itself.
_QUOTED = re.compile(r'[ ="]')


def _json(at: float, level: str, name: str, fields: Fields) -> str:
    line = {"at": _instant(at), "level": level, "event": name, **fields}
    return msgspec.json.encode(line).decode() + "\n"


def _plain(at: float, level: str, name: str, fields: Fields) -> str:
    head = {"at": _instant(at), "level": level, "event": name}
    return _as_logfmt({**head, **fields})


def _journal(at: float, level: str, name: str, fields: Fields) -> str:
    return _PRIORITY[level] + _as_logfmt({"event": name, **fields})


def _as_logfmt(fields: Fields) -> str:
    """People read past what is not there; programs want every field in every line."""
    kept = {"address"}  # an empty one is the null sender
    told = {key: value for key, value in fields.items() if key in kept or value not in ("", None)}
    return " ".join(f"{key}={_logfmt(value)}" for key, value in told.items()) + "\n"


def _logfmt(value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not _QUOTED.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# A line with its end. What every line has comes first: when, how bad, what.
_RENDER: Mapping[Style, Callable[[float, str, str, Fields], str]] = {
    Style.JSON: _json,
    Style.PLAIN: _plain,
    Style.JOURNAL: _journal,
}
