"""Mail through a real Postfix that asks Ringback about each sender, set up as the how-to says."""

import smtplib
from collections.abc import Iterator

import pytest

from .conftest import Servers
from .servers.howto import postfix_settings
from .servers.program import Ringback

pytestmark = pytest.mark.real

HOST = "127.9.0.10"
RECIPIENT = "you@home.test"
SMTP_S = 60.0

MAIN = {
    "virtual_mailbox_domains": "home.test",
    "virtual_mailbox_maps": f"inline:{{ {RECIPIENT}=you }}",
    **postfix_settings("postfix.md"),
    # A test need not wait as long as an operator may.
    "smtpd_policy_service_retry_delay": "1s",
    "smtpd_policy_service_timeout": "20s",
}


@pytest.fixture(scope="module", autouse=True)
def front(servers: Servers) -> None:
    servers.postfix(HOST, MAIN)


@pytest.fixture
def serving(ringback: Ringback) -> Iterator[Ringback]:
    """Ringback with an empty store, up."""
    for path in ringback.store_path.parent.glob(f"{ringback.store_path.name}*"):
        path.unlink()
    ringback.start()
    yield ringback
    ringback.service.stop()


def send(sender: str) -> tuple[int, str]:
    """Offer one message from `sender`; return the reply that settled what became of it."""
    with smtplib.SMTP(HOST, timeout=SMTP_S) as client:
        client.ehlo("client.test")
        client.mail(sender)
        code, text = client.rcpt(RECIPIENT)
        if code == 250:
            code, text = client.data(b"Subject: test\r\n\r\nHello\r\n")
        return code, text.decode()


def test_a_sender_that_exists_is_accepted(serving: Ringback) -> None:
    code, text = send("ann@shop.example")

    assert 250 == code, text


def test_a_sender_that_does_not_exist_is_refused_with_a_line_to_act_on(serving: Ringback) -> None:
    code, text = send("invented@shop.example")

    assert (550, "5.1.7") == (code, text.split()[0])
    assert "<invented@shop.example>" in text
    assert "mx.shop.example" in text, "which host says so"


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param("", id="the-null-sender"),
        pytest.param("whoever@acceptall.example", id="a-host-that-accepts-any"),
        pytest.param('"who ever"@acceptall.example', id="a-local-part-in-quotes"),
        pytest.param("ann@nobounce.example", id="a-host-that-refuses-bounces"),
        pytest.param("ann@blocklisted.example", id="a-host-that-refuses-us"),
    ],
)
def test_without_evidence_there_is_no_refusal(serving: Ringback, sender: str) -> None:
    code, text = send(sender)

    assert 250 == code, text


def test_several_messages_of_one_session_are_judged_one_by_one(serving: Ringback) -> None:
    senders = ["ann@shop.example", "invented@shop.example", "", "ann@shop.example"]
    codes = []
    with smtplib.SMTP(HOST, timeout=SMTP_S) as client:
        client.ehlo("client.test")
        for sender in senders:
            client.mail(sender)
            codes.append(client.rcpt(RECIPIENT)[0])
            client.rset()

    assert [250, 550, 250, 250] == codes


def test_mail_flows_when_ringback_is_stopped(serving: Ringback) -> None:
    refused, _ = send("invented@shop.example")
    serving.service.stop()
    accepted, text = send("invented@shop.example")

    assert (550, 250) == (refused, accepted), text


def test_refusals_come_back_with_ringback(serving: Ringback) -> None:
    serving.service.stop()
    accepted, _ = send("invented@shop.example")
    serving.start()
    refused, text = send("invented@shop.example")

    assert (250, 550) == (accepted, refused), text


def test_mail_flows_when_the_store_is_gone(serving: Ringback) -> None:
    send("ann@shop.example")
    for path in serving.store_path.parent.glob(f"{serving.store_path.name}*"):
        path.unlink()
    code, text = send("ann@shop.example")

    assert 250 == code, text


def test_mail_flows_when_the_store_is_garbage(serving: Ringback) -> None:
    send("ann@shop.example")
    for path in serving.store_path.parent.glob(f"{serving.store_path.name}*"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    codes = {send(f"{name}@shop.example")[0] for name in ("ann", "bob", "cid")}

    assert 250 == send("ann@shop.example")[0]
    assert codes <= {250, 550}, (
        "answered, by evidence or by default, but never with an error of ours"
    )
