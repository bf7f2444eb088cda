"""Connecting: the address judged, the source address bound, a deadline over it.

Not here: what is said on the connection (net/converse.py), which networks are forbidden
(rules/networks.py), which host to call (rules/routes.py).
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from ..rules.networks import forbidden, parse_networks
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault
from .clock import TellsTime
from .converse import Conversation, Pump
from .tls import opportunistic_context
from .trouble import in_words

# linux/in.h; Python names it from 3.12 on. Without it a bound source address has one port for each
# connection to anywhere, and 28,000 recent ones use them up.
_IP_BIND_ADDRESS_NO_PORT = 24

# Failures of our own machine, whoever was called.
_OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class _Failure:
    fault: Fault
    detail: str


# Addresses for documentation (RFC 5737, RFC 3849): routed like any other, and nobody's.
_SOMEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_DISCARD_PORT = 9


def outward_addresses() -> tuple[str, ...]:
    """The addresses from which the system would call the world, as far as it has any.

    A datagram socket is told where it would send, and nothing is sent.
    """
    found: list[str] = []
    for family, somewhere in _SOMEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((somewhere, _DISCARD_PORT))
                found.append(str(sock.getsockname()[0]))
        except OSError:
            continue  # no such family, or no way out
    return tuple(found)


class TcpDialer:
    """The Dialer of engine/ports.py, over TCP. It belongs to one event loop.

    `source_addresses`: the first of the host's family is bound; none at all leaves it to the system.
    `allowed_networks` lifts what etiquette.md forbids; `own_addresses` are never called, unless each
    is allowed by itself. Raises ValueError for what is no address or network.
    """

    def __init__(
        self,
        *,
        clock: TellsTime,
        source_addresses: Sequence[str] = (),
        allowed_networks: Sequence[str] = (),
        own_addresses: Sequence[str] = (),
        tls_context: Callable[[], ssl.SSLContext] = opportunistic_context,
    ) -> None:
        self._clock = clock
        self._sources = [str(ip_address(text)) for text in source_addresses]
        self._allowed = parse_networks(allowed_networks)
        self._own = frozenset(ip_address(text) for text in own_addresses)
        self._pump = Pump(clock, tls_context)

    async def call(self, endpoint: Endpoint, probe: Conversation, patience: Patience) -> None:
        """Connect, let `probe` talk, close. What the network does ends up in the probe."""
        whole_at = asyncio.get_running_loop().time() + patience.whole_s
        if reason := forbidden(endpoint.ip, self._allowed, self._own):
            probe.lose(Fault.FORBIDDEN_NETWORK, reason, self._clock.now())
            return
        end = await self._connect(endpoint, min(patience.stage_s, patience.whole_s))
        if isinstance(end, _Failure):
            probe.lose(end.fault, end.detail, self._clock.now())
            return
        await self._pump.converse(end, probe, endpoint.host, patience.stage_s, whole_at)

    async def _connect(self, endpoint: Endpoint, wait_s: float) -> socket.socket | _Failure:
        sock = self._open(endpoint.ip)
        if isinstance(sock, _Failure):
            return sock
        loop = asyncio.get_running_loop()
        failure: _Failure | None = None
        try:
            async with asyncio.timeout(wait_s):
                await loop.sock_connect(sock, (endpoint.ip, endpoint.port))
            failure = _judge_peer(sock, endpoint.ip)
        except TimeoutError:
            failure = _Failure(Fault.TIMEOUT, f"no connection within {wait_s:g} s")
        except OSError as error:
            failure = _Failure(Fault.REFUSED, in_words(error))
        except asyncio.CancelledError:
            sock.close()
            raise
        if failure is not None:
            sock.close()
        return failure or sock

    def _open(self, ip: str) -> socket.socket | _Failure:
        """Return a socket of the right family, bound to the source address if there is one."""
        version = ip_address(ip).version
        sources = [text for text in self._sources if ip_address(text).version == version]
        if self._sources and not sources:
            return _Failure(Fault.REFUSED, f"no source address is configured for IPv{version}")
        try:
            sock = socket.socket(
                socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_STREAM
            )
        except OSError as error:
            ours = error.errno in _OUT_OF_MEANS
            return _Failure(Fault.SOURCE_UNUSABLE if ours else Fault.REFUSED, in_words(error))
        sock.setblocking(False)
        failure = _bind(sock, sources[0]) if sources else None
        return failure or sock


def _bind(sock: socket.socket, source: str) -> _Failure | None:
    try:
        sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError as error:
        sock.close()
        return _Failure(Fault.SOURCE_UNUSABLE, f"cannot use {source} as source: {in_words(error)}")
    return None


def _judge_peer(sock: socket.socket, ip: str) -> _Failure | None:
    """The address connected is the one that was judged, or nothing is said to it."""
    peer = str(sock.getpeername()[0])
    if ip_address(peer) == ip_address(ip):
        return None
    return _Failure(Fault.FORBIDDEN_NETWORK, f"connected to {peer} in place of {ip}")
