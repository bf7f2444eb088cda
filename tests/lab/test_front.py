"""The front end speaks to its clients as Postfix does, and lets mail pass when nobody answers it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosmtplib
import pytest

from ringback.lab import front as front_module
from ringback.lab.caller import answering, calling
from ringback.lab.front import Front

Answers = Callable[[dict[str, str]], bytes]


@asynccontextmanager
async def policy_service(answer: Answers) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """A policy service that answers by `answer`; yields where it is and what it was asked."""
    asked: list[dict[str, str]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = (await reader.readuntil(b"\n\n")).decode().strip().split("\n")
            asked.append(dict(line.split("=", 1) for line in request))
            writer.write(answer(asked[-1]))

    async with answering(serve) as (ip, port):
        yield f"{ip}:{port}", asked


@asynccontextmanager
async def running(front: Front) -> AsyncIterator[aiosmtplib.SMTP]:
    await front.start()
    try:
        async with aiosmtplib.SMTP(
            hostname=front.ip, port=front.port, start_tls=False, local_hostname="mta.example"
        ) as client:
            yield client
    finally:
        await front.close()


async def rcpt(client: aiosmtplib.SMTP, sender: str = "ann@shop.example") -> tuple[int, str]:
    await client.ehlo()
    await client.mail(sender)
    response = await client.execute_command(b"RCPT TO:<me@ours.example>")
    return response.code, response.message


async def test_what_postfix_tells_is_asked() -> None:
    async with (
        policy_service(lambda asked: b"action=DUNNO\n\n") as (service, asked),
        running(Front(service)) as client,
    ):
        await rcpt(client)

    assert 1 == len(asked)
    told = asked[0]
    assert ("smtpd_access_policy", "RCPT", "ESMTP") == (
        told["request"],
        told["protocol_state"],
        told["protocol_name"],
    )
    assert ("ann@shop.example", "me@ours.example") == (told["sender"], told["recipient"])
    assert ("127.0.0.1", "mta.example") == (told["client_address"], told["helo_name"])


ACTIONS = {
    b"DUNNO": (250, "2.1.5 Ok"),
    b"OK": (250, "2.1.5 Ok"),
    b"550 5.1.7 no such mailbox": (
        550,
        "5.1.7 <ann@shop.example>: Sender address rejected: no such mailbox",
    ),
    b"DEFER_IF_PERMIT 4.1.7 later": (
        450,
        "4.1.7 <ann@shop.example>: Sender address rejected: later",
    ),
    b"DEFER": (450, "4.7.1 <ann@shop.example>: Sender address rejected: Access denied"),
    b"REJECT no": (554, "5.7.1 <ann@shop.example>: Sender address rejected: no"),
    b"nonsense": (
        451,
        "4.3.5 <ann@shop.example>: Sender address rejected: Server configuration error",
    ),
}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.decode())
async def test_actions_become_the_replies_of_postfix(action: bytes) -> None:
    async with policy_service(lambda asked: b"action=" + action + b"\n\n") as (service, _):
        front = Front(service)
        async with running(front) as client:
            reply = await rcpt(client)

    assert ACTIONS[action] == reply
    assert action.decode() == front.decisions[0].action


async def test_mail_goes_on_when_no_service_answers() -> None:
    async with policy_service(lambda asked: b"") as (service, _):
        pass
    front = Front(service)  # gone by now
    async with running(front) as client:
        code, _ = await rcpt(client)

    assert 250 == code
    assert 1 == front.fail_opens
    assert front.decisions[0].action is None


@pytest.mark.parametrize("answer", [b"\n\n", b"x" * 100_000, b"acti\n=\n\n"])
async def test_mail_goes_on_when_the_answer_is_nonsense(answer: bytes) -> None:
    async with policy_service(lambda asked: answer) as (service, _):
        front = Front(service)
        async with running(front) as client:
            code, _ = await rcpt(client)

    assert (250, 1) == (code, front.fail_opens)


async def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\n\n")
        writer.write(b"action=DUNNO\n\n")

    async with answering(answer_once) as (ip, port):
        front = Front(f"{ip}:{port}")
        async with running(front) as client:
            await rcpt(client)
            await client.rset()
            await rcpt(client)

    assert 0 == front.fail_opens
    assert 2 == len(writers)


async def test_a_service_at_a_unix_socket_is_asked(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b"action=550 5.1.7 no\n\n")

    path = str(tmp_path / "policy")
    async with answering(answer, unix_path=path), running(Front(f"unix:{path}")) as client:
        code, _ = await rcpt(client)

    assert 550 == code


async def test_accepted_mail_is_counted_and_dropped() -> None:
    async with policy_service(lambda asked: b"action=DUNNO\n\n") as (service, _):
        front = Front(service)
        async with running(front) as client:
            await client.sendmail(
                "ann@shop.example", ["me@ours.example"], b"Subject: hi\n\n.\nhi\n"
            )
            await client.sendmail("", ["me@ours.example"], b"Subject: bounce\n\n")

    assert 2 == front.messages
    assert ["ann@shop.example", ""] == [decision.sender for decision in front.decisions]


async def test_commands_out_of_order_are_refused() -> None:
    async with running(Front("127.0.0.1:1")) as client:
        commands = ("RCPT TO:<x@y>", "MAIL FROM:<x@y>", "DATA", "MAIL FROM:x", "BDAT 1", "NOOP")
        codes = [(await client.execute_command(line.encode())).code for line in commands]
        await client.helo()
        await client.mail("x@y.example")
        nested = await client.execute_command(b"MAIL FROM:<x@y.example>")
        empty = await client.execute_command(b"DATA")
        verified = await client.execute_command(b"VRFY x")

    assert [503, 503, 503, 501, 500, 250] == codes
    assert (503, 554, 252) == (nested.code, empty.code, verified.code)


async def test_what_is_not_a_path_is_refused_at_rcpt_and_long_lines_end_the_session() -> None:
    front = Front("127.0.0.1:1")
    await front.start()
    async with calling(front.ip, front.port) as caller:
        await caller.hear()
        codes = await caller.codes("HELO x.example", "MAIL FROM:<>", "RCPT TO:me", "RSET", "QUIT")
        end = await caller.hear()
    async with calling(front.ip, front.port) as caller:
        await caller.hear()
        caller.say("X" * 10_000)
        cut = await caller.hear()
    await front.close()

    assert [250, 250, 501, 250, 221] == codes
    assert ("", "") == (end, cut)


async def test_no_transaction_takes_recipients_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "MAX_RECIPIENTS", 1)
    async with policy_service(lambda asked: b"action=DUNNO\n\n") as (service, asked):
        front = Front(service)
        await front.start()
        async with calling(front.ip, front.port) as caller:
            await caller.hear()
            codes = await caller.codes(
                "EHLO x.example", "MAIL FROM:<>", "RCPT TO:<a@b>", "RCPT TO:<c@d>"
            )
        await front.close()

    assert [250, 250, 250, 452] == codes
    assert 1 == len(asked)


async def test_a_client_that_leaves_within_its_message_leaves_no_message() -> None:
    async with policy_service(lambda asked: b"action=DUNNO\n\n") as (service, _):
        front = Front(service)
        await front.start()
        async with calling(front.ip, front.port) as caller:
            await caller.hear()
            await caller.ask("EHLO x.example", "MAIL FROM:<>", "RCPT TO:<a@b>", "DATA")
            caller.say("half")
        await front.close()

    assert 0 == front.messages


async def test_closing_drops_whoever_is_there() -> None:
    front = Front("127.0.0.1:1")
    await front.start()
    async with calling(front.ip, front.port) as caller:
        await caller.hear()
        await front.close()
        with pytest.raises(ConnectionResetError):
            await caller.reader.read()


async def test_connections_beyond_the_limit_are_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_module, "MAX_OPEN", 0)
    front = Front("127.0.0.1:1")
    await front.start()
    async with calling(front.ip, front.port) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.hear()
    await front.close()


async def test_who_is_unknown_is_refused_after_the_policy_service_was_asked() -> None:
    async with policy_service(lambda asked: b"action=DUNNO\n\n") as (service, asked):
        async with running(Front(service, mailboxes=["me@ours.example"])) as client:
            known, _ = await rcpt(client)
        async with running(Front(service, mailboxes=[])) as client:
            unknown, text = await rcpt(client)

    assert (250, 550, 2) == (known, unknown, len(asked))
    assert text.startswith("5.1.1 <me@ours.example>: Recipient address rejected: User unknown")
