"""A DNS server on loopback, over UDP and TCP, that counts what it is asked.

Not here: what it says (zone.py).
"""

import asyncio
import errno
import struct
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype

from ..engine.ports import Clock
from .zone import Behaviour, Zone, respond

# Questions kept for tests to look at; a lab left running must not grow.
MAX_KEPT_QUESTIONS = 10_000
# RFC 1035 section 4.2.1: what a client without EDNS can take over UDP.
PLAIN_UDP_BYTES = 512
# RFC 1035 section 4.2.2: what the length before a message over TCP can say.
MAX_TCP_BYTES = 65_535
# A UDP port may be taken for TCP; this many others are tried.
MAX_PORT_TRIES = 20

_GARBAGE = b"\x00garbage, and no DNS message at all\xff\xff"
_LENGTH = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as it came. `at` is in Unix seconds."""

    at: float
    name: str
    kind: str
    tcp: bool


class DnsServer:
    """Answers from `zone`, which may be changed at any time.

    `lie` makes it say the same of every name. `asked` counts questions by (name, type).
    """

    def __init__(self, zone: Zone, clock: Clock) -> None:
        self.zone = zone
        self.lie: Behaviour | None = None
        self.asked: Counter[tuple[str, str]] = Counter()
        self.questions: deque[Asked] = deque(maxlen=MAX_KEPT_QUESTIONS)
        self.ip = ""
        self.port = 0
        self._clock = clock
        self._datagrams: asyncio.DatagramTransport | None = None
        self._streams: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def nameserver(self) -> str:
        """As in `dns.nameservers` of the configuration."""
        return f"{self.ip}:{self.port}"

    async def start(self, ip: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any that is free for both UDP and TCP. Raises OSError."""
        for tries_left in reversed(range(MAX_PORT_TRIES)):
            try:
                await self._listen(ip, port)
            except OSError as error:
                await self.close()
                if port or not tries_left or error.errno != errno.EADDRINUSE:
                    raise
            else:
                return

    async def _listen(self, ip: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.answer), local_addr=(ip, port)
        )
        self.ip, self.port = self._datagrams.get_extra_info("sockname")[:2]
        self._streams = await asyncio.start_server(self._admit, ip, self.port)

    async def close(self) -> None:
        if self._datagrams:
            self._datagrams.close()
        if self._streams:
            self._streams.close()
            await self._hang_up()
        self._datagrams = self._streams = None
        await asyncio.sleep(0)  # the transports close their sockets in the next turn of the loop

    async def _hang_up(self) -> None:
        for task, writer in self._open.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Return the bytes that answer the query in `wire`; None for silence."""
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        self._count(query, tcp)
        response, behaviour = respond(self.zone, query, lie=self.lie)
        if behaviour is Behaviour.SILENT:
            return None
        if behaviour is Behaviour.GARBLED:
            return _GARBAGE
        return _encode(query, response, tcp=tcp, cut=behaviour is Behaviour.TRUNCATED)

    def _count(self, query: dns.message.Message, tcp: bool) -> None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        self.questions.append(Asked(self._clock.now(), name, kind, tcp))

    def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._open[task] = writer
        task.add_done_callback(lambda done: self._open.pop(done, None))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                response = self.answer(await reader.readexactly(length), tcp=True)
                if response is not None:
                    writer.write(_LENGTH.pack(len(response)) + response)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[..., bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # No isinstance: the transports of Python 3.11 and of uvloop do not derive from this class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._answer(data, tcp=False)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)


def _encode(
    query: dns.message.Message, response: dns.message.Message, *, tcp: bool, cut: bool
) -> bytes:
    if tcp:
        return response.to_wire(max_size=MAX_TCP_BYTES)
    limit_bytes = query.payload if query.edns >= 0 else PLAIN_UDP_BYTES
    if not cut:
        try:
            return response.to_wire(max_size=max(limit_bytes, PLAIN_UDP_BYTES))
        except dns.exception.TooBig:
            pass
    bare = dns.message.make_response(query, recursion_available=True)
    bare.flags |= dns.flags.TC
    return bare.to_wire()
