"""Mail through a real Postfix and a real Sendmail with Ringback for a milter, set up as the how-to says."""

import json
import os
import smtplib
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_string
from email.message import Message

import pytest

from .conftest import Servers
from .servers import postfix, sendmail
from .servers.box import Box
from .servers.etc import ACCOUNTS
from .servers.howto import postfix_settings, snippet
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

PAGE = "milter.md"
HOSTS = {"postfix": "127.9.0.81", "sendmail": "127.9.0.82"}
STRANGER = "127.5.0.1"
SMTP_S = 60.0
DELIVERY_S = 30.0
OURS = "verify.lab.example;"


@dataclass(frozen=True, slots=True)
class Front:
    """An MTA with our milter. `arrived` returns what it has of all messages, headers first."""

    name: str
    box: Box
    arrived: Callable[[], list[str]]

    @contextmanager
    def session(self, client_address: str = STRANGER) -> Iterator[smtplib.SMTP]:
        source = (client_address, 0)
        with smtplib.SMTP(HOSTS[self.name], timeout=SMTP_S, source_address=source) as client:
            client.ehlo("client.test")
            yield client

    def send(self, sender: str, subject: str = "none", *headers: str) -> str:
        """Offer one message; return the reply that settled what became of it."""
        with self.session() as client:
            return send(client, sender, subject, *headers)

    def message(self, subject: str) -> Message:
        """Wait for the message of this subject."""

        def look() -> Message | None:
            parsed = map(message_from_string, self.arrived())
            return next((message for message in parsed if message["Subject"] == subject), None)

        found = eventually(look, lambda message: message is not None, DELIVERY_S)
        assert found is not None, f"nothing arrived about {subject}"
        return found

    def results(self, subject: str) -> list[str]:
        """Our headers on a message, unfolded."""
        found = self.message(subject).get_all("Ringback-Result", [])
        return [" ".join(value.split()) for value in found]


def send(
    client: smtplib.SMTP, sender: str, subject: str, *headers: str, to: tuple[str, ...] = ()
) -> str:
    client.mail(sender)
    replies = [client.rcpt(recipient) for recipient in to or ("ann@home.test",)]
    code, text = replies[-1]
    if any(code == 250 for code, _ in replies):
        lines = ["From: ann@shop.example", *headers, f"Subject: {subject}", "", "Hello", ""]
        code, text = client.data("\r\n".join(lines).encode())
    else:
        client.rset()
    return f"{code} {text.decode()}"


def open_postfix(servers: Servers) -> Front:
    box = servers.box("postfix", postfix.fetch)
    kept = box.home / "mail"
    kept.mkdir()
    os.chown(kept, ACCOUNTS["ann"], ACCOUNTS["ann"])
    main = {
        "virtual_mailbox_domains": "home.test",
        "virtual_mailbox_maps": "inline:{ ann@home.test=ann/, postmaster@home.test=ann/ }",
        "virtual_mailbox_base": "/srv/mail",
        "virtual_uid_maps": f"static:{ACCOUNTS['ann']}",
        "virtual_gid_maps": f"static:{ACCOUNTS['ann']}",
        "virtual_transport": "virtual",
        "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
        **postfix_settings(PAGE),
    }
    postfix.start(box, HOSTS["postfix"], main, "virtual unix - n n - - virtual\n")
    return Front("postfix", box, lambda: [path.read_text() for path in kept.glob("ann/new/*")])


def open_sendmail(servers: Servers) -> Front:
    box = servers.box("sendmail", sendmail.fetch)
    queue_only = "define(`confDELIVERY_MODE', `queueonly')\n"
    sendmail.start(box, HOSTS["sendmail"], "home.test", queue_only + snippet(PAGE, "m4"))
    spool = box.home / "spool"
    return Front(
        "sendmail", box, lambda: [queued(path.read_text("latin-1")) for path in spool.glob("qf*")]
    )


def queued(text: str) -> str:
    """The header of a message in Sendmail's queue, as it is going to be sent."""
    lines, within = [], False
    for line in text.splitlines():
        within = line.startswith("H") or (within and line[:1] in " \t")
        if within:
            # As in "H?P?Return-Path: …": flags say which mailers want the line.
            lines.append(
                line[1:].split("?", 2)[-1] if line.startswith("H?") else line.removeprefix("H")
            )
    return "\n".join(lines) + "\n"


OPEN = {"postfix": open_postfix, "sendmail": open_sendmail}


@pytest.fixture(scope="module")
def milter(servers: Servers, lab: Program) -> Ringback:
    """A Ringback with the how-to's settings, but that it enforces."""
    told: dict[str, dict[str, object]] = tomllib.loads(snippet(PAGE, "toml"))
    told["policy"]["mode"] = "enforce"
    installed = install(
        servers.home("ringback"),
        settings_with(**told),
    )
    servers.running.append(installed.service)
    installed.start()
    # A message may be over before the control is answered, and its header would not say what came of it.
    installed.check("ann@shop.example", "whoever@acceptall.example")
    return installed


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("postfix", marks=pytest.mark.real),
        pytest.param("sendmail", marks=pytest.mark.real_more),
    ],
)
def front(request: pytest.FixtureRequest, servers: Servers, milter: Ringback) -> Front:
    return OPEN[request.param](servers)


def test_a_sender_that_exists_is_accepted_and_the_message_says_so(front: Front) -> None:
    reply = front.send("ann@shop.example", "accepted")

    assert reply.startswith("250 "), reply
    assert [f"{OURS} sender=deliverable reason=accepted action=pass mode=enforce"] == front.results(
        "accepted"
    )


def test_a_sender_that_does_not_exist_is_refused_with_a_line_to_act_on(front: Front) -> None:
    reply = front.send("invented@shop.example")

    assert reply.startswith("550 5.1.7 "), reply
    # Sendmail puts the recipient before it.
    assert "sender <invented@shop.example> does not exist" in reply
    assert "mx.shop.example" in reply, "which host says so"


def test_a_percent_sign_reaches_the_client_as_it_is(front: Front) -> None:
    reply = front.send("50%off@shop.example")

    assert "sender <50%off@shop.example> does not exist" in reply


def test_a_host_that_says_later_is_passed_on(front: Front) -> None:
    reply = front.send("ann@newcomers.example")

    assert reply.startswith("450 4.1.7 "), reply
    assert "sender <ann@newcomers.example> cannot be verified now" in reply


def test_forged_headers_are_removed_and_the_others_stay(front: Front) -> None:
    forged = [
        "Ringback-Result: verify.lab.example; sender=deliverable reason=accepted",
        "X-First: 1",
        "ringback-RESULT: other.example; none",
        "X-Second: 2",
        "Ringback-Result: a\r\n\tfolded one",
        "Ringback-Results: of another name",
    ]
    front.send("whoever@acceptall.example", "forged", *forged)

    assert [f"{OURS} sender=unknown reason=accepts_any action=pass mode=enforce"] == front.results(
        "forged"
    )
    message = front.message("forged")
    assert ["1", "2"] == [message["X-First"], message["X-Second"]]
    assert "of another name" == message["Ringback-Results"]


def test_mail_of_the_machine_itself_is_not_asked_about(front: Front) -> None:
    with front.session("127.0.0.1") as client:
        reply = send(client, "invented@shop.example", "own")

    assert reply.startswith("250 "), reply
    assert ["gate=exempt_client"] == [result.split()[3] for result in front.results("own")]


def test_messages_of_one_session_are_judged_one_by_one(front: Front) -> None:
    with front.session() as client:
        replies = [
            send(client, "ann@shop.example", "first", "Ringback-Result: forged"),
            send(client, "invented@shop.example", "second"),
            send(client, "", "third"),
            send(client, "whoever@acceptall.example", "fourth", "Ringback-Result: forged"),
        ]

    assert ["250", "550", "250", "250"] == [reply[:3] for reply in replies]
    assert [
        f"{OURS} sender=deliverable reason=accepted action=pass mode=enforce",
        f"{OURS} sender=unknown reason=not_asked gate=null_sender action=pass mode=enforce",
        f"{OURS} sender=unknown reason=accepts_any action=pass mode=enforce",
    ] == [*front.results("first"), *front.results("third"), *front.results("fourth")]


def test_a_recipient_that_the_mta_refuses_in_the_middle_disturbs_nobody(front: Front) -> None:
    to = ("ann@home.test", "nobody.here@home.test", "postmaster@home.test")
    with front.session() as client:
        reply = send(client, "ann@shop.example", "middle", to=to)

    assert reply.startswith("250 "), reply
    assert 1 == len(front.results("middle"))


def test_every_recipient_of_a_refused_sender_is_refused(front: Front) -> None:
    with front.session() as client:
        client.mail("invented@shop.example")
        codes = [client.rcpt(to)[0] for to in ("ann@home.test", "postmaster@home.test")]
        client.rset()
        after = send(client, "ann@shop.example", "after")

    assert [550, 550] == codes
    assert after.startswith("250 "), after


def test_a_message_given_up_leaves_no_trace_in_the_next(front: Front) -> None:
    with front.session() as client:
        client.mail("whoever@acceptall.example")
        client.rcpt("ann@home.test")
        client.rset()
        client.ehlo("client.test")
        reply = send(client, "ann@shop.example", "next")

    assert reply.startswith("250 "), reply
    assert ["sender=deliverable"] == [result.split()[1] for result in front.results("next")]


def test_a_header_as_large_as_the_mta_takes_passes(front: Front) -> None:
    folded = "\r\n\t".join(["x" * 900] * 25)
    reply = front.send("ann@shop.example", "large", f"X-Large: {folded}", "Ringback-Result: forged")

    assert reply.startswith("250 "), reply
    assert 1 == len(front.results("large"))


# Postfix takes a test's word for a login (XCLIENT); Sendmail takes nobody's.
@pytest.mark.parametrize("front", [pytest.param("postfix", marks=pytest.mark.real)], indirect=True)
def test_who_is_logged_in_is_not_asked_about(front: Front, milter: Ringback) -> None:
    with front.session() as client:
        told = client.docmd(
            "XCLIENT", "ADDR=IPV6:2001:db8::7 NAME=mail.shop.example LOGIN=ann HELO=ours.example"
        )
        client.ehlo("ours.example")
        reply = send(client, "invented@shop.example", "login")
    decided = [json.loads(line) for line in milter.service.logs().splitlines()]

    assert (220, "250") == (told[0], reply[:3]), reply
    assert ["gate=authenticated_client"] == [it.split()[3] for it in front.results("login")]
    assert "2001:db8::7" in [event.get("client") for event in decided]


def test_a_message_passes_whose_milter_goes_away(front: Front, milter: Ringback) -> None:
    with front.session() as client:
        client.mail("ann@shop.example")
        admitted, _ = client.rcpt("ann@home.test")
        milter.service.stop()
        try:
            taken, said = client.data(b"From: ann@shop.example\r\nSubject: cut\r\n\r\nHello\r\n")
            after = send(client, "ann@shop.example", "after")
        finally:
            milter.start()

    assert (250, 250, "250") == (admitted, taken, after[:3]), said.decode() + after
    assert [] == front.results("cut")


def test_a_client_that_goes_away_costs_nobody_anything(front: Front, milter: Ringback) -> None:
    with front.session() as client:
        client.mail("ann@shop.example")
        client.rcpt("ann@home.test")
        client.putcmd("DATA")
        client.close()
    reply = front.send("ann@shop.example", "survived")

    assert reply.startswith("250 "), reply
    assert 1 == len(front.results("survived"))
    assert "trouble" not in {
        json.loads(line)["event"] for line in milter.service.logs().splitlines()
    }


def test_mail_passes_when_ringback_is_not_there(front: Front, milter: Ringback) -> None:
    milter.service.stop()
    try:
        reply = front.send("invented@shop.example", "alone")
    finally:
        milter.start()

    assert reply.startswith("250 "), reply
    assert [] == front.results("alone")
