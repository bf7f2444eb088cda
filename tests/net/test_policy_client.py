"""Many questions at a time, over loopback, to services that answer, are slow, go away and come back."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from ringback.errors import RemoteProtocolError
from ringback.lab.caller import answering
from ringback.net.policy_client import Limits, PolicyClient

PATIENCE_S = 5.0
QUESTION = {"request": "smtpd_access_policy", "sender": "ann@shop.example"}


class Service:
    """Answers each question with its sender, and holds those of "slow" until told to go on."""

    def __init__(self) -> None:
        self.connections = 0
        self.go_on = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            question = (await reader.readuntil(b"\n\n")).decode()
            sender = question.partition("sender=")[2].partition("\n")[0]
            if sender == "slow":
                await self.go_on.wait()
            if sender == "leave":
                return
            writer.write(f"action={sender}\n\n".encode())


def about(sender: str) -> dict[str, str]:
    return {**QUESTION, "sender": sender}


async def test_a_quick_answer_does_not_wait_behind_a_slow_one() -> None:
    service = Service()
    async with answering(service) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        slow = asyncio.create_task(client.ask(about("slow")))
        quick = await client.ask(about("quick"))
        service.go_on.set()
        answers = quick, await slow
        await client.close()

    assert (("quick", "slow"), 2) == (answers, service.connections)


async def test_a_connection_is_used_again() -> None:
    service = Service()
    async with answering(service) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        answers = [await client.ask(about(sender)) for sender in "abc"]
        await client.close()

    assert (["a", "b", "c"], 1) == (answers, service.connections)


async def test_a_unix_socket_will_do(tmp_path: Path) -> None:
    path = str(tmp_path / "policy")
    async with answering(Service(), unix_path=path):
        client = PolicyClient(f"unix:{path}", PATIENCE_S)
        answer = await client.ask(about("a"))
        await client.close()

    assert "a" == answer


async def test_a_connection_that_was_idle_for_long_is_not_used_again() -> None:
    service = Service()
    async with answering(service) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S, Limits(idle_s=0.0))
        await client.ask(about("a"))
        await asyncio.to_thread(int)  # the loop's clock goes on
        await client.ask(about("b"))
        await client.close()

    assert 2 == service.connections


async def test_questions_beyond_the_limit_wait_for_their_turn() -> None:
    service = Service()
    async with answering(service) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S, Limits(connections=2))
        asking = [asyncio.create_task(client.ask(about("slow"))) for _ in range(6)]
        service.go_on.set()
        answers = await asyncio.gather(*asking)
        await client.close()

    assert (["slow"] * 6, 2) == (answers, service.connections)


async def test_a_slow_service_is_given_up_and_the_next_question_gets_its_own_answer() -> None:
    async with answering(Service()) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", 0.05)
        with pytest.raises(TimeoutError, match=r"no answer within 0\.05 s"):
            await client.ask(about("slow"))
        answer = await client.ask(about("next"))
        await client.close()

    assert "next" == answer


async def test_a_service_that_leaves_is_told() -> None:
    async with answering(Service()) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        with pytest.raises(ConnectionError):
            await client.ask(about("leave"))


async def test_a_kept_connection_that_was_closed_costs_no_answer() -> None:
    service = Service()

    async def leave_after_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.connections += 1
        await reader.readuntil(b"\n\n")
        writer.write(b"action=DUNNO\n\n")
        if service.connections == 1:
            await reader.readuntil(b"\n\n")  # and then it closes without a word
        else:
            await reader.read()

    async with answering(leave_after_one) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        answers = [await client.ask(QUESTION), await client.ask(QUESTION)]
        await client.close()

    assert (["DUNNO"] * 2, 2) == (answers, service.connections)


@pytest.mark.parametrize(
    "babble", [b"\n\n", b"x" * 9_000, b"action=a\n\naction=b\n\n", b"action=a\n\nnonsense\n\n"]
)
async def test_a_confused_service_is_not_asked_on_that_connection_again(babble: bytes) -> None:
    connections = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\n\n")
        writer.write(babble)
        await reader.read()

    async with answering(answer) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        answers = []
        for _ in range(2):
            try:
                answers.append(await client.ask(QUESTION))
            except RemoteProtocolError:
                answers.append("")
        await client.close()

    assert 2 == len(connections)
    assert set(answers) <= {"", "a"}


async def test_words_that_nobody_asked_for_end_a_connection() -> None:
    spoken, dropped = asyncio.Event(), asyncio.Event()
    connections = []

    async def speak_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\n\n")
        writer.write(b"action=first\n\n")
        if len(connections) == 1:
            await spoken.wait()
            writer.write(b"action=stray\n\n")
        with suppress(ConnectionError):
            await reader.read()
        dropped.set()

    async with answering(speak_up) as (ip, port):
        client = PolicyClient(f"{ip}:{port}", PATIENCE_S)
        await client.ask(QUESTION)
        spoken.set()
        await dropped.wait()
        answer = await client.ask(QUESTION)
        await client.close()

    assert ("first", 2) == (answer, len(connections))


async def test_an_absent_service_is_tried_again_after_a_pause(tmp_path: Path) -> None:
    path = str(tmp_path / "policy")
    patient = PolicyClient(f"unix:{path}", PATIENCE_S, Limits(first_pause_s=3_600.0))
    impatient = PolicyClient(f"unix:{path}", PATIENCE_S, Limits(first_pause_s=0.0))
    for client in (patient, impatient):
        with pytest.raises(FileNotFoundError):
            await client.ask(QUESTION)
    async with answering(Service(), unix_path=path):
        answer = await impatient.ask(about("back"))
        with pytest.raises(FileNotFoundError):
            await patient.ask(QUESTION)
        await impatient.close()

    assert "back" == answer


async def test_a_refused_connection_is_told() -> None:
    async with answering(Service()) as (ip, port):
        pass  # and now nobody listens there

    with pytest.raises(ConnectionRefusedError):
        await PolicyClient(f"{ip}:{port}", PATIENCE_S).ask(QUESTION)
