"""What Postfix logs."""

import pytest

from log_lines import line_of
from ringback.values.evidence import Stage
from ringback.wire.maillog.events import (
    Arrived,
    Begun,
    Connected,
    Delivered,
    Disconnected,
    Fate,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from ringback.wire.maillog.postfix import read_postfix

POSTFIX = Software.POSTFIX
CLIENT = LoggedClient("192.0.2.1", "mx.caller.example")
FILTER = LoggedClient("127.0.0.1", "localhost")
REFUSED_WHOLE = Refused(
    at=1,
    software=POSTFIX,
    message="mx/23FF6",
    client=CLIENT.but(helo="h"),
    stage=None,
    code=550,
    text="",
    sender="a@b",
    recipient="c@d",
)
REJECT = "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <a@b>: User unknown; "


def read(program: str, text: str) -> LogEvent | None:
    return read_postfix(line_of(f"postfix/{program}", text))


@pytest.mark.parametrize(
    ("program", "text", "event"),
    [
        (
            "smtpd",
            "connect from MX.caller.example[192.0.2.1]",
            Connected(at=1, software=POSTFIX, session="mx/8", client=CLIENT),
        ),
        (
            "submission/smtpd",
            "disconnect from mx.caller.example[192.0.2.1] ehlo=1 mail=1 rcpt=1/2 quit=1 commands=4/5",
            Disconnected(
                at=1,
                software=POSTFIX,
                session="mx/8",
                client=CLIENT,
                commands={"ehlo": (1, 1), "mail": (1, 1), "rcpt": (1, 2), "quit": (1, 1)},
                tidy=True,
            ),
        ),
        (
            "smtpd",
            "disconnect from mx.caller.example[192.0.2.1] ehlo=1 commands=1",
            Disconnected(
                at=1,
                software=POSTFIX,
                session="mx/8",
                client=CLIENT,
                commands={"ehlo": (1, 1)},
                tidy=False,
            ),
        ),
        ("smtpd", "disconnect from mx.caller.example[192.0.2.1] rcpt=/ quit=1 commands=1", None),
        ("smtpd", f"disconnect from mx.caller.example[192.0.2.1] rcpt={'1' * 9_000}", None),
        (
            "smtpd",
            "disconnect from mx.caller.example[192.0.2.1]",
            Disconnected(at=1, software=POSTFIX, session="mx/8", client=CLIENT),
        ),
        (
            "smtpd",
            "1D29023624C: client=mx.caller.example[192.0.2.1], sasl_method=PLAIN, sasl_username=ann",
            Begun(
                at=1,
                software=POSTFIX,
                session="mx/8",
                message="mx/1D29023624C",
                client=LoggedClient("192.0.2.1", "mx.caller.example", "", "ann"),
            ),
        ),
        (
            "smtpd",
            "1D29023624C: client=localhost[127.0.0.1], orig_queue_id=0639F4B4839, "
            "orig_client=mx.caller.example[192.0.2.1]",
            Begun(
                at=1,
                software=POSTFIX,
                session="mx/8",
                message="mx/1D29023624C",
                client=FILTER,
                origin=CLIENT,
                origin_message="mx/0639F4B4839",
            ),
        ),
        (
            "smtpd",
            "1D29023624C: client=localhost[127.0.0.1], orig_client=unknown[unknown]",
            Begun(
                at=1,
                software=POSTFIX,
                session="mx/8",
                message="mx/1D29023624C",
                client=FILTER,
            ),
        ),
        (
            "smtpd",
            "NOQUEUE: client=mx.caller.example[192.0.2.1]",
            Begun(at=1, software=POSTFIX, session="mx/8", client=CLIENT),
        ),
        (
            "smtpd",
            REJECT + "from=<> to=<@r:a@b> proto=ESMTP helo=<h>",
            Refused(
                at=1,
                software=POSTFIX,
                session="mx/8",
                client=LoggedClient("192.0.2.1", "", "h"),
                stage=Stage.RCPT,
                code=550,
                text="5.1.1 <a@b>: User unknown",
                sender="",
                recipient="a@b",
            ),
        ),
        (
            "smtpd",
            "4F1: reject: RCPT from x[192.0.2.1]: 550 y",
            None,  # no queue id is so short
        ),
        (
            "smtpd",
            "23FF6: milter-reject: END-OF-MESSAGE from mx.caller.example[192.0.2.1]: 554 5.7.1 Spam",
            Refused(
                at=1,
                software=POSTFIX,
                session="mx/8",
                message="mx/23FF6",
                client=CLIENT,
                stage=None,
                code=554,
                text="5.7.1 Spam",
            ),
        ),
        (
            "cleanup",
            "23FF6: milter-reject: END-OF-MESSAGE from mx.caller.example[192.0.2.1]: 5.7.1 Spam message "
            "rejected; from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
            REFUSED_WHOLE.but(text="5.7.1 Spam message rejected"),
        ),
        (
            "cleanup",
            "23FF6: milter-reject: END-OF-MESSAGE from mx.caller.example[192.0.2.1]: 4.7.1 Greylisted; "
            "from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
            REFUSED_WHOLE.but(code=450, text="4.7.1 Greylisted"),
        ),
        (
            "cleanup",
            "23FF6: reject: header Subject: you win from mx.caller.example[192.0.2.1]; from=<a@b> to=<c@d> "
            "proto=ESMTP helo=<h>: 5.7.1 message content rejected",
            REFUSED_WHOLE.but(text="5.7.1 message content rejected"),
        ),
        (
            "cleanup",
            "23FF6: reject: body from mx.caller.example[192.0.2.1]; from=<a@b> to=<c@d> proto=ESMTP "
            "helo=<h>: 4.7.1 try again",
            REFUSED_WHOLE.but(code=450, text="4.7.1 try again"),
        ),
        (
            "cleanup",
            "23FF6: reject: header Subject: x from local; from=<a@b> to=<c@d>: 5.7.1 no",
            None,  # the machine's own
        ),
        (
            "cleanup",
            "23FF6: reject: header Subject: x from e[192.0.2.9]; from=<> to=<c@d>: z from "
            "mx.caller.example[192.0.2.1]; from=<a@b> to=<c@d> proto=ESMTP helo=<h>: 5.7.1 no",
            None,  # either could be who it was
        ),
        (
            "smtpd",
            "proxy-reject: END-OF-MESSAGE: 554 5.7.1 Spam; from=<a@b> to=<c@d> proto=ESMTP helo=<h>",
            REFUSED_WHOLE.but(
                session="mx/8",
                message="",
                client=LoggedClient("", "", "h"),
                code=554,
                text="5.7.1 Spam",
            ),
        ),
        (
            "postscreen",
            "CONNECT from [192.0.2.1]:4711 to [192.0.2.25]:25",
            Connected(
                at=1,
                software=POSTFIX,
                session="mx/[192.0.2.1]:4711",
                client=LoggedClient("192.0.2.1"),
            ),
        ),
        (
            "postscreen",
            "PASS OLD [192.0.2.1]:4711",
            Disconnected(
                at=1,
                software=POSTFIX,
                session="mx/[192.0.2.1]:4711",
                client=LoggedClient("192.0.2.1"),
            ),
        ),
        (
            "postscreen",
            "NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 450 4.3.2 Service currently unavailable; "
            "from=<a@b>, to=<c@d>, proto=ESMTP, helo=<h>",
            Refused(
                at=1,
                software=POSTFIX,
                session="mx/[192.0.2.1]:4711",
                client=LoggedClient("192.0.2.1", "", "h"),
                stage=Stage.RCPT,
                code=450,
                text="4.3.2 Service currently unavailable",
                sender="a@b",
                recipient="c@d",
            ),
        ),
        ("postscreen", "WHITELISTED [192.0.2.1]:4711", None),
        (
            "cleanup",
            "1D29023624C: message-id=<x>",
            Arrived(at=1, software=POSTFIX, message="mx/1D29023624C"),
        ),
        ("cleanup", "warning: x", None),
        (
            "qmgr",
            "1D29023624C: from=<a@b>, size=192, nrcpt=2 (queue active)",
            Arrived(
                at=1,
                software=POSTFIX,
                message="mx/1D29023624C",
                sender="a@b",
                accepted=2,
                size_bytes=192,
            ),
        ),
        (
            "qmgr",
            "1D29023624C: removed",
            Finished(at=1, software=POSTFIX, message="mx/1D29023624C"),
        ),
        (
            "postsuper",
            "1D29023624C: removed",
            Finished(at=1, software=POSTFIX, message="mx/1D29023624C"),
        ),
        (
            "postsuper",
            "1D29023624C: requeued",
            Finished(at=1, software=POSTFIX, message="mx/1D29023624C"),
        ),
        ("qmgr", "1D29023624C: from=<a@b>, status=expired, returned to sender", None),
        (
            "relay/smtp",
            "1D29023624C: to=<a@b>, orig_to=<c@d>, relay=mx[192.0.2.9]:25, delay=1, delays=0/0/0/1, "
            "dsn=5.1.1, status=bounced (host mx said: 550 No (x))",
            Delivered(
                at=1,
                software=POSTFIX,
                message="mx/1D29023624C",
                recipient="a@b",
                fate=Fate.BOUNCED,
                original="c@d",
                relay="mx[192.0.2.9]:25",
                text="host mx said: 550 No (x)",
            ),
        ),
        (
            "smtp",
            "1D29023624C: to=<a@b>, relay=none, delay=1, dsn=4.0.0, status=undeliverable (x)",
            None,  # a probe of its own
        ),
        ("smtp", "connect to mx[192.0.2.9]:25: Connection refused", None),
        ("anvil", "statistics: max connection rate 1/60s", None),
    ],
)
def test_a_line_tells_what_happened(program: str, text: str, event: LogEvent | None) -> None:
    assert event == read(program, text)


def test_lines_without_a_process_are_of_no_session_that_is_known() -> None:
    line = line_of("postfix/smtpd", "connect from mx.caller.example[192.0.2.1]", process="")

    assert Connected(at=1, software=POSTFIX, client=CLIENT) == read_postfix(line)


def test_queue_ids_of_two_hosts_are_two() -> None:
    lines = [line_of("postfix/qmgr", "1D29023624C: removed", host=host) for host in ("a", "b")]
    events = [event for line in lines if (event := read_postfix(line))]

    assert ["a/1D29023624C", "b/1D29023624C"] == [event.message for event in events]


def test_what_is_in_a_helo_name_is_no_field() -> None:
    refused = read("smtpd", REJECT + "from=<a@b> to=<c@d> proto=SMTP helo=<x>_from=<y> helo=<z>")

    assert isinstance(refused, Refused)
    assert (None, "", "") == (refused.sender, refused.recipient, refused.client.helo)


def test_what_is_in_an_address_is_no_field() -> None:
    sender = '"x; from=<> to=<v@ours> proto=ESMTP helo=<y>"@e.example'
    refused = read("smtpd", REJECT + f"from=<{sender}> to=<c@d> proto=ESMTP helo=<h>")

    assert isinstance(refused, Refused)
    assert (sender, "c@d", "h") == (refused.sender, refused.recipient, refused.client.helo)


@pytest.mark.parametrize(
    "hostile", ["; from=<" * 1_800, '; from=<"' * 1_700, '"\\' * 8_000, "<" * 16_000]
)
def test_a_hostile_line_costs_no_more_than_others(hostile: str) -> None:
    refused = read("smtpd", REJECT + hostile)

    assert isinstance(refused, Refused)
    assert refused.sender is None


@pytest.mark.parametrize(
    "hostile", [" from x[::]; from=<", "; from=<", '"\\', " from x[", "> to=<"]
)
def test_what_a_message_holds_costs_no_more_than_other_lines(hostile: str) -> None:
    line = f"23FF6: reject: header {hostile * (16_000 // len(hostile))}"

    assert read("cleanup", line) is None
