"""Lines of logs, as far as all are alike."""

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
