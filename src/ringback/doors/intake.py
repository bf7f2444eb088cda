"""What one client sends, whole piece by whole piece, for doors that hold connections.

A client may be silent for long between two pieces, and not within one.
Not here: what a piece is (wire/), sockets (net/connection.py).
"""

import asyncio
from typing import Generic, Protocol, TypeVar

from ..errors import RemoteProtocolError
from ..values.record import Record

Piece = TypeVar("Piece")


class Connection(Protocol):
    """What a door needs of net/connection.py; the listener closes it when the door's `serve` returns."""

    @property
    def peer(self) -> str: ...

    async def read(self, timeout_s: float | None) -> bytes:
        """Return what has arrived, b"" at the end of input. Raises TimeoutError or another OSError."""
        ...

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        ...


class Reader(Protocol[Piece]):
    """What a reader of wire/ is like."""

    @property
    def idle(self) -> bool: ...

    @property
    def broken(self) -> RemoteProtocolError | None: ...

    def feed(self, octets: bytes) -> list[Piece]: ...


class Patience(Record, frozen=True):
    """How long a client may be silent. Seconds."""

    between_s: float
    # A piece as a whole: whoever drips, an octet a second, must not hold a connection for ever.
    within_s: float


class Intake(Generic[Piece]):
    """Reads one connection; `noun` names a piece in the reason why it is closed."""

    __slots__ = ("_connection", "_noun", "_patience", "_reader")

    def __init__(
        self, connection: Connection, reader: Reader[Piece], patience: Patience, noun: str
    ) -> None:
        self._connection, self._reader = connection, reader
        self._patience, self._noun = patience, noun

    async def wait_next(self) -> list[Piece]:
        """Return at least one piece, or none where there will be no more.

        Raises RemoteProtocolError, or an OSError if the client is gone.
        """
        reader = self._reader
        try:
            async with asyncio.timeout(None) as patience:
                while not reader.broken:
                    if not reader.idle and patience.when() is None:
                        now = asyncio.get_running_loop().time()
                        patience.reschedule(now + self._patience.within_s)
                    octets = await self._connection.read(self._patience.between_s)
                    if pieces := reader.feed(octets):
                        return pieces
                    if not octets:
                        break
        except TimeoutError:
            if reader.idle:
                return []
            why = f"a {self._noun} that is not whole after {self._patience.within_s:g} s"
            raise RemoteProtocolError(why) from None
        if reader.broken:
            raise reader.broken
        if not reader.idle:
            raise RemoteProtocolError(f"the input ends within a {self._noun}")
        return []
