"""Replies in records and logs."""

import pytest

from ringback.doors.replies import Said, find_reply, make_reply, parse_record
from ringback.errors import UsageError
from ringback.values.evidence import Stage
from ringback.wire.reply import Reply

REFUSAL = Reply(550, ("No such user",), "5.1.1")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"stage": "rcpt", "code": 550, "enhanced": "5.1.1", "text": "No such user"},
            Said(Stage.RCPT, REFUSAL),
        ),
        ({"stage": "RCPT", "text": "550 5.1.1 No such user"}, Said(Stage.RCPT, REFUSAL)),
        ({"stage": "eod", "code": 550, "text": "5.1.1 No such user"}, Said(None, REFUSAL)),
        ({"stage": "banner", "code": 554}, Said(Stage.GREETING, Reply(554, ("",)))),
        ({"code": 250, "enhanced": None, "text": ""}, Said(None, Reply(250, ("",)))),
        (
            {"stage": None, "code": 503, "text": "503-All were rejected\n503-unknown user"},
            Said(None, Reply(503, ("All were rejected", "unknown user"))),
        ),
        (
            {"code": 550, "text": "550 two lines\n553 and two codes"},
            Said(None, Reply(550, ("two lines", "and two codes"))),
        ),
    ],
)
def test_a_record(record: dict[str, object], said: Said) -> None:
    assert parse_record(record) == said


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ([], "JSON object"),
        ({"stage": "lunch", "code": 550}, '"stage"'),
        ({"stage": 3, "code": 550}, '"stage"'),
        ({"code": 550, "text": 3}, '"text"'),
        ({"text": "User unknown"}, '"code"'),
        ({"code": 199}, '"code"'),
        ({"code": "550"}, '"code"'),
        ({"code": 550, "enhanced": "5.1"}, '"enhanced"'),
        ({"code": 550, "enhanced": 5.1}, '"enhanced"'),
        ({"code": 550, "text": "x" * 70_000}, "no reply"),
    ],
)
def test_a_record_that_cannot_be_used(record: object, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        parse_record(record)


@pytest.mark.parametrize(
    ("line", "stage", "reply"),
    [
        ("550 5.1.1 No such user", None, REFUSAL),
        ("  550", None, Reply(550, ("",))),
        (
            "postfix/smtp[1]: 4A: to=<a@b.example>, status=bounced (host mx.b.example[192.0.2.1] "
            "said: 550 5.1.1 No such user (in reply to RCPT TO command))",
            Stage.RCPT,
            REFUSAL,
        ),
        (
            "postfix/smtp[1]: 4A: host mx.b.example[192.0.2.1] said: 450-4.2.0 Come back "
            "450 4.2.0 later (in reply to end of DATA command)",
            None,
            Reply(450, ("Come back", "later"), "4.2.0"),
        ),
        (
            "postfix/smtp[1]: 4A: host mx[192.0.2.1] refused to talk to me: 554 no",
            Stage.GREETING,
            Reply(554, ("no",)),
        ),
        (
            "1tA ** a@b.example R=dns T=smtp H=mx [192.0.2.1]: SMTP error from remote mail server "
            r"after RCPT TO:<a@b.example>: 550-5.1.1 No\n550 5.1.1 such user",
            Stage.RCPT,
            Reply(550, ("No", "such user"), "5.1.1"),
        ),
        (
            "1tA == a@b.example: SMTP error from remote mail server after pipelined MAIL FROM:"
            "<x@y.example> SIZE=2000: 451 busy",
            Stage.MAIL,
            Reply(451, ("busy",)),
        ),
        (
            "1tA ** a@b.example: SMTP error from remote mail server after initial connection: 554 no",
            Stage.GREETING,
            Reply(554, ("no",)),
        ),
        (
            "sm-mta[1]: x: to=<a@b.example>, dsn=4.2.0, stat=Deferred: 450 4.2.0 later",
            None,
            Reply(450, ("later",), "4.2.0"),
        ),
        (
            'smtpd[1]: 1 mta delivery result="PermFail" stat="550 5.1.1 No such user"',
            None,
            REFUSAL,
        ),
    ],
)
def test_a_line_of_a_log(line: str, stage: Stage | None, reply: Reply) -> None:
    assert find_reply(line) == Said(stage, reply)


@pytest.mark.parametrize(
    "line", ["", "nothing", "2026-11-21 10:00:00 started", "status=sent (250 2.0.0 Ok)", "650 no"]
)
def test_a_line_without_a_reply_that_we_know(line: str) -> None:
    assert find_reply(line) is None


def test_an_enhanced_code_in_the_text_stands() -> None:
    assert make_reply(550, "5.1.1 no", "5.2.2").enhanced == "5.1.1"
