"""Lines of any mail log."""

from datetime import UTC
from pathlib import Path

import pytest

from log_lines import LABELLED, load
from ringback.wire.maillog import LogReader, Software

NOON = 1_795_262_400.0
SYSLOG = b"Nov 21 12:00:00 mx "


@pytest.mark.parametrize(
    ("line", "software"),
    [
        (SYSLOG + b"postfix/smtpd[8]: connect from unknown[192.0.2.1]", Software.POSTFIX),
        (SYSLOG + b"postfix/submission/smtpd[8]: connect from a.b[192.0.2.1]", Software.POSTFIX),
        (SYSLOG + b"mail-in/postscreen[8]: DISCONNECT [192.0.2.1]:5", Software.POSTFIX),
        (b"2026-11-21 12:00:00 1abcde-000000-00 Completed", Software.EXIM),
        (SYSLOG + b"exim4[8]: 2026-11-21 12:00:00 1abcde-000000-00 Completed", Software.EXIM),
        (SYSLOG + b"exim[8]: 1abcde-000000-00 Completed", Software.EXIM),
        (
            SYSLOG
            + b"sm-mta[8]: 6ALL00000001: lost input channel from [192.0.2.1] to MTA after rcpt",
            None,
        ),
        (
            SYSLOG
            + b"sm-mta[8]: 6ALL0000000001: lost input channel from [192.0.2.1] to MTA after rcpt",
            Software.SENDMAIL,
        ),
        (SYSLOG + b"smtpd[8]: 475a8c39e32ba9b3 smtp disconnected reason=quit", Software.OPENSMTPD),
        (SYSLOG + b"sshd[8]: connect from unknown[192.0.2.1]", None),
        (b"not of a log", None),
    ],
)
def test_each_software_is_known_by_its_name(line: bytes, software: Software | None) -> None:
    event = LogReader(NOON, UTC).read(line)

    assert software == (event.software if event else None)


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.stem)
def test_a_line_means_the_same_however_often_it_was_seen(path: Path) -> None:
    reader = LogReader(NOON, UTC)
    lines = load(path).lines

    assert [reader.read(line) for line in lines] == [
        LogReader(NOON, UTC).read(line) for line in lines
    ]


def test_lines_of_no_known_form_are_counted() -> None:
    reader = LogReader(NOON, UTC)
    for line in (
        b"Nov 21 2026 12:00:00 mx postfix/smtpd[8]: x",
        b"not of a log",
        b"\n",
        SYSLOG + b"a: b",
    ):
        reader.read(line)

    assert 2 == reader.unread
