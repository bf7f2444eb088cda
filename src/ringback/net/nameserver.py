"""One name server: its address, and one question put to it. Not here: what it said (net/answers.py).

The socket of a question is its own and is connected: a fresh port for every question (RFC 5452
section 9.2), answers from nobody else, and a dead server is noticed at once.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message

from ..errors import UsageError
from ..values.forms import join_host_port, split_host_port

DNS_PORT = 53
RESOLV_CONF = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Nameserver:
    ip: str
    port: int = DNS_PORT

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


async def exchange(server: Nameserver, query: dns.message.Message) -> dns.message.Message:
    """Put `query` over UDP, and over TCP where the response does not fit. The caller sets the deadline.

    Raises OSError, EOFError, ValueError and dns.exception.DNSException for what the server did.
    """
    loop = asyncio.get_running_loop()
    transport, datagrams = await loop.create_datagram_endpoint(
        lambda: _Datagrams(query), remote_addr=(server.ip, server.port)
    )
    try:
        transport.sendto(query.to_wire())
        response = await datagrams.response
    finally:
        transport.abort()
    if response.flags & dns.flags.TC:
        return await dns.asyncquery.tcp(query, server.ip, port=server.port)
    return response


class _Datagrams(asyncio.DatagramProtocol):
    """Waits for the datagram that answers `query`, and passes over all others."""

    def __init__(self, query: dns.message.Message) -> None:
        self._query = query
        self.response: asyncio.Future[dns.message.Message] = (
            asyncio.get_running_loop().create_future()
        )

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data[:2] != self._query.id.to_bytes(2, "big") or self.response.done():
            return
        # A datagram may be cut in the middle of a record: what remains is not read.
        cut = bool(dns.flags.TC & int.from_bytes(data[2:4], "big"))
        try:
            response = dns.message.from_wire(data, ignore_trailing=True, question_only=cut)
        except (dns.exception.DNSException, ValueError) as error:
            self.response.set_exception(error)
            return
        if self._query.is_response(response):
            self.response.set_result(response)

    def error_received(self, exc: Exception) -> None:
        self._fail(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or EOFError("the socket was closed"))

    def _fail(self, error: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(error)
            # Who asked may be gone: uvloop makes an endpoint to its end, whoever still waits for it.
            self.response.exception()
