"""One TCP connection of a lab host: lines in, bytes out, and a record of what came. Not here: SMTP."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from typing import cast

# What a session may put into the record; a lab left running must not grow.
MAX_RECORDED_BYTES = 1_048_576
# Twice what RFC 5321 section 4.5.3.1.4 and RFC 6531 allow to a command; a longer line ends the session.
MAX_LINE_BYTES = 4_096
# Input that no one reads yet; more than any pipelined flight.
MAX_PENDING_BYTES = 1_048_576

_LINGER_NONE = struct.pack("ii", 1, 0)  # close by RST


class Stream(asyncio.Protocol):
    """A connection that is told of by `on_open`. Lines end with LF, a CR before it is taken off."""

    def __init__(self, on_open: Callable[["Stream"], None]) -> None:
        self.received = bytearray()
        self.peer_ip = ""
        self.secure = False
        self._on_open = on_open
        self._transport: asyncio.Transport | None = None
        self._pending = bytearray()
        self._ended = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def ended(self) -> bool:
        """The other side will send nothing more."""
        return self._ended

    @property
    def has_line(self) -> bool:
        """A whole line has come that nobody read yet."""
        return b"\n" in self._pending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.peer_ip = transport.get_extra_info("peername")[0]
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        room = MAX_RECORDED_BYTES - len(self.received)
        self.received += data[: max(room, 0)]
        self._pending += data
        if len(self._pending) > MAX_PENDING_BYTES:
            self.abort()
        self._news.set()

    def eof_received(self) -> bool:
        self._ended = True
        self._news.set()
        return not self.secure  # half-closed peers still get their answers

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def read_line(self) -> str | None:
        """Return the next line without its end; None when there will be none."""
        while not self.has_line:
            if self._ended or len(self._pending) > MAX_LINE_BYTES:
                return None
            await self.wait_news()
        line, _, rest = bytes(self._pending).partition(b"\n")
        self._pending = bytearray(rest)
        if len(line) > MAX_LINE_BYTES:
            return None
        return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")

    async def wait_news(self) -> None:
        """Return when more bytes came, or the connection ended."""
        self._news.clear()
        await self._news.wait()

    async def discard(self) -> None:
        """Read and forget, until the other side goes."""
        while not self._ended:
            self._pending.clear()
            await self.wait_news()

    async def write(self, octets: bytes) -> None:
        """Send, and wait while the other side takes nothing."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        await self._writable.wait()

    async def start_tls(self, context: ssl.SSLContext) -> bool:
        """Do the server's side of the handshake; False if it fails."""
        if self._transport is None or self._ended:
            return False
        self._pending.clear()
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(self._transport, self, context, server_side=True)
        except OSError:  # ssl.SSLError is one
            return False
        self._transport, self.secure = secured, secured is not None
        return self.secure

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close by RST, and drop what was not sent."""
        if self._transport is None:
            return
        connection = self._transport.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()
