"""What the line of an event tells."""

from typing import Any

import msgspec
import pytest

from log_events import DECIDED, EVENTS, NOON, REPORT
from ringback.doors.log_lines import MAX_FIELD_CHARS, describe
from ringback.values.events import (
    Answered,
    Decided,
    DoorClosed,
    Event,
    Examined,
    Trouble,
)
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.query import Report
from ringback.values.verdict import Reason

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


EVIL = '\x1b[2J\r\nlevel=error event="decided" \u202e\x00\udc80'


def parsed(event: Event) -> dict[str, Any]:
    line = msgspec.json.decode(msgspec.json.encode(describe(NOON, event)))
    assert isinstance(line, dict)
    return line


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_json_lines_have_stable_names(event: Event) -> None:
    line = parsed(event)

    assert list(line) == ["at", "level", "event", *FIELDS[line["event"]].split()]
    assert line["at"] == "2027-01-15T08:00:00.000Z"


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
        parsed(Decided("policy", "sender", "a@b.example", "", "", "", report, 0.0))["reply"]
        for report in (
            Report("a@b.example", Reason.GREYLISTED, False, NOON, "", because=greylisted),
            Report("a@b.example", Reason.UNREACHABLE, False, NOON, "", because=silence),
            Report("a@b.example", Reason.NOT_ASKED, True, NOON, "", gate="null_sender"),
        )
    ]

    assert told == ["450 4.2.0 wait please", "timeout no answer in 20 s", ""]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (NOON + 60, "2027-01-15T08:01:00.000Z"),
        (1_800_000_567.712, "2027-01-15T08:09:27.712Z"),
        (1_800_000_567.9999, "2027-01-15T08:09:27.999Z"),
        (-0.5, "1969-12-31T23:59:59.500Z"),
    ],
)
def test_an_instant_is_shown_as_one(at: float, shown: str) -> None:
    waiting = Report("a@b.example", Reason.GREYLISTED, False, NOON, "", retry_at=at)
    event = Decided("policy", "sender", "a@b.example", "", "", "", waiting, 0.0)

    assert shown == parsed(event)["retry_at"]


def test_what_a_peer_says_is_bounded() -> None:
    line = parsed(DoorClosed("policy", "x" * 100_000, "y"))

    assert len(line["peer"]) == MAX_FIELD_CHARS


def test_a_bug_brings_its_traceback_in_one_line() -> None:
    line = parsed(Trouble("policy", "KeyError('x')", "report it", "Traceback:\n  File\nKeyError\n"))

    assert line["level"] == "error"
    assert line["trace"] == "Traceback: |   File | KeyError"


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
    assert ("" if severity is Severity.UNKNOWN else "mend it") == line["remedy"]


def test_what_is_fatal_is_mended_first() -> None:
    findings = (
        Finding(Aspect.HELO_NAME, Severity.WARNING, "a", "later"),
        Finding(Aspect.HELO_NAME, Severity.FATAL, "b", "now"),
    )

    assert "now" == parsed(Examined(Fitness(findings), may_call=False))["remedy"]


# All that a stranger may have had a part in, and where it stands in the line.
_SAID = Exchange(NOON, Stage.RCPT, text="well", code=250)
_EVIL_ANSWERS = {
    "address": DECIDED.but(address=EVIL),
    "client": DECIDED.but(client=EVIL),
    "action": DECIDED.but(action=EVIL),
    "told": DECIDED.but(told=EVIL),
    "rule": DECIDED.but(report=REPORT.but(rule=EVIL)),
    "gate": DECIDED.but(report=REPORT.but(gate=EVIL)),
    "host": DECIDED.but(report=REPORT.but(because=_SAID.but(host=EVIL))),
    "ip": DECIDED.but(report=REPORT.but(because=_SAID.but(ip=EVIL))),
    "reply": DECIDED.but(report=REPORT.but(because=_SAID.but(text=EVIL))),
}


@pytest.mark.parametrize("field", _EVIL_ANSWERS)
def test_no_text_of_an_answer_can_forge_a_line_or_drive_a_terminal(field: str) -> None:
    event = _EVIL_ANSWERS[field]
    decided = parsed(event)
    answered = parsed(
        Answered("http", "bulk", event.address, event.client, event.report, event.took_s)
    )

    assert all(str(value).isprintable() for value in (*decided.values(), *answered.values()))
    assert "level=error" in decided[field]


@pytest.mark.parametrize("chars", [MAX_FIELD_CHARS, MAX_FIELD_CHARS + 1])
def test_long_texts_of_an_answer_are_cut_one_by_one(chars: int) -> None:
    text = "x" * chars
    line = parsed(DECIDED.but(client=text, action=text))

    assert [MAX_FIELD_CHARS] * 2 == [len(line["client"]), len(line["action"])]
    assert (DECIDED.told, DECIDED.address) == (line["told"], line["address"])


def test_an_answer_to_a_program_has_the_same_line_without_actions() -> None:
    report = DECIDED.report
    answered = Answered("policy", "sender", DECIDED.address, DECIDED.client, report, DECIDED.took_s)
    told = parsed(DECIDED)
    del told["action"], told["told"]

    assert {**told, "event": "answered"} == parsed(answered)


@pytest.mark.parametrize("final", [True, False])
def test_each_field_of_an_answer_is_its_own(final: bool) -> None:
    said = Exchange(
        NOON, Stage.RCPT, 1, "mx.shop.example", "192.0.2.25", code=450, enhanced="4.2.0", text="so"
    )
    report = Report(
        "known@shop.example",
        Reason.GREYLISTED,
        final,
        NOON,
        "a rule",
        retry_at=NOON + 60,
        from_cache=False,
        callouts=3,
        gate="a gate",
        questions=7,
        settled=not final,  # of three that are true or false, no two are alike in both cases
        because=said,
    )
    asked = ("a door", "a purpose", "ann@shop.example", "198.51.100.7")
    expected = {
        "at": "2027-01-15T08:00:00.000Z",
        "level": "info",
        "event": "decided",
        "door": "a door",
        "purpose": "a purpose",
        "address": "ann@shop.example",
        "client": "198.51.100.7",
        "verdict": "unknown",
        "reason": "greylisted",
        "blame": "peer",
        "rule": "a rule",
        "gate": "a gate",
        "action": "an action",
        "told": "another",
        "final": final,
        "settled": not final,
        "retry_at": "2027-01-15T08:01:00.000Z",
        "from_cache": False,
        "callouts": 3,
        "took_ms": 12.3,
        "host": "mx.shop.example",
        "ip": "192.0.2.25",
        "reply": "450 4.2.0 so",
    }

    assert expected == parsed(Decided(*asked, "an action", "another", report, 0.01234))
    del expected["action"], expected["told"]
    assert {**expected, "event": "answered"} == parsed(Answered(*asked, report, 0.01234))
