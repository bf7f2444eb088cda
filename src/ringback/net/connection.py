"""One accepted connection: read and written by the one task that serves it, or by who attends to it.

An asyncio protocol, and no more: ten thousand that wait are ten thousand small objects.
Not here: accepting and draining (listen.py), what is said and how long a client may be idle (doors/).
"""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Protocol, cast

from ..values.forms import join_host_port
from .turns import Turns

# Octets that a client may be ahead of us; beyond it TCP makes it wait.
READ_AHEAD_BYTES = 64 * 1024
# A client that takes none of its answers for this long is gone, whatever TCP says.
WRITE_WAIT_S = 30.0
# How long a closed connection may still hold octets that the client has not taken.
LINGER_S = 5.0


class Keeper(Protocol):
    """What is needed of who accepts connections."""

    @property
    def turns(self) -> Turns: ...

    def admit(self, connection: "Connection", /) -> None:
        """It is there."""
        ...

    def forget(self, connection: "Connection", /) -> None:
        """It is lost."""
        ...


class Connection(asyncio.Protocol):
    """One client. One task may read and one may write at a time."""

    __slots__ = (
        "_arrived",
        "_asked_for_turn",
        "_error",
        "_heed",
        "_keeper",
        "_linger",
        "_loop",
        "_lost",
        "_over",
        "_read_waiter",
        "_reading_paused",
        "_transport",
        "_write_waiter",
        "at_end_of_round",
        "has_room",
        "is_lost",
        "peer",
    )

    _transport: asyncio.Transport

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.at_end_of_round = keeper.turns.at_end  # directly: each answer asks twice
        self._heed: Callable[[], None] | None = None  # of who attends to it without a task
        self._asked_for_turn = False  # for that
        self._loop = asyncio.get_running_loop()
        self._arrived: bytes | bytearray = b""  # one piece as it is, several joined
        self._over = False  # no more will arrive
        self._error: Exception | None = None
        self._reading_paused = False
        self._read_waiter: asyncio.Future[None] | None = None
        self._write_waiter: asyncio.Future[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self.peer = ""
        self.is_lost, self.has_room = False, True
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
        if not self.has_room:
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

    def stand_in_line(self) -> None:
        """Have `heed` called when all others who wait for a turn have had theirs."""
        if not self._asked_for_turn:
            self._asked_for_turn = True
            self._keeper.turns.queue(self)

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

    def take_turn(self) -> None:
        """Let who attends to it read what has arrived."""
        self._asked_for_turn = False
        if self._heed is not None:  # or it was lost meanwhile
            self._heed()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        name = transport.get_extra_info("peername")
        self.peer = join_host_port(name[0], name[1]) if isinstance(name, tuple) else "unix"
        self._keeper.admit(self)

    def data_received(self, data: bytes) -> None:
        if not self._arrived:
            self._arrived = data
        elif isinstance(self._arrived, bytearray):
            self._arrived += data
        else:
            self._arrived = bytearray(self._arrived) + data
        if len(self._arrived) >= READ_AHEAD_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        if self._heed is None:
            _wake(self._read_waiter)
        elif not self._asked_for_turn:
            self._asked_for_turn = True
            self._keeper.turns.ask_for(self)

    def eof_received(self) -> bool:
        self._over = True
        self._tell(self._read_waiter)
        return True  # Exim's readsocket ends its input and waits for the answer

    def pause_writing(self) -> None:
        self.has_room = False
        if self._heed is not None:
            self._abort_after(WRITE_WAIT_S)

    def resume_writing(self) -> None:
        self.has_room = True
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
        self._keeper.forget(self)

    def _take(self) -> bytes:
        octets, self._arrived = bytes(self._arrived), b""
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
