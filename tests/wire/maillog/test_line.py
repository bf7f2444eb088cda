"""Lines of logs, as far as all are alike."""

import time
from datetime import UTC

import pytest

from ringback.wire.maillog.line import MAX_LINE_BYTES, LogLine, parse_line
from ringback.wire.maillog.stamps import stamp_reader, year_guesser

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
READERS = stamp_reader(UTC), year_guesser(NOON, UTC)


def parse(octets: bytes) -> LogLine | None:
    return parse_line(octets, *READERS)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Nov 21 12:00:00 mx postfix/smtpd[8]: ", id="rfc3164"),
        pytest.param(b"<22>Nov 21 12:00:00 mx postfix/smtpd[8]: ", id="with-its-priority"),
        pytest.param(b"2026-11-21T12:00:00.000000+00:00 mx postfix/smtpd[8]: ", id="rfc3339"),
        pytest.param(b"2026-11-21T14:00:00+0200 mx postfix/smtpd[8]: ", id="journald-short-iso"),
        pytest.param(b"<22>1 2026-11-21T12:00:00Z mx postfix/smtpd 8 - - ", id="rfc5424"),
        pytest.param(
            b'1 2026-11-21T12:00:00Z mx postfix/smtpd 8 ID [meta a="b"] \xef\xbb\xbf',
            id="structured-data",
        ),
        pytest.param(
            b'<22>1 2026-11-21T12:00:00Z mx postfix/smtpd 8 - [a b="\\]"][c d="e"] ',
            id="two-of-them",
        ),
        pytest.param(b"Nov 21 12:00:00 <mail.info> mx postfix/smtpd[8]: ", id="freebsd"),
        pytest.param(b"Nov 21 12:00:00 mx postfix/smtpd[8]: [ID 197553 mail.info] ", id="solaris"),
        pytest.param(b"Sat 2026-11-21 12:00:00 UTC mx postfix/smtpd[8]: ", id="short-full"),
        pytest.param(
            b"Sat 2026-11-21 12:00:00 CET mx postfix/smtpd[8]: ", id="short-full-of-a-zone"
        ),
        pytest.param(
            b"Sat 2026-11-21 15:00:00 +03 mx postfix/smtpd[8]: ", id="short-full-by-hours"
        ),
    ],
)
def test_the_head_of_a_line_is_read(head: bytes) -> None:
    line = parse(head + b"connect from unknown[192.0.2.1]\r\n")

    assert LogLine(NOON, "mx", "postfix/smtpd", "8", "connect from unknown[192.0.2.1]") == line


@pytest.mark.parametrize(
    ("octets", "process"),
    [
        (b"2026-11-21 12:00:00 1abcde-000000-00 Completed", ""),
        (b"2026-11-21 13:00:00.000 +0100 [77] 1abcde-000000-00 Completed", "77"),
    ],
)
def test_exims_own_log_is_read(octets: bytes, process: str) -> None:
    assert LogLine(NOON, "", "exim", process, "1abcde-000000-00 Completed") == parse(octets)


def test_a_host_and_a_process_may_be_missing() -> None:
    assert LogLine(NOON, "", "sendmail", "", "x") == parse(b"Nov 21 12:00:00 sendmail: x")


@pytest.mark.parametrize("stamp", [b"Nov 21 12:00:00", b"2026-11-21T12:00:00Z"])
def test_a_host_may_be_an_address(stamp: bytes) -> None:
    line = parse(stamp + b" 2001:db8::1 sendmail[8]: x")

    assert LogLine(NOON, "2001:db8::1", "sendmail", "8", "x") == line


def test_what_is_nil_is_nothing() -> None:
    line = parse(b"<22>1 2026-11-21T12:00:00Z - sendmail - - - x")

    assert LogLine(NOON, "", "sendmail", "", "x") == line


@pytest.mark.parametrize("unit", [b"[a]", b"[", b"\\]", b"<a>", b":", b"1", b"a "])
def test_no_head_costs_more_than_its_length(unit: bytes) -> None:
    began_s = time.process_time()
    for head in (b"", b"Nov 21 12:00:00 ", b"<22>1 2026-11-21T12:00:00Z mx a 8 - ", b"<"):
        parse(head + unit * (MAX_LINE_BYTES // len(unit)))

    assert 1.0 > time.process_time() - began_s  # of the processor; it takes a thousandth of this


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\n",
        b"# a comment",
        b"Nov 21 12:00:00",
        b"Nox 21 12:00:00 mx postfix/smtpd[8]: x",
        b"2026-11-41T12:00:00Z mx postfix/smtpd[8]: x",
        b"2026-11-41 12:00:00 x",
        b"\xff" * 100,
    ],
)
def test_what_no_system_writes_is_none(octets: bytes) -> None:
    assert parse(octets) is None


def test_a_long_line_is_cut() -> None:
    line = parse(b"Nov 21 12:00:00 mx postfix/smtpd[8]: " + b"x" * 10 * MAX_LINE_BYTES)

    assert line is not None
    assert MAX_LINE_BYTES > len(line.text)


def test_octets_that_are_no_text_stay_apart() -> None:
    first, second = parse(b"Nov 21 12:00:00 a: \xff"), parse(b"Nov 21 12:00:00 a: \xfe")

    assert first and second
    assert first.text != second.text
    assert (first.text + second.text).encode()
