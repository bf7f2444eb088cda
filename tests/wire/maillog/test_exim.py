"""What Exim's main log says."""

import pytest

from log_lines import line_of
from ringback.values.evidence import Stage
from ringback.wire.maillog.events import (
    Abandoned,
    Arrived,
    Delivered,
    Disconnected,
    Fate,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from ringback.wire.maillog.exim import read_exim

EXIM = Software.EXIM
CLIENT = LoggedClient("192.0.2.1", "mx.caller.example", "helo.example")
HOST = "mx.caller.example (helo.example) [192.0.2.1]"
LONG_ID = "1xUs7H-000000000AB-0pQQ"


def read(text: str, process: str = "") -> LogEvent | None:
    return read_exim(line_of("exim", text, process=process, host=""))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (
            f"H={HOST} F=<> rejected RCPT <a@b>: Unrouteable address",
            Refused(
                at=1,
                software=EXIM,
                client=CLIENT,
                stage=Stage.RCPT,
                code=550,
                text="Unrouteable address",
                sender="",
                recipient="a@b",
            ),
        ),
        (
            f"H={HOST} X=TLS1.3:x:256 CV=no F=<a@b> A=plain:ann temporarily rejected RCPT <c@d>: later",
            Refused(
                at=1,
                software=EXIM,
                client=LoggedClient("192.0.2.1", "mx.caller.example", "helo.example", "ann"),
                stage=Stage.RCPT,
                code=450,
                text="later",
                sender="a@b",
                recipient="c@d",
            ),
        ),
        (
            f"{LONG_ID} H=[192.0.2.1] F=<a@b> rejected after DATA: spam",
            Refused(
                at=1,
                software=EXIM,
                message=LONG_ID,
                client=LoggedClient("192.0.2.1"),
                stage=None,
                code=550,
                text="spam",
                sender="a@b",
            ),
        ),
        (
            "H=mx.caller.example [192.0.2.1] rejected MAIL <a@b>: no",
            Refused(
                at=1,
                software=EXIM,
                client=LoggedClient("192.0.2.1", "mx.caller.example", "mx.caller.example"),
                stage=Stage.MAIL,
                code=550,
                text="no",
            ),
        ),
        (
            "rejected EHLO from [192.0.2.1]: syntactically invalid argument(s): x",
            Refused(
                at=1,
                software=EXIM,
                client=LoggedClient("192.0.2.1"),
                stage=Stage.EHLO,
                code=550,
                text="syntactically invalid argument(s): x",
            ),
        ),
        (
            "temporarily rejected HELO from [192.0.2.1]: later",
            Refused(
                at=1,
                software=EXIM,
                client=LoggedClient("192.0.2.1"),
                stage=Stage.EHLO,
                code=450,
                text="later",
            ),
        ),
        ("rejected something else", None),
        (
            f"H={HOST} incomplete transaction (QUIT) from <> for a@b c@d",
            Abandoned(
                at=1,
                software=EXIM,
                client=CLIENT,
                sender="",
                recipients=("a@b", "c@d"),
                accepted=2,
                tidy=True,
            ),
        ),
        (
            f"H={HOST} incomplete transaction (connection lost) from <a@b>",
            Abandoned(at=1, software=EXIM, client=CLIENT, sender="a@b", tidy=False),
        ),
        ("x incomplete transaction (QUIT)", None),
        (
            f"SMTP connection from {HOST}:2525 closed by QUIT",
            Disconnected(
                at=1, software=EXIM, session="/[192.0.2.1]:2525", client=CLIENT, tidy=True
            ),
        ),
        (
            f"SMTP connection from {HOST} lost D=0s",
            Disconnected(at=1, software=EXIM, client=CLIENT, tidy=False),
        ),
        (
            f"unexpected disconnection while reading SMTP command from {HOST} D=0s",
            Disconnected(at=1, software=EXIM, client=CLIENT, tidy=False),
        ),
        ("SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)", None),
        (
            f"{LONG_ID} <= a@b H={HOST} P=esmtpsa A=plain:ann S=222 id=x@y "
            'T="for e@f" from <a@b> for c@d g@h',
            Arrived(
                at=1,
                software=EXIM,
                message=LONG_ID,
                client=LoggedClient("192.0.2.1", "mx.caller.example", "helo.example", "ann"),
                sender="a@b",
                recipients=("c@d", "g@h"),
                accepted=2,
                size_bytes=222,
                authenticated=True,
            ),
        ),
        (
            "1xUs7H-00000B-0p <= <> R=1xUs7H-00000A-0p U=Debian-exim P=local",
            Arrived(
                at=1,
                software=EXIM,
                message="1xUs7H-00000B-0p",
                client=LoggedClient(""),
                sender="",
            ),
        ),
        (
            '1xUs7H-00000B-0p <= "a b"@c U=x P=local S=1',
            Arrived(
                at=1,
                software=EXIM,
                message="1xUs7H-00000B-0p",
                client=LoggedClient(""),
                sender='"a b"@c',
                size_bytes=1,
            ),
        ),
        ("x <= y", None),
        (
            '1xUs7H-00000B-0p => a@b <c@d> F=<e@f> R=r T=t H=mx.b [192.0.2.9] C="250 OK"',
            Delivered(
                at=1,
                software=EXIM,
                message="1xUs7H-00000B-0p",
                recipient="a@b",
                fate=Fate.SENT,
                original="c@d",
                sender="e@f",
                relay="mx.b [192.0.2.9]",
                text="250 OK",
            ),
        ),
        (
            "1xUs7H-00000B-0p ** a@b R=r: Unrouteable address",
            Delivered(
                at=1,
                software=EXIM,
                message="1xUs7H-00000B-0p",
                recipient="a@b",
                fate=Fate.BOUNCED,
                text="Unrouteable address",
            ),
        ),
        (
            "1xUs7H-00000B-0p == a@b R=r T=t defer (-44)",
            Delivered(
                at=1,
                software=EXIM,
                message="1xUs7H-00000B-0p",
                recipient="a@b",
                fate=Fate.DEFERRED,
            ),
        ),
        ("x => y", None),
        (
            "1xUs7H-00000B-0p Completed QT=1s",
            Finished(at=1, software=EXIM, message="1xUs7H-00000B-0p"),
        ),
        ("x Completed", None),
        ("exim 4.96 daemon started", None),
    ],
)
def test_a_line_tells_what_happened(text: str, event: LogEvent | None) -> None:
    assert event == read(text)


def test_a_session_is_a_process_or_a_port() -> None:
    text = f"SMTP connection from {HOST}:2525 lost"
    sessions = [event.session for event in (read(text, "77"), read(text)) if event]

    assert ["/77", "/[192.0.2.1]:2525"] == sessions


def test_a_line_within_one_of_the_systems_is_read() -> None:
    line = line_of("exim4", "2026-11-21 12:00:00 [77] 1xUs7H-00000B-0p Completed")
    without = line_of("exim4", "2026-11-21 12:00:00 1xUs7H-00000B-0p Completed")

    assert Finished(at=1, software=EXIM, message="1xUs7H-00000B-0p") == read_exim(line)
    assert read_exim(without) == read_exim(line)


@pytest.mark.parametrize(
    "text",
    [
        # helo_accept_junk_hosts lets HELO names be anything.
        "H=(a) [10.0.0.1] F=<> rejected RCPT <v@ours>: x) [192.0.2.1] F=<> rejected RCPT <b@c>: no",
        "H=(a) [10.0.0.1] incomplete transaction (QUIT) from <> for x) [192.0.2.1] F=<>",
        "rejected EHLO from [10.0.0.1]: x) [192.0.2.1] y",
    ],
)
def test_a_line_that_can_be_read_in_two_ways_is_not_read(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    "hostile",
    [
        "H=(a) [192.0.2.1]" + " A=b" * 4_000 + " rejected ",
        "1xUs7H-00000B-0p <= a@b" + " for a@b" * 2_000 + " .",
        "1xUs7H-00000B-0p => a" + ' C="' * 4_000,
        "rejected HELO " + "from [1.1.1.1] " * 1_000,
    ],
)
def test_a_hostile_line_costs_no_more_than_others(hostile: str) -> None:
    read(hostile)
