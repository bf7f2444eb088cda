"""Logs in, callers out."""

import os
from datetime import UTC
from pathlib import Path

import pytest

from log_lines import CAPTURED_AT, LABELLED
from ringback.doors.cli.tracing import Found, trace_logs
from ringback.errors import UsageError

NAMED = b"Nov 21 10:00:0%d mx postfix/smtpd[8]: %s mx.caller.example[192.0.2.%d]%s\n"


def found_in(*paths: Path, since_at: float = 0.0) -> Found:
    return trace_logs([str(path) for path in paths], CAPTURED_AT, since_at, UTC)


def written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    os.utime(path, (CAPTURED_AT, CAPTURED_AT))
    return path


@pytest.fixture
def named(tmp_path: Path) -> Path:
    asked = b" ehlo=1 mail=1 rcpt=1 quit=1 commands=4"
    lines = [(0, b"connect from", 1, b""), (1, b"disconnect from", 1, asked)]
    return written(tmp_path / "mail.log", b"".join(NAMED % line for line in lines))


@pytest.mark.parametrize(
    "wanted", ["caller.example", "MX.Caller.Example.", "other.caller.example", "192.0.2.1"]
)
def test_one_caller_can_be_had_alone(named: Path, wanted: str) -> None:
    assert 1 == len(found_in(named).only(wanted).seen.callers)


@pytest.mark.parametrize("wanted", ["example", "192.0.2.2", "aller.example", ""])
def test_others_are_not_he(named: Path, wanted: str) -> None:
    assert () == found_in(named).only(wanted).seen.callers


def test_what_is_older_is_passed_over(named: Path) -> None:
    found = found_in(named, since_at=CAPTURED_AT - 60)

    assert ((), None, 2) == (found.seen.callers, found.log.first_at, found.log.told)


def test_a_file_without_a_time_is_of_now(named: Path) -> None:
    os.utime(named, (0, 0))
    (caller,) = found_in(named).seen.callers

    assert CAPTURED_AT - 86_400 < caller.first_at < CAPTURED_AT


def test_lines_of_no_mail_server_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "auth.log", b"Nov 21 10:00:00 mx sshd[8]: x\n" * 3)

    with pytest.raises(UsageError, match=r"none of 3 lines .*trace\.md"):
        found_in(path)


def test_lines_of_an_unknown_form_are_counted(named: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.log", b"Nov 21 2026 10:00:00 mx postfix/smtpd[8]: x\n" * 3)
    log = found_in(named, other).log

    assert (5, 3) == (log.lines, log.unread)


def test_an_empty_log_has_nobody(tmp_path: Path) -> None:
    assert () == found_in(written(tmp_path / "mail.log", b"")).seen.callers


def test_logs_that_overlap_in_time_are_read_as_one(tmp_path: Path) -> None:
    refused = "2026-11-21 %02d:%02d:%02d H=mx.a.example [192.0.2.1] F=<> rejected RCPT <x@ours>: Unknown user"
    logs = [
        "\n".join(refused % (hour, minute, second) for hour in range(9) for minute in (0, 30))
        for second in (0, 31)
    ]
    paths = [written(tmp_path / f"{n}.log", log.encode()) for n, log in enumerate(logs)]
    (caller,) = found_in(*paths).seen.callers

    assert (36, 4) == (caller.sessions, caller.peak)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("postfix", ""),
        ("exim", "if log_selector does not have +smtp_incomplete_transaction +pid"),
        ("exim-selected", ""),
        ("sendmail", ""),
        ("opensmtpd", "OpenSMTPD logs neither senders"),
    ],
)
def test_what_a_log_cannot_tell_is_told(name: str, complaint: str) -> None:
    (path,) = (path for path in LABELLED if path.stem == name)
    complaints = found_in(path).complaints

    assert bool(complaint) == bool(complaints)
    assert complaint in "".join(complaints)


def test_an_old_postfix_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path / "mail.log", NAMED % (0, b"disconnect from", 1, b""))

    assert "as it does since 3.0" in "".join(found_in(path).complaints)
