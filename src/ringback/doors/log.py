"""Events as lines of a log: one event a line.

While a service runs, what is told of its everyday is gathered, and its lines are made and written together,
when whoever asked has his answer. What an operator should see now is written at once, and all that came
before it.
Not here: what a line tells (log_lines.py), what is worth an event (values/events.py), counters (metrics),
and the table of who was called (audit).
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TextIO

import msgspec
from msgspec import UNSET
from msgspec.structs import asdict

from ..values.events import Answered, CalledOut, Decided, Event, Requested, Trouble
from .log_lines import Fields, Line, Value, describe

# How long a line may wait for others. Nobody who reads along sees so short a time, and a process that is
# killed loses less of its log than of its memory (engine/ports.py, Store).
GATHER_S = 0.01
# And how many: 32 together cost an answer some 5 % less, and kept every thirty-second waiting for 0.3 ms.
GATHER_EVENTS = 8


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
            self._timer = self._loop.call_later(GATHER_S, self._end_wait)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Gather events while the event loop runs that we are in. However that ends, all are written."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self.flush()

    def _end_wait(self) -> None:
        # Those who came after others were written wait less: so none is made for each few.
        self._timer = None
        self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered = self._gathered, []
        text = self._text(gathered)
        if text and not self._stream.closed:
            with suppress(OSError):
                self._stream.write(text)
                self._stream.flush()

    def _text(self, gathered: Sequence[tuple[float, Event]]) -> str:
        try:
            return self._render([describe(at, event) for at, event in gathered])
        except Exception:  # a bug of ours costs its line, and no other
            return "".join([self._text_of(at, event) for at, event in gathered])

    def _text_of(self, at: float, event: Event) -> str:
        try:
            return self._render([describe(at, event)])
        except Exception as error:  # this is the one: the line says so in its place
            return self._render([describe(at, Trouble.of_bug("log", error))])


# What mail and programs ask, and what comes of it. All else is rare, and told to whoever looks.
EVERYDAY = (Decided, Answered, Requested, CalledOut)


_ENCODER = msgspec.json.Encoder()


def _json(lines: Sequence[Line]) -> str:
    return _ENCODER.encode_lines(lines).decode()


def _plain(lines: Sequence[Line]) -> str:
    return "".join([_as_logfmt(_fields(line)) for line in lines])


def _journal(lines: Sequence[Line]) -> str:
    return "".join([_for_journal(_fields(line)) for line in lines])


def _for_journal(fields: Fields) -> str:
    told = {key: value for key, value in fields.items() if key not in ("at", "level")}
    return _PRIORITY[str(fields["level"])] + _as_logfmt(told)


def _fields(line: Line) -> Fields:
    return line if isinstance(line, dict) else asdict(line)


# A value with one of these would not be read as one, or as itself.
_QUOTED = re.compile(r'[ ="]')
_NOTHING = ("", None, UNSET)


def _as_logfmt(fields: Fields) -> str:
    """People read past what is not there; programs want every field in every line."""
    kept = {"address"}  # an empty one is the null sender
    told = {key: value for key, value in fields.items() if key in kept or value not in _NOTHING}
    return " ".join(f"{key}={_logfmt(value)}" for key, value in told.items()) + "\n"


def _logfmt(value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not _QUOTED.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# Lines with their ends.
_RENDER: Mapping[Style, Callable[[Sequence[Line]], str]] = {
    Style.JSON: _json,
    Style.PLAIN: _plain,
    Style.JOURNAL: _journal,
}
