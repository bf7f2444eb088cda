"""Connecting: the address judged, the source address bound, a deadline over it.

Not here: what is said on the connection (net/converse.py), which networks are forbidden
(rules/networks.py), which host to call (rules/routes.py).
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from ..rules.networks import forbidden, parse_ip, parse_networks
from ..values.endpoint import UNIX, Endpoint, Patience
from ..values.evidence import Fault
from .clock import TellsTime
from .converse import Conversation, Pump
from .tls import opportunistic_context, verifying_context
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
        verifying: Callable[[], ssl.SSLContext] = verifying_context,
    ) -> None:
        self._clock = clock
        self._sources = [str(ip_address(text)) for text in source_addresses]
        self._allowed = parse_networks(allowed_networks)
        self._own = frozenset(ip_address(text) for text in own_addresses)
        self._pump, self._verifying_pump = Pump(clock, tls_context), Pump(clock, verifying)

    async def call(self, endpoint: Endpoint, probe: Conversation, patience: Patience) -> None:
        """Connect, let `probe` talk, close. What the network does ends up in the probe."""
        whole_at = asyncio.get_running_loop().time() + patience.whole_s
        reason = None if endpoint.ours else forbidden(endpoint.ip, self._allowed, self._own)
        if reason:
            probe.lose(Fault.FORBIDDEN_NETWORK, reason, self._clock.now())
            return
        end = await self._connect(endpoint, min(patience.stage_s, patience.whole_s))
        if isinstance(end, _Failure):
            probe.lose(end.fault, end.detail, self._clock.now())
            return
        pump = self._verifying_pump if endpoint.verified else self._pump
        call = pump.begin(end, probe, endpoint.host, patience.stage_s, whole_at)
        try:
            await call.ended
        finally:
            call.end()

    async def _connect(self, endpoint: Endpoint, wait_s: float) -> socket.socket | _Failure:
        sock = self._open(endpoint)
        if isinstance(sock, _Failure):
            return sock
        failure: _Failure | None = None
        try:
            async with asyncio.timeout(wait_s):
                await _wait_connected(sock, _place(endpoint))
            failure = _judge_peer(sock, endpoint)
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

    def _open(self, endpoint: Endpoint) -> socket.socket | _Failure:
        """Return a socket of the right family, bound to the source address if there is one."""
        family = _family(endpoint)
        # To a host of our own, which may see us from elsewhere than the world does, the system chooses.
        chosen = [] if endpoint.ours else self._sources
        sources = [text for text in chosen if _FAMILIES[parse_ip(text).version] == family]
        if chosen and not sources:
            version = parse_ip(endpoint.ip).version
            return _Failure(Fault.REFUSED, f"no source address is configured for IPv{version}")
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            ours = error.errno in _OUT_OF_MEANS
            return _Failure(Fault.SOURCE_UNUSABLE if ours else Fault.REFUSED, in_words(error))
        sock.setblocking(False)
        failure = _bind(sock, sources[0]) if sources else None
        return failure or sock


async def _wait_connected(sock: socket.socket, place: str | tuple[str, int]) -> None:
    """Connect. Raises OSError.

    The loop's own way looks numeric addresses up, in a thread where it is uvloop.
    """
    error = sock.connect_ex(place)
    if error == errno.EINPROGRESS:
        loop = asyncio.get_running_loop()
        writable: asyncio.Future[None] = loop.create_future()
        loop.add_writer(sock, _wake, writable)
        try:
            await writable
        finally:
            loop.remove_writer(sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))


def _wake(writable: asyncio.Future[None]) -> None:
    if not writable.done():
        writable.set_result(None)


def _bind(sock: socket.socket, source: str) -> _Failure | None:
    try:
        sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError as error:
        sock.close()
        return _Failure(Fault.SOURCE_UNUSABLE, f"cannot use {source} as source: {in_words(error)}")
    return None


_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def _is_local(endpoint: Endpoint) -> bool:
    """True for a socket in the file system, which only a host of our own may be."""
    return endpoint.ours and endpoint.ip.startswith(UNIX)


def _family(endpoint: Endpoint) -> socket.AddressFamily:
    if _is_local(endpoint):
        return socket.AF_UNIX
    return _FAMILIES[parse_ip(endpoint.ip).version]


def _place(endpoint: Endpoint) -> str | tuple[str, int]:
    if _is_local(endpoint):
        return endpoint.ip.removeprefix(UNIX)
    return endpoint.ip, endpoint.port


def _judge_peer(sock: socket.socket, endpoint: Endpoint) -> _Failure | None:
    """The address connected is the one that was judged, or nothing is said to it."""
    if _is_local(endpoint):
        return None
    peer, ip = str(sock.getpeername()[0]), endpoint.ip
    if peer == ip or parse_ip(peer) == parse_ip(ip):
        return None
    return _Failure(Fault.FORBIDDEN_NETWORK, f"connected to {peer} in place of {ip}")
