"""What actions mean, and what a client makes of a service that misbehaves. Over SMTP: test_front.py."""

import asyncio

import pytest

from ringback.lab import policy_client
from ringback.lab.caller import answering
from ringback.lab.policy_client import PolicyClient, reply_for

PREFIX = "<ann@shop.example>: Sender address rejected:"


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("DUNNO", None),
        ("ok", None),
        ("PREPEND X-Seen: yes", None),
        ("WARN look here", None),
        ("550 5.1.7 no such mailbox", f"550 5.1.7 {PREFIX} no such mailbox"),
        ("450 wait", f"450 4.7.1 {PREFIX} wait"),
        ("REJECT", f"554 5.7.1 {PREFIX} Access denied"),
        # The trap for who writes a number after REJECT: Postfix takes it for text.
        ("REJECT 550 5.1.7 no", f"554 5.7.1 {PREFIX} 550 5.1.7 no"),
        ("DEFER 4.1.1 later", f"450 4.1.1 {PREFIX} later"),
        ("DEFER_IF_PERMIT 4.1.7 later", f"450 4.1.7 {PREFIX} later"),
        ("250 fine", f"451 4.3.5 {PREFIX} Server configuration error"),
        ("", f"451 4.3.5 {PREFIX} Server configuration error"),
    ],
)
def test_actions_mean_what_access_5_says(action: str, reply: str | None) -> None:
    assert reply == reply_for(action, "ann@shop.example")


def test_nothing_invisible_reaches_the_smtp_client() -> None:
    reply = reply_for("550 5.1.7 \x1b[31mred", "a\x07@b.example")

    assert reply is not None
    assert reply.isprintable()


async def test_a_silent_service_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_client, "TIMEOUT_S", 0.02)
    connections = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read()

    async with answering(listen) as (ip, port):
        action = await PolicyClient(f"{ip}:{port}").ask({"request": "smtpd_access_policy"})

    assert action is None
    assert 2 == len(connections)


async def test_attributes_before_the_action_are_passed_over() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b"note=something\naction=DUNNO\n\n")
        await reader.read()

    async with answering(answer) as (ip, port):
        client = PolicyClient(f"{ip}:{port}")
        action = await client.ask({"request": "smtpd_access_policy", "sender": "grün@b.example"})
        await client.close()

    assert "DUNNO" == action
