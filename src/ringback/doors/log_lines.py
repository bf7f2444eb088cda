"""Events → what their lines in the log tell: stable field names, remote text made printable first. Pure.

Not here: writing the lines, and in which style (log.py), what is worth an event (values/events.py). The names
are a promise: others' alarms and dashboards read them.
"""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict, replace

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

Value = str | int | float | bool | None | UnsetType
Fields = dict[str, Value]


class AnswerLine(msgspec.Struct, gc=False):
    """The line of an answer. Of these there are many, and to make a dictionary takes four times as long."""

    at: Value
    level: str
    event: str
    door: str
    purpose: str
    address: str
    client: str
    verdict: str
    reason: str
    blame: str
    rule: str
    gate: str
    action: str | UnsetType
    told: str | UnsetType
    final: bool
    settled: bool
    retry_at: Value
    from_cache: bool
    callouts: int
    took_ms: float
    # What decided: the host's name, its address, and its reply or what went wrong instead.
    host: str
    ip: str
    reply: str

    @property
    def texts(self) -> str:
        """All that others may have had a part in."""
        told = f"{self.action}{self.told}"
        return f"{self.address}{self.client}{self.rule}{self.gate}{told}{self.host}{self.ip}{self.reply}"


Line = Fields | AnswerLine


def describe(at: float, event: Event) -> Line:
    """Return what the line of `event` tells: when, how bad, what, and its own; printable and bounded."""
    match event:
        case Decided():
            return _answered(at, "decided", event, event.action, event.told)
        case Answered():
            return _answered(at, "answered", event, UNSET, UNSET)
        case Requested():
            level, name, fields = "info", "requested", _requested(event)
        case CalledOut():
            level, name, fields = "info", "called_out", _called_out(event)
        case DoorClosed():
            level, name, fields = "warning", "door_closed", _door_closed(event)
        case Trouble():
            level, name, fields = "error", "trouble", _trouble(event)
        case Examined():
            level, name, fields = _level_of(event), "examined", _examined(event)
        case Lifecycle():
            level, name, fields = "info", "lifecycle", _lifecycle(event)
    return {"at": _instant(at), "level": level, "event": name, **_safe(fields)}


def _safe(fields: Fields) -> Fields:
    return {
        key: _safe_text(value, MAX_TRACE_CHARS if key == "trace" else MAX_FIELD_CHARS)
        if type(value) is str  # words of our own are enums
        else value
        for key, value in fields.items()
    }


def _safe_text(text: str, limit: int) -> str:
    return text if _is_safe(text, limit) else printable(text, limit=limit)


def _is_safe(text: str, limit: int = MAX_FIELD_CHARS) -> bool:
    return len(text) <= limit and text.isascii() and text.isprintable()


def _answered(
    at: float,
    name: str,
    event: Decided | Answered,
    action: str | UnsetType,
    told: str | UnsetType,
) -> AnswerLine:
    report, because = event.report, event.report.because
    line = AnswerLine(  # in the order of its fields: by their names, it would take twice as long
        _instant(at),
        "info",
        name,
        event.door,
        event.purpose,
        event.address,
        event.client,
        report.verdict,
        report.reason,
        report.blame,
        report.rule,
        report.gate,
        action,
        told,
        report.final,
        report.settled,
        _instant(report.retry_at),
        report.from_cache,
        report.callouts,
        _milliseconds(event.took_s),
        because.host if because else "",
        because.ip if because else "",
        _reply(because) if because else "",
    )
    return line if _is_safe(line.texts) else replace(line, **_safe(asdict(line)))


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


def _lifecycle(event: Lifecycle) -> Fields:
    return {"what": event.what, "detail": event.detail}


def _examined(event: Examined) -> Fields:
    told: Fields = {
        severity.value: "; ".join(found.text for found in event.fitness.of(severity))
        for severity in (Severity.FATAL, Severity.WARNING, Severity.UNKNOWN)
    }
    worst = event.fitness.of(Severity.FATAL) or event.fitness.of(Severity.WARNING)
    return {
        "fit": event.fitness.is_fit,
        "may_call": event.may_call,
        **told,
        "remedy": "; ".join(dict.fromkeys(found.remedy for found in worst)),
    }


def _milliseconds(seconds: float) -> float:
    return int(seconds * 10_000 + 0.5) / 10  # `round` takes as long as all else about a number


def _instant(at: float | None) -> str | None:
    """RFC 3339 in UTC, as everywhere that we show an instant."""
    return None if at is None else _millisecond(int(at * 1_000))


@lru_cache(64)  # thirty lines may have the same
def _millisecond(at_ms: int) -> str:
    at, part = divmod(at_ms, 1_000)
    return f"{_second(at)}.{part:03}Z"


@lru_cache(64)  # thousands of lines may have the same
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
