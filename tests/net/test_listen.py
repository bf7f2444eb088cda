"""Listeners: who is served, turned away, and waited for in the end."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from door_fakes import until
from net_fakes import World, attend, echo
from ringback.errors import UsageError
from ringback.net.connection import Connection
from ringback.net.listen import Limits, listen
from ringback.values.events import DoorClosed, Trouble


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "unix"])
async def test_client_is_served(world: World, address: str, tmp_path: Path) -> None:
    async def serve(connection: Connection) -> None:
        peers.append(connection.peer)
        await echo(connection)

    peers: list[str] = []
    listener = await world.listen(serve, address.replace("unix", f"unix:{tmp_path}/door"))
    reader, writer = await world.connect(listener)
    for word in (b"one", b"two"):
        writer.write(word)

        assert await reader.readexactly(3) == word
    name = writer.get_extra_info("sockname")
    host = {"127.0.0.1:0": "127.0.0.1", "[::1]:0": "[::1]"}.get(address)

    assert peers == [f"{host}:{name[1]}" if host else "unix"]


async def test_connection_is_closed_when_it_has_been_served(world: World) -> None:
    async def serve(connection: Connection) -> None:
        await connection.write(b"bye")

    reader, _ = await world.connect(await world.listen(serve))

    assert await reader.read() == b"bye"


async def test_who_attends_needs_no_task(world: World) -> None:
    reader, writer = await world.connect(await world.listen(attend))
    before = len(asyncio.all_tasks())
    for word in (b"one", b"two"):
        writer.write(word)

        assert await reader.readexactly(3) == word
    assert before == len(asyncio.all_tasks())
    writer.write_eof()
    assert await reader.read() == b""


async def test_who_attends_is_drained_and_counted(world: World) -> None:
    listener = await world.listen(attend, limits=Limits(connections=1))
    reader, writer = await world.connect(listener)
    writer.write(b"1")
    await reader.readexactly(1)
    turned_away, _ = await world.connect(listener)

    assert b"" == await turned_away.read()
    writer.write(b"2")
    await listener.stop(5.0)
    assert b"2" == await reader.read()


async def test_who_attends_and_does_not_end_is_cut_off(world: World) -> None:
    attended: list[Connection] = []
    listener = await world.listen(attended.append)
    reader, _ = await world.connect(listener)
    await until(lambda: bool(attended))
    await listener.stop(0.01)

    assert attended[0].is_lost
    with suppress(ConnectionResetError):
        assert b"" == await reader.read()


async def test_client_beyond_the_limit_is_turned_away_and_that_is_told_once(world: World) -> None:
    listener = await world.listen(echo, limits=Limits(connections=1))
    reader, writer = await world.connect(listener)
    writer.write(b"1")
    await reader.readexactly(1)
    for _ in range(3):
        turned_away, _ = await world.connect(listener)

        assert await turned_away.read() == b""
    assert [type(event) for event in world.events] == [DoorClosed]

    writer.write_eof()
    await reader.read()
    for _ in range(5):  # the door's task ends a few steps after the client's connection
        await asyncio.sleep(0)
    reader, writer = await world.connect(listener)
    writer.write(b"2")

    assert await reader.readexactly(1) == b"2"


async def test_bug_in_a_door_is_told_and_disturbs_nobody_else(world: World) -> None:
    async def serve(connection: Connection) -> None:
        if await connection.read(5.0) == b"bad":
            raise RuntimeError("a bug")
        await connection.write(b"fine")

    listener = await world.listen(serve)
    bad_reader, bad = await world.connect(listener)
    reader, writer = await world.connect(listener)
    bad.write(b"bad")

    assert await bad_reader.read() == b""
    writer.write(b"good")
    assert await reader.read() == b"fine"
    (event,) = world.events
    assert isinstance(event, Trouble)
    assert event.what == "RuntimeError('a bug')"
    assert "a bug" in event.trace


async def test_drain_lets_what_is_under_way_end(world: World) -> None:
    async def serve(connection: Connection) -> None:
        came.release()
        while octets := await connection.read(5.0):
            came.release()
            await go.wait()
            await connection.write(octets)

    came, go = asyncio.Semaphore(0), asyncio.Event()
    listener = await world.listen(serve)
    idle, _ = await world.connect(listener)
    reader, writer = await world.connect(listener)
    writer.write(b"last")
    for _ in range(3):
        await came.acquire()
    stopping = asyncio.create_task(listener.stop(5.0))

    assert await idle.read() == b""
    assert not stopping.done()
    go.set()
    assert await reader.read() == b"last"
    await asyncio.wait_for(stopping, 5)
    with pytest.raises(ConnectionRefusedError):
        await world.connect(listener)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "unix"])
async def test_who_has_asked_before_the_stop_is_answered(
    world: World, address: str, tmp_path: Path
) -> None:
    listener = await world.listen(echo, address.replace("unix", f"unix:{tmp_path}/door"))
    early = await world.connect(listener)
    await asyncio.sleep(0)
    with socket.socket(socket.AF_UNIX if address == "unix" else socket.AF_INET) as late:
        # From here to the stop the event loop has no turn, as on a machine that is busy.
        host, _, port = listener.address.rpartition(":")
        late.connect(f"{tmp_path}/door" if address == "unix" else (host, int(port)))
        late.sendall(b"late")
        early[1].write(b"early")
        await listener.stop(5.0)
        answers = late.recv(16), await early[0].read(16)

    assert (b"late", b"early") == answers
    assert [] == world.events


async def test_who_waits_when_all_is_stopped_is_not_waited_for(world: World) -> None:
    listener = await world.listen(echo)
    host, _, port = listener.address.rpartition(":")
    with socket.create_connection((host, int(port))) as silent:
        await listener.stop(5.0)

        assert b"" == silent.recv(16)


async def test_drain_cuts_off_what_takes_too_long(world: World) -> None:
    async def serve(connection: Connection) -> None:
        await connection.read(5.0)
        came.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(connection)
            raise

    came, cancelled = asyncio.Event(), list[Connection]()
    listener = await world.listen(serve)
    reader, writer = await world.connect(listener)
    writer.write(b"x")
    await came.wait()
    await listener.stop(0.02)
    await listener.stop(0.02)

    assert len(cancelled) == 1
    assert await reader.read() == b""
    assert world.events == []


async def test_unix_path_goes_with_the_listener(world: World, tmp_path: Path) -> None:
    path = tmp_path / "door"
    listener = await world.listen(echo, f"unix:{path}", Limits(unix_mode=0o600))

    assert path.stat().st_mode & 0o777 == 0o600
    await listener.stop(0)
    assert not path.exists()


async def test_inherited_socket_is_served_and_its_path_stays(world: World, tmp_path: Path) -> None:
    path = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(path))
        theirs.listen()
        listener = await listen(
            f"unix:{path}", echo, sink=world.events.append, inherited=theirs.dup()
        )
        reader, writer = await world.connect(listener)
        writer.write(b"hello")

        assert await reader.readexactly(5) == b"hello"
        # Who comes as it stops, or while nobody serves, waits for the next who does.
        with socket.socket(socket.AF_UNIX) as early, socket.socket(socket.AF_UNIX) as late:
            early.connect(str(path))
            await listener.stop(0)

            assert path.exists()
            late.connect(str(path))
            for _ in range(2):
                accepted, _ = theirs.accept()
                accepted.close()


async def test_address_that_cannot_be_had_is_a_usage_error(world: World) -> None:
    listener = await world.listen(echo)
    with pytest.raises(UsageError, match="already in use"):
        await world.listen(echo, listener.address)


def test_listener_runs_on_uvloop_too() -> None:
    uvloop: Any = pytest.importorskip("uvloop")

    async def run() -> bytes:
        listener = await listen("127.0.0.1:0", echo, sink=lambda event: None)
        host, _, port = listener.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"hello")
        writer.write_eof()
        heard = await reader.read()
        writer.close()
        await listener.stop(1.0)
        return heard

    assert uvloop.run(run()) == b"hello"
