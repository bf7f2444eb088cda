"""Listening: connections accepted within a limit, served, drained. TCP and Unix sockets alike.

Not here: opening the socket (bind.py), letting in who has connected (entrance.py), reading and writing
(connection.py), what is said on a connection and how long it may be idle (doors/).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..values.events import DoorClosed, Event, Trouble
from ..values.record import Record
from .bind import open_listener, remove_path, shown_address
from .connection import Connection
from .entrance import Entrance
from .turns import Turns

# Rounds of the event loop before the last input counts as the last: it accepts in one, connects in the
# next, and then reads what a client has sent before it could know that we stop.
LAST_ROUNDS = 4


class Limits(Record, frozen=True):
    """What one listener takes on. Postfix has 100 smtpd processes by default, a connection each."""

    connections: int = 1_000
    unix_mode: int = 0o660  # the MTA's user shares our group


# None: it is attended to without a task, and closed by who does.
Serve = Callable[[Connection], Awaitable[None] | None]
Sink = Callable[[Event], None]


class Listener:
    """Accepts connections until `stop`. `address` is the real one, with the port that ":0" got."""

    def __init__(
        self,
        sock: socket.socket,
        serve: Serve,
        limits: Limits,
        sink: Sink,
        *,
        path_stays: bool,
    ) -> None:
        self.address = shown_address(sock)
        self.turns = Turns()
        self._path_stays = path_stays
        self._sock, self._serve, self._limits, self._sink = sock, serve, limits, sink
        self._served: dict[asyncio.Task[None], Connection] = {}
        self._attended: set[Connection] = set()
        self._entrance = Entrance(sock, self._meet, sink)
        self._full = False  # and it was reported
        self._stopping = self._stopped = False

    def start(self) -> None:
        """Begin to accept."""
        self._entrance.open()

    async def stop(self, drain_s: float) -> None:
        """Accept no more; let what is under way end within `drain_s`; then cut it off."""
        if self._stopping:
            return
        self._stopping = True
        if not self._path_stays:
            remove_path(self._sock)
        # At a socket that stays theirs, who has not been let in waits for the next who serves.
        await self._entrance.close(let_in_all=not self._path_stays)
        for _ in range(LAST_ROUNDS):
            await asyncio.sleep(0)
        self._stopped = True
        connections = [*self._served.values(), *self._attended]
        for connection in connections:
            connection.end_input()
        lost = [connection.lost for connection in connections]
        if lost:
            await asyncio.wait(lost, timeout=drain_s)
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*lost)

    def _meet(self) -> Connection:
        return Connection(self)

    # What a connection calls.

    def admit(self, connection: Connection) -> None:
        """Have it served, if there is room."""
        if self._stopped:
            connection.abort()
        elif self._count >= self._limits.connections:
            self._turn_away(connection)
        elif (serving := self._serve(connection)) is None:
            self._attended.add(connection)
        else:
            task = asyncio.create_task(self._run(connection, serving))
            self._served[task] = connection
            task.add_done_callback(self._bury)

    def forget(self, connection: Connection) -> None:
        """It is lost."""
        if connection in self._attended:
            self._attended.remove(connection)
            self._full = False

    @property
    def _count(self) -> int:
        return len(self._served) + len(self._attended)

    def _turn_away(self, connection: Connection) -> None:
        connection.close()
        if not self._full:  # once a spell, or a flood of clients would be one of log lines too
            self._full = True
            why = f"{self._count} connections are open, the most that are served"
            self._sink(DoorClosed(self.address, connection.peer, why))

    async def _run(self, connection: Connection, serving: Awaitable[None]) -> None:
        try:
            with suppress(OSError):  # the client is gone, which is its right
                await serving
            connection.close()
            await asyncio.shield(connection.lost)
        finally:
            connection.abort()

    def _bury(self, task: asyncio.Task[None]) -> None:
        del self._served[task]
        self._full = False
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._sink(Trouble.of_bug(self.address, bug))


async def listen(
    address: str,
    serve: Serve,
    limits: Limits | None = None,
    *,
    sink: Sink,
    inherited: socket.socket | None = None,
) -> Listener:
    """Listen on "ADDRESS:PORT" or "unix:/path", and call `serve` for each connection.

    `inherited`: a socket that listens there already, and whose path is somebody else's to remove.
    What `serve` returns is awaited in a task: it may let an OSError of its connection through, and the
    connection is closed when it ends.
    Raises UsageError where the address cannot be had.
    """
    limits = limits or Limits()
    sock = inherited or open_listener(address, limits.unix_mode)
    listener = Listener(sock, serve, limits, sink, path_stays=inherited is not None)
    listener.start()
    return listener
