"""What OpenSMTPD logs."""

import pytest

from log_lines import line_of
from ringback.values.evidence import Stage
from ringback.wire.maillog.events import (
    Arrived,
    Connected,
    Delivered,
    Disconnected,
    Fate,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from ringback.wire.maillog.opensmtpd import read_opensmtpd

OPENSMTPD = Software.OPENSMTPD
ID = "475a8c3a4302247d"
SESSION = f"mx/{ID}"
NOBODY = LoggedClient("")


def read(text: str) -> LogEvent | None:
    return read_opensmtpd(line_of("smtpd", f"{ID} {text}"))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (
            "smtp connected address=192.0.2.1 host=mx.caller.example",
            Connected(at=1, software=OPENSMTPD, session=SESSION, client=LoggedClient("192.0.2.1")),
        ),
        (
            "smtp connected address=[2001:db8::1] host=<unknown>",
            Connected(
                at=1, software=OPENSMTPD, session=SESSION, client=LoggedClient("2001:db8::1")
            ),
        ),
        ("smtp connected address=local host=mx", None),
        (
            "smtp disconnected reason=quit",
            Disconnected(at=1, software=OPENSMTPD, session=SESSION, client=NOBODY, tidy=True),
        ),
        (
            'smtp disconnected reason="io-error: Connection reset by peer"',
            Disconnected(at=1, software=OPENSMTPD, session=SESSION, client=NOBODY, tidy=False),
        ),
        ("x smtp disconnected reason", None),
        (
            'smtp failed-command command="RCPT TO:<a@b>" result="550 Invalid recipient: <a@b>"',
            Refused(
                at=1,
                software=OPENSMTPD,
                session=SESSION,
                client=NOBODY,
                stage=Stage.RCPT,
                code=550,
                text="Invalid recipient: <a@b>",
                recipient="a@b",
            ),
        ),
        (
            'smtp failed-command command="GET /" result="500 5.5.1 Invalid command"',
            Refused(
                at=1,
                software=OPENSMTPD,
                session=SESSION,
                client=NOBODY,
                stage=None,
                code=500,
                text="5.5.1 Invalid command",
            ),
        ),
        ('smtp failed-command command="x"', None),
        (
            "smtp envelope evpid=2cb9be508cd3d1de from=<> to=<a@b>",
            Arrived(
                at=1,
                software=OPENSMTPD,
                session=SESSION,
                message="2cb9be50",
                sender="",
                recipients=("a@b",),
                accepted=1,
            ),
        ),
        ("smtp envelope evpid=x", None),
        (
            "mta delivery evpid=2cb9be508cd3d1de from=<a@b> to=<c@d> rcpt=<e@f> source=192.0.2.2 "
            'relay="192.0.2.9 (mx.d)" delay=1s result="Ok" stat="250 ok"',
            Delivered(
                at=1,
                software=OPENSMTPD,
                message="2cb9be50",
                recipient="c@d",
                fate=Fate.SENT,
                original="e@f",
                sender="a@b",
                relay="192.0.2.9 (mx.d)",
                text="250 ok",
            ),
        ),
        (
            "mda delivery evpid=2cb9be508cd3d1de from=<> to=<c@d> rcpt=<c@d> user=ann delay=0s "
            "result=TempFail stat=Error",
            Delivered(
                at=1,
                software=OPENSMTPD,
                message="2cb9be50",
                recipient="c@d",
                fate=Fate.DEFERRED,
                original="c@d",
                sender="",
                text="Error",
            ),
        ),
        (
            "mda delivery evpid=2cb9be508cd3d1de from=<> to=<c@d> rcpt=<c@d> delay=0s result=What stat=x",
            None,
        ),
        ("mda delivery evpid=x", None),
        ("smtp message msgid=2cb9be50 size=188 nrcpt=1 proto=ESMTP", None),
    ],
)
def test_a_line_tells_what_happened(text: str, event: LogEvent | None) -> None:
    assert event == read(text)


def test_what_is_in_a_command_is_no_reply() -> None:
    refused = read('smtp failed-command command="EHLO x" result="250 y" result="501 no"')

    assert isinstance(refused, Refused)
    assert (Stage.EHLO, 501, "no") == (refused.stage, refused.code, refused.text)
