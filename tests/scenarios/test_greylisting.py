"""A host that makes newcomers wait: what the mail is told meanwhile, and what it costs the host.

Nobody waits here: the clock of engine, policy door and hosts is moved by hand.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ringback.lab.caller import calling
from ringback.lab.front import Front
from ringback.net.listen import listen
from ringback.store.sqlite import SqliteStore

from .stage import RECIPIENT, Stage, until_quiet

SENDER = "ann@peer.example"
SOURCES = ["127.0.0.9", "127.0.0.10"]
WINDOW_S = 300
DRAIN_S = 1.0


def plan(persona: str) -> dict[str, object]:
    """A domain with a host of that persona, and a backup that takes all that it is asked for."""
    hosts = [
        {"host": "mx1.peer.example", "preference": 10, "persona": persona},
        {"host": "mx2.peer.example", "preference": 20, "persona": "accept_all"},
    ]
    return {"domains": {"peer.example": {"mailboxes": ["ann", "bob"], "mx": hosts}}}


async def open_store(path: Path, stage: Stage) -> SqliteStore:
    return await SqliteStore.open(
        path,
        memory_entries=1_000,
        audit_keep_s=86_400.0,
        sink=stage.watch,
        clock=stage.clock.now,
        elapsed=stage.clock.elapsed,
        boot="this run",
    )


@asynccontextmanager
async def staged(persona: str, path: Path) -> AsyncIterator[Stage]:
    """The world of `plan`, and an engine that remembers in the SQLite file at `path`."""
    async with Stage(plan(persona), {"identity": {"source_addresses": SOURCES}}) as stage:
        store = await open_store(path, stage)
        await stage.adopt(store=store)
        try:
            yield stage
        finally:
            await until_quiet()
            await stage.store.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged("greylists_its_own", tmp_path / "ringback.db") as made:
        yield made


async def offer(stage: Stage, sender: str = SENDER) -> str:
    """Offer a mail by SMTP to a front that asks the policy door; return its answer to RCPT."""
    listener = await listen("127.0.0.1:0", stage.door.serve, sink=stage.watch)
    front = Front(listener.address, clock=stage.clock)
    await front.start()
    try:
        async with calling(front.ip, front.port) as client:
            await client.hear()
            lines = ("EHLO client.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{RECIPIENT}>")
            said = await client.ask(*lines)
    finally:
        await front.close()
        await listener.stop(DRAIN_S)
    await until_quiet()
    return said[-1]


async def restart(stage: Stage, path: Path) -> None:
    """End the engine and its store, and begin anew with the file alone."""
    await stage.end_callouts()
    await stage.store.close()
    await stage.adopt(store=await open_store(path, stage))


async def test_the_first_mail_is_told_to_come_back_and_why(stage: Stage) -> None:
    told = await offer(stage)

    assert told.startswith(f"450 4.1.7 <{SENDER}>: Sender address rejected: ")
    assert f"<{SENDER}> cannot be verified now: its mail host makes newcomers wait" in told
    assert "Greylisted, see you in 5 minutes" in told, "the words of the host"
    assert 1 == stage.connections, "the backup is not tried"


async def test_a_mail_that_comes_back_too_soon_costs_no_connection(stage: Stage) -> None:
    told = [await offer(stage)]
    for _ in range(2):
        stage.clock.advance(WINDOW_S / 3)
        told.append(await offer(stage))

    assert ["450"] * 3 == [reply[:3] for reply in told]
    assert 1 == stage.connections


async def test_what_is_known_survives_a_restart(stage: Stage, tmp_path: Path) -> None:
    await offer(stage)
    await restart(stage, tmp_path / "ringback.db")
    stage.clock.advance(WINDOW_S - 1)
    early, connections = await offer(stage), stage.connections
    await restart(stage, tmp_path / "ringback.db")
    stage.clock.advance(2)
    late = await offer(stage)

    assert ("450", 1) == (early[:3], connections)
    assert ("250", 2) == (late[:3], stage.connections)


async def test_the_host_is_asked_again_as_it_was_asked_before(stage: Stage) -> None:
    """Greylisting knows a client by its source and its envelope: either would begin the wait anew."""
    await offer(stage)
    stage.clock.advance(WINDOW_S + 1)
    told = await offer(stage)
    first, second = stage.sessions

    assert "250 2.1.5 Ok" == told
    assert SOURCES[0] == first.client == second.client
    envelope = ("MAIL FROM:<>", f"RCPT TO:<{SENDER}>")
    assert envelope == first.lines[1:3] == second.lines[1:3]
    assert {"mx1.peer.example"} == {host.name for host in stage.hosts if host.connections}


async def test_nobody_is_asked_again_before_the_mail_comes_back(stage: Stage) -> None:
    await offer(stage)
    stage.clock.advance(10 * WINDOW_S)
    await until_quiet()

    assert 1 == stage.connections


async def test_one_address_waits_for_its_host_at_a_time(stage: Stage) -> None:
    await offer(stage)
    stage.clock.advance(60)
    other = await offer(stage, "bob@peer.example")

    assert ("450", 1) == (other[:3], stage.connections)

    stage.clock.advance(WINDOW_S)
    passed = await offer(stage)

    assert ("250", 2) == (passed[:3], stage.connections)


async def test_a_mail_is_let_through_when_it_has_waited_often_enough(tmp_path: Path) -> None:
    async with staged("greylists_for_ever", tmp_path / "ringback.db") as stage:
        told = []
        for _ in range(6):
            told.append((await offer(stage))[:3])
            await restart(stage, tmp_path / "ringback.db")
            stage.clock.advance(WINDOW_S + 100)

        assert ["450"] * 3 + ["250"] * 3 == told
        assert 4 >= stage.connections, "the first, and one for each of recheck_after_s"
