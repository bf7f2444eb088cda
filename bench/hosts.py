"""Mail exchangers that answer at once: one process listens on port 25 of all addresses.

Local parts that begin with `u` exist and others do not; at `w` domains the answer to RCPT never comes, and
behind STARTTLS it is the same again. Beside them, a policy service that says DUNNO to everything: the ceiling
of what asks policy services. Usage: python -m bench.hosts
Not here: names and addresses (names.py), hosts that mean harm (foes.py).
"""

import asyncio
import resource
import ssl
import sys
from collections.abc import Callable
from typing import cast

import uvloop

from ringback.lab.tls import throwaway_context

from . import foes
from .places import (
    CONTINUATION,
    DO_NOTHING_PORT,
    DRIP,
    FAST_DRIP,
    FLOOD,
    SECURE,
    SECURE_WAITS,
    SMTP_PORT,
    kind_of_host,
)

BACKLOG = 4_096
_EHLO = b"250-mx.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
_SECURE_EHLO = _EHLO.replace(b"250 8", b"250-STARTTLS\r\n250 8")
_READY_FOR_TLS = b"220 2.0.0 Ready to start TLS\r\n"
_RECORD_BYTES = 65_536
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
_WAITS = (b"@w", b"@x")


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


class SecureExchanger(asyncio.Protocol):
    """The same, that offers STARTTLS and says the rest behind it."""

    __slots__ = ("_arrived", "_context", "_departs", "_tls", "_transport")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._tls: ssl.SSLObject | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 mx.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            self._arrived.write(data)
            self._talk(self._tls)
            return
        for line in data.split(b"\r\n")[:-1]:
            verb = line[:4].upper()
            if verb == b"STAR":
                self._begin()
                self._transport.write(_READY_FOR_TLS)
            else:
                self._transport.write(_SECURE_EHLO if verb == b"EHLO" else _answer(line))
                if verb == b"QUIT":
                    self._transport.close()

    def _begin(self) -> None:
        self._arrived, self._departs = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self._context.wrap_bio(self._arrived, self._departs, server_side=True)

    def _talk(self, tls: ssl.SSLObject) -> None:
        lines: list[bytes] = []
        try:
            tls.do_handshake()
            while read := tls.read(_RECORD_BYTES):
                lines += read.split(b"\r\n")[:-1]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._transport.close()
            return
        if said := b"".join(map(_answer, lines)):
            tls.write(said)
        self._transport.write(self._departs.read())
        if lines and lines[-1][:4].upper() == b"QUIT":
            self._transport.close()


def _answer(line: bytes) -> bytes:
    verb = line[:4].upper()
    if verb != b"RCPT":
        return _SAYS.get(verb, _UNKNOWN_COMMAND)
    if any(waits in line for waits in _WAITS):
        return b""
    return _EXISTS if b"<u" in line else _UNKNOWN_USER


class Porter(asyncio.Protocol):
    """Leaves each connection to a host of the kind that lives at its address."""

    __slots__ = ("_makers",)

    def __init__(self, makers: dict[str, Callable[[], asyncio.Protocol]]) -> None:
        self._makers = makers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        kind = kind_of_host(transport.get_extra_info("sockname")[0])
        host = self._makers.get(kind, Exchanger)()
        transport.set_protocol(host)
        host.connection_made(transport)


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
    context = throwaway_context("mx.test")
    makers: dict[str, Callable[[], asyncio.Protocol]] = {
        SECURE: lambda: SecureExchanger(context),
        SECURE_WAITS: lambda: SecureExchanger(context),
        DRIP: lambda: foes.Drip(1.0),
        FAST_DRIP: lambda: foes.Drip(0.5),
        FLOOD: lambda: foes.Stream(foes.FLOOD_BYTES),
        CONTINUATION: lambda: foes.Stream(foes.CONTINUATION_BYTES),
    }
    await loop.create_server(lambda: Porter(makers), "0.0.0.0", SMTP_PORT, backlog=BACKLOG)
    await loop.create_server(DoNothing, "0.0.0.0", DO_NOTHING_PORT)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.create_future()


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_serve())
