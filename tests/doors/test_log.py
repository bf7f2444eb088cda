"""Events as lines."""

import asyncio
import io
import json
import math
from typing import Any

import pytest

from ringback.doors.log import GATHER_EVENTS, MAX_FIELD_CHARS, Log, Style, describe, style_for
from ringback.values.events import (
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
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.query import Report
from ringback.values.verdict import Reason

NOON = 1_800_000_000.0
RCPT = Exchange(NOON, Stage.RCPT, host="mx.shop.example", ip="192.0.2.25", code=550)
REPORT = Report(
    "ann@shop.example", Reason.NO_SUCH_MAILBOX, True, NOON, "the host refuses it", because=RCPT
)
DECIDED = Decided(
    door="policy",
    purpose="sender",
    address="ann@shop.example",
    client="198.51.100.7",
    action="550 5.1.7 no",
    told="DUNNO",
    report=REPORT,
    took_s=0.01234,
)
CALLED_OUT = CalledOut(
    "ann@shop.example", "sender", 2, ("mx1.example", "mx2.example"), "accepted", "a rule", 1.5
)
EVENTS = [
    DECIDED,
    CALLED_OUT,
    DoorClosed("policy", "127.0.0.1:4711", "NUL byte in a request"),
    Trouble("store", "disk full", "make room"),
    Examined(Fitness((Finding(Aspect.SPF, Severity.OK, "well"),)), may_call=True),
    Lifecycle("listens", "127.0.0.1:10040"),
    Answered("http", "bulk", "ann@shop.example", "", REPORT, 0.01),
    Requested("http", "192.0.2.9", "POST", "/v1/verify", 200, 0.01),
]
# What others may rely on, per event.
FIELDS = {
    "decided": (
        "door purpose address client verdict reason blame rule gate action told final settled "
        "retry_at from_cache callouts took_ms host ip reply"
    ),
    "answered": (
        "door purpose address client verdict reason blame rule gate final settled retry_at from_cache "
        "callouts took_ms host ip reply"
    ),
    "requested": "door client method route status took_ms",
    "called_out": "address purpose connections hosts reason rule took_ms",
    "door_closed": "door peer why",
    "trouble": "where what remedy",
    "examined": "fit may_call fatal warning unknown remedy",
    "lifecycle": "what detail",
}


def written(event: Event, style: Style) -> str:
    stream = io.StringIO()
    Log(stream, lambda: NOON, style).hear(event)
    return stream.getvalue()


def parsed(event: Event) -> dict[str, Any]:
    line = json.loads(written(event, Style.JSON))
    assert isinstance(line, dict)
    return line


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_json_lines_have_stable_names(event: Event) -> None:
    line = parsed(event)

    assert list(line) == ["at", "level", "event", *FIELDS[line["event"]].split()]
    assert line["at"] == "2027-01-15T08:00:00.000Z"


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_one_event_is_one_line(event: Event, style: Style) -> None:
    line = written(event, style)

    assert line.endswith("\n")
    assert line.count("\n") == 1


def test_a_decision_says_what_was_decided_told_and_why() -> None:
    line = parsed(DECIDED)

    assert line["verdict"] == "undeliverable"
    assert line["blame"] == "address"
    assert (line["action"], line["told"]) == ("550 5.1.7 no", "DUNNO")
    assert line["took_ms"] == 12.3
    assert (line["host"], line["ip"], line["reply"]) == ("mx.shop.example", "192.0.2.25", "550")


def test_a_reply_keeps_its_codes_and_a_silence_has_its_name() -> None:
    greylisted = Exchange(NOON, Stage.RCPT, code=450, enhanced="4.2.0", text="wait\nplease")
    silence = Exchange(NOON, Stage.CONNECT, fault=Fault.TIMEOUT, text="no answer in 20 s")
    told = [
        describe(Decided("policy", "sender", "a@b.example", "", "", "", report, 0.0))[2]["reply"]
        for report in (
            Report("a@b.example", Reason.GREYLISTED, False, NOON, "", because=greylisted),
            Report("a@b.example", Reason.UNREACHABLE, False, NOON, "", because=silence),
            Report("a@b.example", Reason.NOT_ASKED, True, NOON, "", gate="null_sender"),
        )
    ]

    assert told == ["450 4.2.0 wait please", "timeout no answer in 20 s", ""]


def test_an_instant_is_shown_as_one() -> None:
    waiting = Report("a@b.example", Reason.GREYLISTED, False, NOON, "", retry_at=NOON + 60)
    event = Decided("policy", "sender", "a@b.example", "", "", "", waiting, 0.0)

    assert parsed(event)["retry_at"] == "2027-01-15T08:01:00.000Z"


@pytest.mark.parametrize("style", Style)
def test_what_a_peer_says_cannot_forge_a_line_or_drive_a_terminal(style: Style) -> None:
    evil = '\x1b[2J\r\nlevel=error event="decided" \u202e\x00'

    line = written(DoorClosed("policy", evil, evil), style)

    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


def test_what_a_peer_says_is_bounded() -> None:
    line = parsed(DoorClosed("policy", "x" * 100_000, "y"))

    assert len(line["peer"]) == MAX_FIELD_CHARS


def test_a_bug_brings_its_traceback_in_one_line() -> None:
    line = parsed(Trouble("policy", "KeyError('x')", "report it", "Traceback:\n  File\nKeyError\n"))

    assert line["level"] == "error"
    assert line["trace"] == "Traceback: |   File | KeyError"


def test_people_are_spared_empty_fields() -> None:
    line = written(Lifecycle("stopped"), Style.PLAIN)

    assert line == "at=2027-01-15T08:00:00.000Z level=info event=lifecycle what=stopped\n"


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


async def test_everyday_lines_are_written_together_and_soon() -> None:
    stream = _Heard()
    log = Log(stream, lambda: NOON)
    with log.gathering():
        for event in (DECIDED, CALLED_OUT):
            log.hear(event)
        at_once = stream.getvalue()
        await asyncio.wait_for(stream.written.wait(), 5)
        soon = stream.getvalue()

    assert ("", 2) == (at_once, soon.count("\n"))


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


async def test_a_bug_costs_its_line_and_is_told_instead() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with log.gathering():
        for event in (DECIDED, CALLED_OUT.but(took_s=math.inf), DECIDED):
            log.hear(event)
    before, instead, after = map(json.loads, stream.getvalue().splitlines())

    assert "decided" == before["event"] == after["event"]
    assert ("trouble", "log") == (instead["event"], instead["where"])
    assert "OverflowError" in instead["what"]


async def test_however_it_ends_all_is_written() -> None:
    stream = io.StringIO()
    log = Log(stream, lambda: NOON)
    with pytest.raises(KeyError), log.gathering():
        log.hear(DECIDED)
        raise KeyError
    log.hear(DECIDED)

    assert 2 == stream.getvalue().count("\n")


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.FATAL, "error"), (Severity.WARNING, "warning"), (Severity.UNKNOWN, "info")],
)
def test_an_unfit_identity_is_loud(severity: Severity, level: str) -> None:
    findings = tuple(
        Finding(Aspect.HELO_NAME, severity, f"{ip} is another", "mend it") for ip in "ab"
    )
    line = parsed(Examined(Fitness(findings), may_call=False))

    assert (level, severity is not Severity.FATAL) == (line["level"], line["fit"])
    assert "a is another; b is another" == line[severity]
    assert ("mend it" if severity is Severity.FATAL else "") == line["remedy"]
