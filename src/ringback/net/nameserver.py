"""One name server: its address, and one question put to it.

The socket of a question is its own and is connected: a fresh port for every question (RFC 5452
section 9.2), answers from nobody else, and a dead server is noticed at once. Not here: DNS messages
(net/dns_message.py), what they say (net/answers.py).
"""

import asyncio
import socket
from pathlib import Path

from ..errors import UsageError
from ..values.forms import join_host_port, split_host_port
from ..values.record import Record
from .dns_message import ID_BYTES, Query, Response, parse_response, require_question
from .watch import READABLE, Watch

DNS_PORT = 53
MAX_DATAGRAM_BYTES = 65_535  # whatever we have said that we take
_LENGTH_BYTES = 2  # before a message over TCP, which has 65,535 octets at most
RESOLV_CONF = Path("/etc/resolv.conf")


class Nameserver(Record, frozen=True):
    ip: str
    port: int = DNS_PORT

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.ip else socket.AF_INET

    @property
    def address(self) -> tuple[object, ...]:
        """What a socket connects to. Raises OSError where the scope is no interface."""
        if "%" not in self.ip:
            return self.ip, self.port
        # A pair has the scope 0 for connect, whatever stands after the percent sign.
        found = socket.getaddrinfo(
            self.ip, self.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        return found[0][4]

    def __str__(self) -> str:
        return join_host_port(self.ip, self.port)


def parse_nameserver(text: str) -> Nameserver:
    """Read "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT". Raises UsageError."""
    try:
        ip, port = split_host_port(text)
    except ValueError:
        raise UsageError(f"{text!r} is no name server; write ADDRESS or ADDRESS:PORT") from None
    if port == 0:
        raise UsageError(f"{text!r} has port 0; write one from 1 to 65535")
    return Nameserver(ip, DNS_PORT if port is None else port)


def system_nameservers(path: Path = RESOLV_CONF) -> tuple[Nameserver, ...]:
    """Return the system's name servers. Its search domains are ignored: all names are absolute.

    Raises UsageError if there are none.
    """
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; set dns.nameservers") from error
    words = [line.split() for line in lines]
    servers = tuple(
        parse_nameserver(line[1]) for line in words if len(line) > 1 and line[0] == "nameserver"
    )
    if not servers:
        raise UsageError(f"{path} names no name server; set dns.nameservers")
    return servers


async def exchange(server: Nameserver, query: Query, until: float, watch: Watch) -> Response:
    """Put `query` over UDP, and over TCP where the response does not fit; `until` is of the loop's clock.

    Raises OSError, EOFError and ValueError for what the server did; TimeoutError for nothing.
    """
    response = await _exchange_datagrams(server, query, until, watch)
    if not response.is_cut:
        return response
    async with asyncio.timeout_at(until):
        octets = await _exchange_stream(server, query)
    if not query.is_answered_by(octets):
        raise ValueError("it answers another question")
    return parse_response(octets, query, is_whole=True)


async def _exchange_stream(server: Nameserver, query: Query) -> bytes:
    """Put `query` over TCP, where its length is before each message (RFC 1035 section 4.2.2)."""
    reader, writer = await asyncio.open_connection(server.ip, server.port)
    try:
        writer.write(len(query.octets).to_bytes(_LENGTH_BYTES) + query.octets)
        size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
        return await reader.readexactly(size)
    finally:
        writer.transport.abort()  # nothing more is said, and nobody waits for what is


async def _exchange_datagrams(
    server: Nameserver, query: Query, until: float, watch: Watch
) -> Response:
    with socket.socket(server.family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(server.address)
        sock.send(query.octets)
        listener = _Listener(sock, query, until)
        watch.begin(sock.fileno(), READABLE, listener)
        try:
            return await listener.response
        finally:
            watch.end(sock.fileno())


class _Listener:
    """Waits for the datagram that answers `query`, and passes over all others."""

    __slots__ = ("_query", "_sock", "due_at", "response")

    def __init__(self, sock: socket.socket, query: Query, due_at: float) -> None:
        self._sock, self._query, self.due_at = sock, query, due_at
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def go_on(self, _: int) -> None:
        """Read a datagram."""
        if self.response.done():
            return
        try:
            octets = self._sock.recv(MAX_DATAGRAM_BYTES)
            response = _read_response(octets, self._query)
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            self.response.set_exception(error)
            return
        if response is not None:
            self.response.set_result(response)

    def be_late(self) -> None:
        """Give up."""
        self.fail(TimeoutError())

    def fail(self, error: Exception) -> None:
        """Tell who waits why there is no response."""
        if not self.response.done():
            self.response.set_exception(error)


def _read_response(octets: bytes, query: Query) -> Response | None:
    """Read a datagram; None if it answers another question. Raises ValueError."""
    if octets[:ID_BYTES] != query.octets[:ID_BYTES]:
        return None
    if query.is_answered_by(octets):
        return parse_response(octets, query)
    # Nothing of it is wanted but that it can be read: what is no message at all is a failure.
    require_question(octets)
    return None
