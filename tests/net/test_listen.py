"""Listeners and their connections, from a client's side and from the side of the door."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from door_fakes import until
from ringback.errors import UsageError
from ringback.net import listen as module
from ringback.net.listen import READ_AHEAD_BYTES, Connection, Limits, Listener, listen
from ringback.values.events import DoorClosed, Event, Trouble

Serve = Callable[[Connection], Awaitable[None] | None]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class World:
    """Listeners, clients and events of one test."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.listeners: list[Listener] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def listen(
        self, serve: Serve, address: str = "127.0.0.1:0", limits: Limits | None = None
    ) -> Listener:
        listener = await listen(address, serve, limits, sink=self.events.append)
        self.listeners.append(listener)
        return listener

    async def connect(self, listener: Listener) -> Streams:
        if listener.address.startswith("unix:"):
            streams = await asyncio.open_unix_connection(listener.address.removeprefix("unix:"))
        else:
            host, _, port = listener.address.rpartition(":")
            streams = await asyncio.open_connection(host.strip("[]"), int(port))
        self.writers.append(streams[1])
        return streams


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for writer in world.writers:
        writer.close()
    for listener in world.listeners:
        await listener.stop(0)
    await asyncio.sleep(0)


async def echo(connection: Connection) -> None:
    while octets := await connection.read(5.0):
        await connection.write(octets)


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


async def test_client_may_end_its_input_and_wait_for_the_answer(world: World) -> None:
    async def serve(connection: Connection) -> None:
        heard = b""
        while octets := await connection.read(5.0):
            heard += octets
        await connection.write(b"heard " + heard)

    reader, writer = await world.connect(await world.listen(serve))
    writer.write(b"all")
    writer.write_eof()

    assert await reader.read() == b"heard all"


async def test_silence_is_a_timeout_and_the_connection_stays_good(world: World) -> None:
    async def serve(connection: Connection) -> None:
        with pytest.raises(TimeoutError):
            await connection.read(0.01)
        await connection.write(b"well?")
        heard.append(await connection.read(None))

    heard: list[bytes] = []
    reader, writer = await world.connect(await world.listen(serve))

    assert await reader.readexactly(5) == b"well?"
    writer.write(b"here")
    await reader.read()

    assert heard == [b"here"]


async def test_cancelled_read_loses_nothing(world: World) -> None:
    async def serve(connection: Connection) -> None:
        impatient = asyncio.create_task(connection.read(None))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        await connection.write(b"?")
        await echo(connection)

    reader, writer = await world.connect(await world.listen(serve))
    await reader.readexactly(1)
    writer.write(b"still here")

    assert await reader.readexactly(10) == b"still here"


async def test_client_that_is_ahead_of_us_is_made_to_wait(world: World) -> None:
    async def serve(connection: Connection) -> None:
        await go.wait()
        while octets := await connection.read(5.0):
            chunks.append(len(octets))

    go, chunks, size = asyncio.Event(), list[int](), 16 * 1024 * 1024
    reader, writer = await world.connect(await world.listen(serve))
    writer.write(b"x" * size)
    writer.write_eof()
    for _ in range(20):
        await asyncio.sleep(0)
    go.set()
    await reader.read()

    assert sum(chunks) == size
    # What one read of asyncio brings may come on top.
    assert max(chunks) <= READ_AHEAD_BYTES + 256 * 1024


async def test_client_that_takes_no_answers_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_WAIT_S", 0.02)
    monkeypatch.setattr(module, "LINGER_S", 0.02)

    async def serve(connection: Connection) -> None:
        try:
            while True:
                await connection.write(b"x" * 1_000_000)
        except TimeoutError:
            given_up.set_result(connection)
            raise

    given_up: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
    reader, _ = await world.connect(await world.listen(serve))
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    connection = await asyncio.wait_for(given_up, 5)
    await asyncio.wait_for(connection.lost, 5)


async def test_slow_client_gets_all_of_it(world: World) -> None:
    async def serve(connection: Connection) -> None:
        for _ in range(8):
            await connection.write(b"x" * 1_000_000)

    reader, _ = await world.connect(await world.listen(serve))

    assert len(await reader.read()) == 8_000_000


# Without a task.


class Attending:
    """Answers each word with itself, and ends with its input."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.heeds = connection, 0
        connection.attend(self.heed)

    def heed(self) -> None:
        self.heeds += 1
        octets = self.connection.read_nowait()
        if octets:
            self.connection.write_nowait(octets)
        elif octets is not None:
            self.connection.close()


async def test_who_attends_needs_no_task(world: World) -> None:
    reader, writer = await world.connect(await world.listen(attend))
    before = len(asyncio.all_tasks())
    for word in (b"one", b"two"):
        writer.write(word)

        assert await reader.readexactly(3) == word
    assert before == len(asyncio.all_tasks())
    writer.write_eof()
    assert await reader.read() == b""


def attend(connection: Connection) -> None:
    Attending(connection)


async def test_nothing_has_come_is_not_the_end(world: World) -> None:
    attended: list[Connection] = []
    _, writer = await world.connect(await world.listen(attended.append))
    await until(lambda: bool(attended))
    nothing = attended[0].read_nowait()
    writer.write_eof()
    await until(lambda: attended[0].read_nowait() is not None)

    assert nothing is None
    assert b"" == attended[0].read_nowait()
    attended[0].abort()


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


async def test_who_attends_learns_of_room_and_of_the_loss(world: World) -> None:
    served: list[Attending] = []
    reader, writer = await world.connect(
        await world.listen(lambda connection: served.append(Attending(connection)))
    )
    writer.write(b"x")
    await reader.readexactly(1)
    (attending,) = served
    attending.connection.write_nowait(b"x" * 8_000_000)
    had_room, heeds = attending.connection.has_room, attending.heeds
    await reader.readexactly(8_000_000)
    await until(lambda: attending.heeds > heeds)

    assert (False, True) == (had_room, attending.connection.has_room)
    reset(writer)
    await asyncio.wait({attending.connection.lost})
    with pytest.raises(ConnectionError):
        attending.connection.write_nowait(b"x")


async def test_who_attends_is_not_held_up_by_a_client_that_takes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_WAIT_S", 0.02)
    attended: list[Connection] = []
    reader, _ = await world.connect(await world.listen(attended.append))
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await until(lambda: bool(attended))
    attended[0].attend(lambda: None)
    attended[0].write_nowait(b"x" * 32_000_000)
    await asyncio.wait({attended[0].lost}, timeout=5)

    assert attended[0].is_lost


async def test_who_takes_a_little_after_the_close_does_not_stay_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.05)
    attended: list[Connection] = []
    reader, _ = await world.connect(await world.listen(attended.append))
    await until(lambda: bool(attended))
    connection = attended[0]
    connection.attend(lambda: None)
    transport = connection._transport
    transport.set_write_buffer_limits(32_000_000)
    connection.write_nowait(b"x" * 64_000_000)
    connection.close()
    await until(lambda: connection.has_room or reader.at_eof() or not reader._buffer)  # type: ignore[attr-defined]
    connection.resume_writing()  # as when the client has taken that much
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.wait({connection.lost}, timeout=5)

    assert connection.is_lost


def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_reset_is_an_error_to_read_and_write(world: World) -> None:
    async def serve(connection: Connection) -> None:
        for act in (connection.read(5.0), connection.read(5.0), connection.write(b"x")):
            try:
                await act
            except ConnectionError as error:
                errors.append(error)
        done.set()

    errors: list[ConnectionError] = []
    done = asyncio.Event()
    _, writer = await world.connect(await world.listen(serve))
    reset(writer)
    await asyncio.wait_for(done.wait(), 5)

    assert len(errors) == 3
    assert world.events == []


async def test_reset_ends_a_write_that_waits(world: World) -> None:
    async def serve(connection: Connection) -> None:
        try:
            await connection.write(b"x" * 32_000_000)
        except ConnectionError:
            done.set()

    done = asyncio.Event()
    reader, writer = await world.connect(await world.listen(serve))
    await reader.readexactly(1)
    reset(writer)
    await asyncio.wait_for(done.wait(), 5)


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
        await listener.stop(0)
        assert path.exists()
        # Who comes while nobody serves waits for the next who does.
        with socket.socket(socket.AF_UNIX) as patient:
            patient.connect(str(path))


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
