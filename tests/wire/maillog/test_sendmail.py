"""What Sendmail logs."""

import pytest

from log_lines import line_of
from ringback.values.evidence import Stage
from ringback.wire.maillog.events import (
    Abandoned,
    Arrived,
    Delivered,
    Fate,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from ringback.wire.maillog.sendmail import read_sendmail

SENDMAIL = Software.SENDMAIL
QUEUED = "6ALL00kL000007"
ID = f"mx/{QUEUED}"
CLIENT = LoggedClient("192.0.2.1", "mx.caller.example")


def read(text: str) -> LogEvent | None:
    return read_sendmail(line_of("sendmail", f"{QUEUED}: {text}"))


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (
            "from=<>, size=0, class=0, nrcpts=1, proto=ESMTP, relay=mx.caller.example [192.0.2.1]",
            Abandoned(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=CLIENT,
                sender="",
                accepted=1,
            ),
        ),
        (
            "from=<a@b>, size=19, class=0, nrcpts=1, msgid=<x, relay=y>, bodytype=8BITMIME, proto=ESMTP, "
            "daemon=MTA, auth=PLAIN, relay=forged.example [IPv6:2001:db8::1] (may be forged)",
            Arrived(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient("2001:db8::1"),
                sender="a@b",
                accepted=1,
                size_bytes=19,
                authenticated=True,
            ),
        ),
        (
            "from=root, size=0, class=0, nrcpts=1, relay=root@localhost",
            Arrived(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient(""),
                sender="root",
                accepted=1,
            ),
        ),
        ("from=x", None),
        (
            "to=<a@b>,<c@d>, ctladdr=<r@x> (0/0), delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=3, "
            "relay=mx.b. [192.0.2.9], dsn=2.0.0, stat=Sent (ok)",
            Delivered(
                at=1,
                software=SENDMAIL,
                message=ID,
                recipient="a@b",
                fate=Fate.SENT,
                relay="mx.b. [192.0.2.9]",
                text="Sent (ok)",
            ),
        ),
        (
            "to=<a@b>, delay=00:00:00, mailer=local, pri=30274, dsn=4.0.0, stat=Operating system error",
            Delivered(
                at=1,
                software=SENDMAIL,
                message=ID,
                recipient="a@b",
                fate=Fate.DEFERRED,
                text="Operating system error",
            ),
        ),
        ("to=x", None),
        (
            "ruleset=check_rcpt, arg1=<a@b>, relay=[192.0.2.1], reject=550 5.7.1 <a@b>... Relaying denied",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient("192.0.2.1"),
                stage=Stage.RCPT,
                code=550,
                text="5.7.1 <a@b>... Relaying denied",
                recipient="a@b",
            ),
        ),
        (
            "ruleset=check_mail, arg1=<a@b>, relay=[192.0.2.1], reject=451 4.1.8 no",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient("192.0.2.1"),
                stage=Stage.MAIL,
                code=451,
                text="4.1.8 no",
                sender="a@b",
            ),
        ),
        (
            "ruleset=check_relay, arg1=mx.caller.example, arg2=192.0.2.1, "
            "relay=mx.caller.example [192.0.2.1], reject=550 5.7.1 Access denied",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=CLIENT,
                stage=Stage.CONNECT,
                code=550,
                text="5.7.1 Access denied",
            ),
        ),
        ("ruleset=tls_server, arg1=x", None),
        (
            "<a@b>... User unknown",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient(""),
                stage=Stage.RCPT,
                code=550,
                text="User unknown",
                recipient="a@b",
            ),
        ),
        ("x <a@b>... User unknown", None),
        (
            "lost input channel from mx.caller.example [192.0.2.1] to MTA after rcpt",
            Abandoned(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=CLIENT,
                sender=None,
                tidy=False,
            ),
        ),
        (
            "lost input channel from root@caller.example [192.0.2.1] to MTA after data",
            Abandoned(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient("192.0.2.1", "caller.example"),
                sender=None,
                tidy=False,
                offered=True,
            ),
        ),
        ("lost input channel to nobody", None),
        (
            "Milter: to=<a@b>, reject=550 5.7.1 No",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient(""),
                stage=Stage.RCPT,
                code=550,
                text="5.7.1 No",
                recipient="a@b",
            ),
        ),
        (
            "Milter: from=<a@b>, reject=451 4.7.1 Later",
            Refused(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient(""),
                stage=Stage.MAIL,
                code=451,
                text="4.7.1 Later",
                sender="a@b",
            ),
        ),
        ("Milter: data, discard", None),
        (
            'from=<": Milter: "@b>, size=1, class=0, nrcpts=1, relay=root@localhost',
            Arrived(
                at=1,
                software=SENDMAIL,
                session="mx/8",
                message=ID,
                client=LoggedClient(""),
                sender='": Milter: "@b',
                accepted=1,
                size_bytes=1,
            ),
        ),
        (
            "to=<a@b>, delay=00:00:00, pri=60015, stat=Spam message rejected",
            Delivered(
                at=1,
                software=SENDMAIL,
                message=ID,
                recipient="a@b",
                fate=Fate.BOUNCED,
                text="Spam message rejected",
            ),
        ),
        ("to=<a@b>, delay=00:00:00, mailer=local, pri=60015, stat=queued", None),
        ("[192.0.2.1] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", None),
    ],
)
def test_a_line_tells_what_happened(text: str, event: LogEvent | None) -> None:
    assert event == read(text)


@pytest.mark.parametrize("ruleset", ["check_data", "check_eoh", "check_eom"])
def test_a_ruleset_may_refuse_the_message(ruleset: str) -> None:
    refused = read(f"ruleset={ruleset}, arg1=1, relay=[192.0.2.1], reject=554 5.7.1 No")

    assert isinstance(refused, Refused)
    assert (None, 554, None, "") == (
        refused.stage,
        refused.code,
        refused.sender,
        refused.recipient,
    )


@pytest.mark.parametrize(
    ("fields", "is_login"),
    [
        ("msgid=<x>, proto=ESMTPSA, daemon=MTA, auth=PLAIN", True),
        ("proto=ESMTPS, daemon=MTA, tls_verify=NONE, auth=LOGIN", True),
        ("proto=ESMTPS, daemon=MTA, tls_verify=NONE, auth=NONE", False),
        ("msgid=<a auth=b@c>, proto=ESMTP, daemon=MTA", False),
        ("msgid=<a, auth=b@c>, proto=ESMTP, daemon=MTA", False),
        ("msgid=<a auth=b@c>", False),
    ],
)
def test_a_login_is_what_sendmail_says_and_no_message_id(fields: str, is_login: bool) -> None:
    arrived = read(f"from=<a@b>, size=9, class=0, nrcpts=1, {fields}, relay=[192.0.2.1]")

    assert isinstance(arrived, Arrived)
    assert is_login == arrived.authenticated


@pytest.mark.parametrize("verb", ["data", "cmd=data"])
def test_a_milter_may_refuse_the_message(verb: str) -> None:
    refused = read(f"Milter: {verb}, reject=554 5.7.1 Spam message rejected")

    assert (
        Refused(
            at=1,
            software=SENDMAIL,
            session="mx/8",
            message=ID,
            client=LoggedClient(""),
            stage=None,
            code=554,
            text="5.7.1 Spam message rejected",
        )
        == refused
    )


def test_lines_without_a_process_are_of_no_session_that_is_known() -> None:
    lost = f"{QUEUED}: lost input channel from [192.0.2.1] to MTA after rcpt"
    event = read_sendmail(line_of("sendmail", lost, process=""))

    assert event is not None
    assert ("", ID) == (event.session, event.message)


@pytest.mark.parametrize(
    "hostile", ["from=<" + "a" * 9_000, "to=" + "<a@b>," * 2_000, "from=<" * 2_000]
)
def test_a_hostile_line_costs_no_more_than_others(hostile: str) -> None:
    assert read(hostile) is None
