"""Descriptors of all kinds, one socket for both directions above all: that is what OpenSMTPD gives."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.net.stdio import StandardStreams


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


async def test_one_socket_serves_both_directions(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    streams = StandardStreams(os.dup(ours.fileno()), os.dup(ours.fileno()))
    reading = asyncio.create_task(streams.read())
    await asyncio.sleep(0)
    theirs.sendall(b"question")
    heard = [await reading]
    theirs.sendall(b"another")
    await streams.write(b"answer")
    heard.append(await streams.read())
    theirs.shutdown(socket.SHUT_WR)
    heard.append(await streams.read())

    assert [b"question", b"another", b""] == heard
    assert b"answer" == theirs.recv(100)


async def test_a_reader_that_is_slow_gets_everything_in_order(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    streams = StandardStreams(ours.fileno(), ours.fileno())
    writing = [asyncio.create_task(streams.write(bytes([n]) * 500_000)) for n in range(4)]
    received = bytearray()
    while len(received) < 2_000_000:
        received += await asyncio.to_thread(theirs.recv, 65_536)
    await asyncio.gather(*writing)

    assert b"".join(bytes([n]) * 500_000 for n in range(4)) == received


async def test_descriptors_are_left_as_they_were(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.setblocking(False)
    streams = StandardStreams(ours.fileno(), theirs.fileno())
    within = os.get_blocking(ours.fileno())
    streams.close()

    assert [False, True, False] == [
        within,
        os.get_blocking(ours.fileno()),
        os.get_blocking(theirs.fileno()),
    ]


async def test_a_file_will_do(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"config|ready\n")
    with path.open("rb") as source, (tmp_path / "out").open("wb") as sink:
        streams = StandardStreams(source.fileno(), sink.fileno())
        heard = [await streams.read(), await streams.read()]
        await streams.write(b"said")

    assert ([b"config|ready\n", b""], b"said") == (heard, (tmp_path / "out").read_bytes())
