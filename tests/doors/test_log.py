"""Events as lines."""

import asyncio
import io
import json
import math
from contextlib import suppress
from typing import cast

import pytest

from log_events import CALLED_OUT, DECIDED, EVENTS, NOON
from ringback.doors.log import GATHER_EVENTS, Log, Style, style_for
from ringback.values.events import DoorClosed, Event, Lifecycle, Requested


def written(event: Event, style: Style) -> str:
    stream = io.StringIO()
    Log(stream, lambda: NOON, style).hear(event)
    return stream.getvalue()


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_one_event_is_one_line(event: Event, style: Style) -> None:
    line = written(event, style)

    assert line.endswith("\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize("style", Style)
def test_what_a_peer_says_cannot_forge_a_line_or_drive_a_terminal(style: Style) -> None:
    evil = '\x1b[2J\r\nlevel=error event="decided" \u202e\x00'

    line = written(DoorClosed("policy", evil, evil), style)

    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


def test_people_are_spared_empty_fields() -> None:
    line = written(Lifecycle("stopped"), Style.PLAIN)

    assert line == "at=2027-01-15T08:00:00.000Z level=info event=lifecycle what=stopped\n"


def test_people_are_spared_what_an_answer_to_a_program_does_not_have() -> None:
    line = written(EVENTS[6], Style.PLAIN)

    assert "event=answered " in line
    assert not {"action", "told", "client"} & {word.partition("=")[0] for word in line.split()}


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("a-b", "a-b"),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\\b", "a\\b"),
    ],
)
def test_what_would_not_read_as_one_value_is_quoted(detail: str, shown: str) -> None:
    line = written(Lifecycle("stopped", detail), Style.PLAIN)

    assert line.endswith(f" detail={shown}\n")


@pytest.mark.parametrize(
    ("event", "start"),
    [
        (EVENTS[0], "<6>event=decided "),
        (EVENTS[2], "<4>event=door_closed "),
        (EVENTS[3], "<3>event=trouble "),
    ],
)
def test_the_journal_gets_priorities_and_no_second_time(event: Event, start: str) -> None:
    line = written(event, Style.JOURNAL)

    assert line.startswith(start)
    assert " at=" not in line


def test_systemd_says_that_its_journal_reads_us() -> None:
    assert style_for({"JOURNAL_STREAM": "8:1234"}) is Style.JOURNAL
    assert style_for({}) is Style.JSON


class _Broken(io.StringIO):
    def write(self, text: str, /) -> int:
        raise BrokenPipeError


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    broken = _Broken()
    for stream in (closed, broken):
        Log(stream, lambda: NOON).hear(DECIDED)

    assert broken.getvalue() == ""


class _Heard(io.StringIO):
    """Says when it has been written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, text: str, /) -> int:
        self.written.set()
        return super().write(text)


async def test_everyday_lines_are_written_together_and_soon_each_time() -> None:
    stream = _Heard()
    log = Log(stream, lambda: NOON)
    lines: list[tuple[int, int]] = []
    with log.gathering():
        for _ in range(2):
            for event in (DECIDED, CALLED_OUT):
                log.hear(event)
            at_once = stream.getvalue().count("\n")
            await asyncio.wait_for(stream.written.wait(), 5)
            stream.written.clear()
            lines.append((at_once, stream.getvalue().count("\n")))

    assert [(0, 2), (2, 4)] == lines


def test_so_they_are_in_another_loop() -> None:
    stream = _Heard()
    log = Log(stream, lambda: NOON)

    async def gather(wait_s: float) -> None:
        with log.gathering():
            log.hear(DECIDED)
            stream.written.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(stream.written.wait(), wait_s)

            assert bool(wait_s) is stream.written.is_set()

    asyncio.run(gather(0))
    asyncio.run(gather(5))


@pytest.mark.parametrize("event", EVENTS[2:6], ids=lambda event: type(event).__name__)
async def test_what_is_urgent_is_written_at_once_after_what_was_before(event: Event) -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with log.gathering():
        log.hear(DECIDED)
        log.hear(event)
        first, second = map(json.loads, stream.getvalue().splitlines())

    assert "decided" == first["event"] != second["event"]


async def test_much_is_not_held_back() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with log.gathering():
        for _ in range(GATHER_EVENTS - 1):
            log.hear(DECIDED)
        before = stream.getvalue()
        log.hear(DECIDED)

        assert ("", GATHER_EVENTS) == (before, stream.getvalue().count("\n"))


async def test_a_line_tells_when_its_event_was_heard_of() -> None:
    stream, hours = io.StringIO(), iter(range(24))
    log = Log(stream, lambda: NOON + next(hours) * 3_600)
    with log.gathering():
        for _ in range(2):
            log.hear(DECIDED)
    at = [json.loads(line)["at"] for line in stream.getvalue().splitlines()]

    assert ["2027-01-15T08:00:00.000Z", "2027-01-15T09:00:00.000Z"] == at


_NO_NUMBER = cast(int, object())


@pytest.mark.parametrize(
    ("event", "bug"),
    [
        (CALLED_OUT.but(took_s=math.inf), "OverflowError"),  # to describe it
        (Requested("http", "", "GET", "/", _NO_NUMBER, 0.1), "TypeError"),  # to write it down
    ],
)
async def test_a_bug_costs_its_line_and_is_told_instead(event: Event, bug: str) -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with log.gathering():
        for each in (DECIDED, event, DECIDED):
            log.hear(each)
    before, instead, after = map(json.loads, stream.getvalue().splitlines())

    assert "decided" == before["event"] == after["event"]
    assert ("trouble", "log") == (instead["event"], instead["where"])
    assert bug in instead["what"]


async def test_however_it_ends_all_is_written() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with pytest.raises(KeyError), log.gathering():
        log.hear(DECIDED)
        raise KeyError
    log.hear(DECIDED)

    assert 2 == stream.getvalue().count("\n")
