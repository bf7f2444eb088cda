"""Mail exchangers that answer at once: one process listens on port 25 of all addresses.

Local parts that begin with `u` exist and others do not; at `w` domains the answer to RCPT never comes. Beside
them, a policy service that says DUNNO to everything: the ceiling of what asks policy services.
Not here: names and addresses (names.py). Usage: python -m bench.hosts
"""

import asyncio
import resource
import sys
from typing import cast

import uvloop

from .places import DO_NOTHING_PORT, SMTP_PORT

BACKLOG = 4_096
_EHLO = b"250-mx.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
_SAYS = {
    b"EHLO": _EHLO,
    b"HELO": b"250 mx.test\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
_UNKNOWN_COMMAND = b"502 5.5.2 Command not recognised\r\n"
_EXISTS = b"250 2.1.5 Ok\r\n"
_UNKNOWN_USER = b"550 5.1.1 No such user here\r\n"
_WAITS = b"@w"


class Exchanger(asyncio.Protocol):
    """One connection from a verifier."""

    __slots__ = ("_partial", "_transport")

    def __init__(self) -> None:
        self._partial = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 mx.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\r\n")
        self._transport.write(b"".join(map(_answer, lines)))
        if lines and lines[-1][:4].upper() == b"QUIT":
            self._transport.close()


def _answer(line: bytes) -> bytes:
    verb = line[:4].upper()
    if verb != b"RCPT":
        return _SAYS.get(verb, _UNKNOWN_COMMAND)
    if _WAITS in line:
        return b""
    return _EXISTS if b"<u" in line else _UNKNOWN_USER


class DoNothing(asyncio.Protocol):
    """A policy service without a policy."""

    __slots__ = ("_ending", "_transport")

    def __init__(self) -> None:
        self._ending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        requests = (self._ending + data).count(b"\n\n")
        self._ending = data[-1:] if not data.endswith(b"\n\n") else b""
        self._transport.write(b"action=DUNNO\n\n" * requests)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Exchanger, "0.0.0.0", SMTP_PORT, backlog=BACKLOG)
    await loop.create_server(DoNothing, "0.0.0.0", DO_NOTHING_PORT)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.create_future()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_serve())
