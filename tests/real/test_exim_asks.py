"""Mail through a real Exim that asks Ringback from its ACL, set up as the how-to says."""

import base64
import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import POLICY_ADDRESS, Servers
from .servers import exim
from .servers.box import Box
from .servers.howto import snippet
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real

HOST = "127.9.0.92"
STRANGER, NEIGHBOUR = "127.7.0.9", "127.0.0.1"
RECIPIENTS = ("ann@home.test", "bob@home.test")
SMTP_S = 60.0

# Takes any name with the password "secret".
AUTHENTICATOR = """
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
"""


@pytest.fixture(scope="module")
def serving(servers: Servers, lab: Program) -> Ringback:
    """A Ringback that enforces, up."""
    settings = settings_with(
        identity={"require_fit": False}, policy={"listen": [POLICY_ADDRESS], "mode": "enforce"}
    )
    installed = install(servers.home("ringback"), settings)
    servers.running.append(installed.service)
    installed.start()
    return installed


@pytest.fixture(scope="module", autouse=True)
def box(servers: Servers, serving: Ringback) -> Box:
    box = servers.box("exim", exim.fetch)
    exim.start(box, HOST, RECIPIENTS, snippet("exim.md", "exim"), AUTHENTICATOR)
    return box


@contextmanager
def session(source: str = STRANGER) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(HOST, timeout=SMTP_S, source_address=(source, 0)) as client:
        client.ehlo("client.test")
        yield client


def send(client: smtplib.SMTP, sender: str) -> str:
    """Offer one message; return the reply that settled what became of it."""
    client.docmd("MAIL", f"FROM:<{sender}>")
    code, text = client.rcpt(RECIPIENTS[0])
    if code == 250:
        code, text = client.data(b"Subject: test\r\n\r\nHello\r\n")
    else:
        client.rset()
    return f"{code} {text.decode()}"


def reply_to(sender: str, source: str = STRANGER) -> str:
    with session(source) as client:
        return send(client, sender)


def decided(serving: Ringback) -> list[dict[str, object]]:
    events = [json.loads(line) for line in serving.service.logs().splitlines()]
    return [event for event in events if event["event"] == "decided"]


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param("ann@shop.example", id="one-that-exists"),
        pytest.param("", id="the-null-sender"),
        pytest.param("whoever@acceptall.example", id="a-host-that-accepts-any"),
        pytest.param('"who ever"@acceptall.example', id="a-local-part-in-quotes"),
        pytest.param('"a}b{c$d\\\\n"@acceptall.example', id="characters-of-exims-own"),
        pytest.param("ann@blocklisted.example", id="a-host-that-refuses-us"),
    ],
)
def test_without_evidence_there_is_no_refusal(sender: str) -> None:
    reply = reply_to(sender)

    assert reply.startswith("250 "), reply


def test_a_sender_that_does_not_exist_is_refused_with_a_line_to_act_on() -> None:
    reply = reply_to("invented@shop.example")

    assert reply.startswith("550 5.1.7 sender <invented@shop.example> does not exist"), reply
    assert "mx.shop.example" in reply, "which host says so"


def test_a_host_that_says_later_is_passed_on() -> None:
    reply = reply_to("ann@newcomers.example")

    assert reply.startswith("450 4.1.7 sender <ann@newcomers.example> cannot be"), reply


def test_messages_and_recipients_of_one_session_are_judged_one_by_one() -> None:
    with session() as client:
        senders = ["ann@shop.example", "invented@shop.example", "", "ann@shop.example"]
        codes = [send(client, sender)[:3] for sender in senders]
        client.mail("invented@shop.example")
        refused = [client.rcpt(recipient)[0] for recipient in RECIPIENTS]

    assert ["250", "550", "250", "250"] == codes
    assert [550, 550] == refused


def test_the_service_is_told_what_it_needs(serving: Ringback) -> None:
    for sender in ('"line\\nend"@shop.example', "x=y@shop.example"):
        reply_to(sender)
    first, second = decided(serving)[-2:]

    assert ('"line\\nend"@shop.example', STRANGER) == (first["address"], first["client"])
    assert ("x=y@shop.example", STRANGER) == (second["address"], second["client"])


# What Exim takes of it is its business; none of it may be another attribute, or another question.
NASTY = [
    b'"a\\\rrecipient=x@y"@shop.example',
    b"a\rsender=x@shop.example",
    b'"a\rb"@shop.example',
    b'"${run{/bin/false}}"@shop.example',
    b"${readsocket{inet:127.0.0.1:1}{x}}@shop.example",
    b"a\tb@shop.example",
    b"a\xff\xfe@shop.example",
    b"a=b=c@shop.example",
    b"'a@shop.example",
    b'"\\"a\\\\"@shop.example',
    b"a\x00b@shop.example",
    b"a" * 300 + b"@shop.example",
]


@pytest.mark.parametrize("sender", NASTY, ids=lambda sender: ascii(sender)[2:40])
def test_no_sender_breaks_out_of_its_attribute(serving: Ringback, sender: bytes) -> None:
    before = len(decided(serving))
    with session() as client:
        assert client.sock
        client.sock.sendall(b"MAIL FROM:<" + sender + b">\r\n")
        taken, _ = client.getreply()
        if taken == 250:
            client.rcpt(RECIPIENTS[0])
    asked = decided(serving)[before:]

    assert len(asked) == (taken == 250)
    assert {STRANGER} >= {event["client"] for event in asked}
    assert '"door_closed"' not in serving.service.logs()


def test_who_is_logged_in_is_not_asked_about(serving: Ringback) -> None:
    with session() as client:
        client.docmd("AUTH", f"PLAIN {base64.b64encode(b'%cann%csecret' % (0, 0)).decode()}")
        reply = send(client, "login@shop.example")

    assert reply.startswith("250 "), reply
    assert "login@shop.example" not in {event["address"] for event in decided(serving)}


def test_our_own_hosts_are_not_asked_about(serving: Ringback) -> None:
    reply = reply_to("neighbour@shop.example", NEIGHBOUR)

    assert reply.startswith("250 "), reply
    assert "neighbour@shop.example" not in {event["address"] for event in decided(serving)}


def test_mail_passes_while_ringback_is_not_there(serving: Ringback) -> None:
    serving.service.stop()
    try:
        alone = reply_to("invented@shop.example")
    finally:
        serving.start()
    after = reply_to("invented@shop.example")

    assert ("250", "550") == (alone[:3], after[:3]), (alone, after)
