"""Connections, from a client's side and from the side of the door."""

import asyncio
import socket
import struct

import pytest

from door_fakes import until
from net_fakes import Attending, World, echo
from ringback.net import connection as module
from ringback.net.connection import READ_AHEAD_BYTES, Connection
from ringback.net.turns import PER_ROUND


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

    assert connection.is_lost


async def test_slow_client_gets_all_of_it(world: World) -> None:
    async def serve(connection: Connection) -> None:
        for _ in range(8):
            await connection.write(b"x" * 1_000_000)

    reader, _ = await world.connect(await world.listen(serve))

    assert len(await reader.read()) == 8_000_000


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


async def test_pieces_that_nobody_has_read_are_read_as_one(world: World) -> None:
    attended: list[Connection] = []
    await world.connect(await world.listen(attended.append))
    await until(lambda: bool(attended))
    for piece in (b"one ", b"two ", b"three"):
        attended[0].data_received(piece)

    assert b"one two three" == attended[0].read_nowait()
    assert attended[0].read_nowait() is None
    attended[0].abort()


async def test_who_attends_has_one_turn_for_all_that_came_before_it(world: World) -> None:
    served: list[Attending] = []
    reader, _ = await world.connect(
        await world.listen(lambda connection: served.append(Attending(connection)))
    )
    await until(lambda: bool(served))
    for number in range(PER_ROUND):
        served[0].connection.data_received(b"%d" % number)
    for piece in (b"x", b"y", b"z"):  # these wait for the next round
        served[0].connection.data_received(piece)
    heeds = served[0].heeds
    told = await reader.readexactly(PER_ROUND + 3)

    assert b"01234567xyz" == told
    assert (PER_ROUND, PER_ROUND + 1) == (heeds, served[0].heeds)


async def test_who_is_lost_before_his_turn_has_none(world: World) -> None:
    attended, heeded = list[Connection](), list[bool]()
    await world.connect(await world.listen(attended.append))
    await until(lambda: bool(attended))
    connection = attended[0]
    connection.attend(lambda: heeded.append(connection.is_lost))
    for _ in range(PER_ROUND):
        connection.data_received(b"x")
    connection.abort()
    connection.data_received(b"x")
    await asyncio.wait({connection.lost})
    await asyncio.sleep(0)

    assert [False] * PER_ROUND + [True] == heeded


async def test_who_has_more_to_read_waits_for_another_turn(world: World) -> None:
    attended, heeded = list[Connection](), list[str]()
    listener = await world.listen(attended.append)
    for _ in range(2):
        await world.connect(listener)
    await until(lambda: len(attended) == 2)
    greedy, polite = attended
    greedy.attend(lambda: heeded.append("greedy"))
    polite.attend(lambda: heeded.append("polite"))
    for _ in range(2):  # one place is all he has
        greedy.stand_in_line()
    greedy.data_received(b"x")  # it stands there already
    polite.data_received(b"x")
    await asyncio.sleep(0)

    assert ["polite", "greedy"] == heeded
    for connection in attended:
        connection.abort()


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
        except ConnectionError as error:
            ended.set_result(error)

    ended: asyncio.Future[ConnectionError] = asyncio.get_running_loop().create_future()
    reader, writer = await world.connect(await world.listen(serve))
    await reader.readexactly(1)
    reset(writer)

    assert isinstance(await asyncio.wait_for(ended, 5), ConnectionError)
