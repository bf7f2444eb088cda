"""Listeners on loopback, their clients, and doors that do next to nothing."""

import asyncio
from collections.abc import Awaitable, Callable

from ringback.net.connection import Connection
from ringback.net.listen import Limits, Listener, listen
from ringback.values.events import Event

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


async def echo(connection: Connection) -> None:
    while octets := await connection.read(5.0):
        await connection.write(octets)


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


def attend(connection: Connection) -> None:
    Attending(connection)
