"""What Exim's main log says."""

import time

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
from ringback.wire.maillog.line import MAX_LINE_BYTES

EXIM = Software.EXIM
CLIENT = LoggedClient("192.0.2.1", "mx.caller.example", "helo.example")
HOST = "mx.caller.example (helo.example) [192.0.2.1]"
LONG_ID = "1xUs7H-000000000AB-0pQQ"
# Of the processor, for some of the longest lines: fifty times what they take; powers of two never end.
COSTLY_S = 2.0


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
            f"H={HOST} TFO X=TLS1.3:x:256 CV=no F=<a@b> A=plain:ann temporarily rejected RCPT <c@d>: later",
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
        (
            f"{LONG_ID} SMTP data timeout (message abandoned) on connection from {HOST} F=<>",
            Abandoned(
                at=1,
                software=EXIM,
                message=LONG_ID,
                client=CLIENT,
                sender=None,
                tidy=False,
                offered=True,
            ),
        ),
        (
            f"{LONG_ID} SMTP connection from {HOST} lost while reading message data (header)",
            Abandoned(
                at=1,
                software=EXIM,
                message=LONG_ID,
                client=CLIENT,
                sender=None,
                tidy=False,
                offered=True,
            ),
        ),
        (
            f"SMTP connection from {HOST} lost while reading message data",
            Disconnected(at=1, software=EXIM, client=CLIENT, tidy=False),
        ),
        (
            f"SMTP command timeout on connection from {HOST} D=5m",
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

    assert ["/77[192.0.2.1]", "/[192.0.2.1]:2525"] == sessions


def test_processes_of_two_hosts_are_two_sessions() -> None:
    first, second = (
        read(f"SMTP connection from [{ip}] lost", "77") for ip in ("192.0.2.1", "192.0.2.2")
    )

    assert first and second
    assert first.session != second.session


@pytest.mark.parametrize("what", ["after DATA", "during MIME ACL checks", "by local_scan()"])
def test_a_message_that_was_refused_is_read(what: str) -> None:
    refused = read(f"{LONG_ID} H={HOST} F=<> rejected {what}: spam")

    assert isinstance(refused, Refused)
    assert (None, LONG_ID, "spam") == (refused.stage, refused.message, refused.text)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("a@b", "sender => recipient pair unknown"),
        ('"a -> b"@c', "Unrouteable address"),
        ("a@b", "not Completed"),
        ("a@b", "incomplete transaction (QUIT)"),
    ],
)
def test_the_words_of_a_line_are_not_its_kind(address: str, words: str) -> None:
    refused = read(f"H={HOST} F=<> rejected RCPT <{address}>: {words}")

    assert isinstance(refused, Refused)
    assert (address, words) == (refused.recipient, refused.text)


@pytest.mark.parametrize(
    "forged",
    [
        'id=" A=plain:root for victim@home.test z"@x.example',
        'id=a@b T="x A=plain:root S=9 H=[192.0.2.9] for victim@home.test"',
        'id=" T= for victim@home.test"@[ for victim@home.test]',
        'DN="/CN=x A=plain:root for victim@home.test"',
    ],
)
@pytest.mark.parametrize("recipients", [(), ("c@d", "e@f")])
def test_what_a_sender_writes_is_no_field(forged: str, recipients: tuple[str, ...]) -> None:
    named = f" for {' '.join(recipients)}" if recipients else ""
    arrived = read(f"{LONG_ID} <= a@b H={HOST} P=esmtp S=300 {forged}{named}")

    assert isinstance(arrived, Arrived)
    assert (CLIENT, False, 300) == (arrived.client, arrived.authenticated, arrived.size_bytes)
    assert recipients == arrived.recipients


def test_what_a_client_writes_is_no_login() -> None:
    refused = read(f'H={HOST} F=<" A=plain:root"@x> rejected RCPT <a@b>: no A=plain:root')

    assert isinstance(refused, Refused)
    assert CLIENT == refused.client


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


UNITS = [
    " A=b",
    ' A="b',
    " for a@b",
    " for a@a@",
    "a@",
    ' C="',
    "from [1.1.1.1] ",
    ' X="',
    " F=<",
    ") [1.1.1.1] ",
    '"',
    "\\\\",
]
ENDS = ["", " .", "  y", " <= ", " => ", " rejected RCPT <", " incomplete transaction ("]


@pytest.mark.parametrize(
    "head",
    [
        f"H={HOST}",
        f"H={HOST} F=<> rejected RCPT <",
        "rejected HELO ",
        "SMTP connection from x",
        f"{LONG_ID} <= a@b",
        f'{LONG_ID} <= a@b H={HOST} id=" for ',
        f'{LONG_ID} <= "',
        f"{LONG_ID} => a <b",
        f"H={HOST} incomplete transaction (QUIT) from <",
    ],
)
@pytest.mark.parametrize("unit", UNITS)
def test_no_line_costs_more_than_its_length(head: str, unit: str) -> None:
    began_s = time.process_time()
    for end in ENDS:
        read((head + unit * (MAX_LINE_BYTES // len(unit)))[:MAX_LINE_BYTES] + end)

    assert COSTLY_S > time.process_time() - began_s
