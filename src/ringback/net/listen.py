"""Listening: connections accepted within a limit, served, drained. TCP and Unix sockets alike.

One asyncio protocol a connection, read and written by the one task that serves it, or by who attends to it
without one: ten thousand that wait are ten thousand small objects then.
Not here: opening the socket (net/bind.py), what is said on a connection and how long it may be idle (doors/).
"""

import asyncio
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from ..values.events import DoorClosed, Event, Trouble
from ..values.forms import join_host_port
from .bind import BACKLOG, open_listener, remove_path, shown_address

# Octets that a client may be ahead of us; beyond it TCP makes it wait.
READ_AHEAD_BYTES = 64 * 1024
# A client that takes none of its answers for this long is gone, whatever TCP says.
WRITE_WAIT_S = 30.0
# How long a closed connection may still hold octets that the client has not taken.
LINGER_S = 5.0
# Turns of the event loop before the last input counts as the last: it accepts in one, connects in the
# next, and then reads what a client has sent before it could know that we stop.
LAST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listener takes on. Postfix has 100 smtpd processes by default, a connection each."""

    connections: int = 1_000
    unix_mode: int = 0o660  # the MTA's user shares our group


class Connection(asyncio.Protocol):
    """One client. One task may read and one may write at a time."""

    __slots__ = (
        "_arrived",
        "_error",
        "_heed",
        "_linger",
        "_listener",
        "_loop",
        "_lost",
        "_over",
        "_read_waiter",
        "_reading_paused",
        "_transport",
        "_write_waiter",
        "_writing_paused",
        "is_lost",
        "peer",
    )

    _transport: asyncio.Transport

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._heed: Callable[[], None] | None = None  # of who attends to it without a task
        self._loop = asyncio.get_running_loop()
        self._arrived = bytearray()
        self._over = False  # no more will arrive
        self._error: Exception | None = None
        self._reading_paused = self._writing_paused = False
        self._read_waiter: asyncio.Future[None] | None = None
        self._write_waiter: asyncio.Future[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self.peer = ""
        self.is_lost = False
        self._lost: asyncio.Future[None] | None = None

    # What the task that serves it calls.

    async def read(self, timeout_s: float | None) -> bytes:
        """Return what has arrived, b"" at the end of input. Raises TimeoutError or another OSError."""
        if not (self._arrived or self._over):
            waiter = self._read_waiter = self._loop.create_future()
            try:
                await _wait(waiter, timeout_s)
            finally:
                self._read_waiter = None
        return self._take()

    async def write(self, octets: bytes) -> None:
        """Send; wait while the client does not take it. Raises TimeoutError or another OSError."""
        self.write_nowait(octets)
        if self._writing_paused:
            waiter = self._write_waiter = self._loop.create_future()
            try:
                await _wait(waiter, WRITE_WAIT_S)
            finally:
                self._write_waiter = None

    def close(self) -> None:
        """Close when what was written is sent, or after LINGER_S."""
        if self.is_lost or self._transport.is_closing():
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._abort_after(LINGER_S)

    # What is called by who attends to it without a task.

    def attend(self, heed: Callable[[], None]) -> None:
        """Have `heed` called when octets have arrived, or the end, or room, or the connection is lost.

        A client that takes none of its answers for WRITE_WAIT_S is cut off.
        """
        self._heed = heed

    def read_nowait(self) -> bytes | None:
        """The same as `read`; None where it would wait. Raises OSError."""
        return self._take() if self._arrived or self._over else None

    def write_nowait(self, octets: bytes) -> None:
        """Send, or keep until the client takes it: look at `has_room` before. Raises OSError."""
        if self.is_lost or self._transport.is_closing():
            raise self._error or ConnectionResetError(
                errno.ECONNRESET, os.strerror(errno.ECONNRESET)
            )
        self._transport.write(octets)

    @property
    def has_room(self) -> bool:
        return not self._writing_paused

    # What the listener calls.

    @property
    def lost(self) -> asyncio.Future[None]:
        """Done when the connection is. Who waits for it shields it, or waits by `asyncio.wait`."""
        if self._lost is None:
            self._lost = self._loop.create_future()
            if self.is_lost:
                self._lost.set_result(None)
        return self._lost

    def end_input(self) -> None:
        """Let `read` come to an end after what has arrived, as if the client had no more to say."""
        if not self._over:
            self._over = True
            self._transport.pause_reading()
            self._tell(self._read_waiter)

    def abort(self) -> None:
        """Close now."""
        self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = join_host_port(name[0], name[1]) if isinstance(name, tuple) else "unix"
        self._listener.admit(self)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        if len(self._arrived) >= READ_AHEAD_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._tell(self._read_waiter)

    def eof_received(self) -> bool:
        self._over = True
        self._tell(self._read_waiter)
        return True  # Exim's readsocket ends its input and waits for the answer

    def pause_writing(self) -> None:
        self._writing_paused = True
        if self._heed is not None:
            self._abort_after(WRITE_WAIT_S)

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._heed is None:
            _wake(self._write_waiter)
            return
        if self._linger is not None and not self._transport.is_closing():
            self._linger.cancel()
        # Not at once: asyncio is in the middle of writing, and must not be made to close there.
        self._loop.call_soon(self._tell, None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over, self._error = True, exc
        if self._linger is not None:
            self._linger.cancel()
        if self._write_waiter is not None and not self._write_waiter.done():
            self._write_waiter.set_exception(
                exc or ConnectionResetError("the connection was closed")
            )
        self.is_lost = True
        _wake(self._lost)
        self._tell(self._read_waiter)
        self._heed = None  # it knows us, and we it
        self._listener.forget(self)

    def _take(self) -> bytes:
        octets = bytes(self._arrived)
        self._arrived.clear()
        if not octets and self._error is not None:
            raise self._error
        if self._reading_paused and not self._over:
            self._reading_paused = False
            self._transport.resume_reading()
        return octets

    def _tell(self, waiter: asyncio.Future[None] | None) -> None:
        if self._heed is not None:
            self._heed()
        else:
            _wake(waiter)

    def _abort_after(self, seconds: float) -> None:
        if self._linger is not None:
            self._linger.cancel()
        self._linger = self._loop.call_later(seconds, self._transport.abort)


async def _wait(waiter: asyncio.Future[None], timeout_s: float | None) -> None:
    if timeout_s is None:
        await waiter
        return
    # Cheaper than asyncio.timeout, which cancels and uncancels the task; a door reads all day.
    timer = asyncio.get_running_loop().call_later(timeout_s, _expire, waiter)
    try:
        await waiter
    finally:
        timer.cancel()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError("the client was silent"))


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
        self._path_stays = path_stays
        self._sock, self._serve, self._limits, self._sink = sock, serve, limits, sink
        self._served: dict[asyncio.Task[None], Connection] = {}
        self._attended: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._full = False  # and it was reported
        self._stopping = self._stopped = False

    async def start(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        if self._sock.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(
                self._meet, sock=self._sock, backlog=BACKLOG
            )
        else:
            self._server = await loop.create_server(self._meet, sock=self._sock, backlog=BACKLOG)

    async def stop(self, drain_s: float) -> None:
        """Accept no more; let what is under way end within `drain_s`; then cut it off."""
        if self._stopping or self._server is None:
            return
        self._stopping = True
        if not self._path_stays:
            remove_path(self._sock)
            await self._accept_waiting()
        self._server.close()
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

    async def _accept_waiting(self) -> None:
        """Accept who has connected by now: a socket that closes would reset them, their requests sent."""
        loop = asyncio.get_running_loop()
        for _ in range(BACKLOG):
            try:
                accepted, _ = self._sock.accept()
            except OSError:  # nobody is left, or he has gone again
                return
            accepted.setblocking(False)
            await loop.connect_accepted_socket(self._meet, accepted)

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
    await listener.start()
    return listener
