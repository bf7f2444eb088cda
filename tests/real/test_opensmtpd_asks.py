"""Mail through a real OpenSMTPD with Ringback for a filter, set up as the how-to says."""

import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .conftest import POLICY_ADDRESS, Servers
from .servers import opensmtpd
from .servers.box import Box
from .servers.howto import snippet
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real_more

HOST = "127.9.0.91"
STRANGER, NEIGHBOUR = "127.7.0.9", "127.0.0.1"
RECIPIENT = "ann@home.test"
SMTP_S = 60.0
PATIENCE_S = 30.0


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


@pytest.fixture(scope="module")
def box(servers: Servers, serving: Ringback) -> Box:
    box = servers.box("opensmtpd", opensmtpd.fetch_with_python)
    opensmtpd.install_ringback(box)
    lines, options = snippet("opensmtpd.md", "smtpd"), 'filter "incoming"'
    opensmtpd.start(box, HOST, [RECIPIENT], "virtual.home.test", lines, options)
    return box


@contextmanager
def session(box: Box, source: str = STRANGER) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(HOST, timeout=SMTP_S, source_address=(source, 0)) as client:
        client.ehlo("client.test")
        yield client


def send(client: smtplib.SMTP, sender: str) -> str:
    """Offer one message; return the reply that settled what became of it."""
    client.mail(sender)
    code, text = client.rcpt(RECIPIENT)
    if code == 250:
        code, text = client.data(b"Subject: test\r\n\r\nHello\r\n")
    else:
        client.rset()
    return f"{code} {text.decode()}"


def reply_to(box: Box, sender: str, source: str = STRANGER) -> str:
    with session(box, source) as client:
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
        pytest.param("who|ever@acceptall.example", id="a-bar"),
        pytest.param("local", id="a-name-of-this-host"),
        pytest.param("ann@blocklisted.example", id="a-host-that-refuses-us"),
    ],
)
def test_without_evidence_there_is_no_refusal(box: Box, sender: str) -> None:
    reply = reply_to(box, sender)

    assert reply.startswith("250 "), reply


def test_a_sender_that_does_not_exist_is_refused_with_a_line_to_act_on(box: Box) -> None:
    reply = reply_to(box, "invented@shop.example")

    assert reply.startswith("550 5.1.7 sender <invented@shop.example> does not exist"), reply
    assert "mx.shop.example" in reply, "which host says so"


def test_a_bar_in_the_reply_reaches_the_client_as_it_is(box: Box) -> None:
    reply = reply_to(box, "in|vented@shop.example")

    assert reply.startswith("550 5.1.7 sender <in|vented@shop.example> does not exist"), reply


def test_a_host_that_says_later_is_passed_on(box: Box) -> None:
    reply = reply_to(box, "ann@newcomers.example")

    assert reply.startswith("450 4.1.7 sender <ann@newcomers.example> cannot be"), reply


def test_messages_of_one_session_are_judged_one_by_one(box: Box) -> None:
    with session(box) as client:
        senders = ["ann@shop.example", "invented@shop.example", "", "ann@shop.example"]
        codes = [send(client, sender)[:3] for sender in senders]

    assert ["250", "550", "250", "250"] == codes


def test_the_service_is_told_what_it_needs(box: Box, serving: Ringback) -> None:
    reply_to(box, "told@shop.example")
    event = decided(serving)[-1]

    assert ("told@shop.example", STRANGER) == (event["address"], event["client"])


def test_clients_of_the_table_are_not_asked_about(box: Box, serving: Ringback) -> None:
    reply = reply_to(box, "neighbour@shop.example", NEIGHBOUR)

    assert reply.startswith("250 "), reply
    assert "neighbour@shop.example" not in {event["address"] for event in decided(serving)}


def test_mail_passes_while_ringback_is_not_there_and_it_is_said_once(
    box: Box, serving: Ringback
) -> None:
    serving.service.stop()
    try:
        replies = [reply_to(box, "invented@shop.example") for _ in range(3)]
    finally:
        serving.start()
    after = eventually(
        lambda: reply_to(box, "invented@shop.example"),
        lambda reply: reply.startswith("550"),
        PATIENCE_S,
    )

    assert ["250"] * 3 == [reply[:3] for reply in replies]
    assert after.startswith("550 "), after
    assert 1 == box.logs().count("gives no answer: Connection refused; mail passes unasked")
    assert 1 == box.logs().count("answers again")
