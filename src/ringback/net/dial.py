"""Calling: the address judged before, a socket with a source address, and a conversation on it.

Not here: connecting (net/connect.py), what is said and how long it may take (net/converse.py), which
networks are forbidden (rules/networks.py), which host to call (rules/routes.py).
"""

import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from ..rules.networks import forbidden, parse_ip, parse_networks
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault
from .clock import TellsTime
from .connect import FAMILIES, Failure, family_of
from .converse import Call, Conversation, Pump
from .tls import opportunistic_context, verifying_context
from .trouble import in_words

# linux/in.h; Python names it from 3.12 on. Without it a bound source address has one port for each
# connection to anywhere, and 28,000 recent ones use them up.
_IP_BIND_ADDRESS_NO_PORT = 24

# Failures of our own machine, whoever was called.
_OUT_OF_MEANS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

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
        sources = [ip_address(text) for text in source_addresses]
        self._sources = {FAMILIES[ip.version]: str(ip) for ip in reversed(sources)}
        self._allowed = parse_networks(allowed_networks)
        self._own = frozenset(ip_address(text) for text in own_addresses)
        self._pump = Pump(clock, tls_context, verifying)

    async def call(self, endpoint: Endpoint, probe: Conversation, patience: Patience) -> None:
        """Connect, let `probe` talk, close. What the network does ends up in the probe."""
        sock = self._open(endpoint)
        if isinstance(sock, Failure):
            probe.lose(sock.fault, sock.detail, self._clock.now())
            return
        call = Call(self._pump, sock, endpoint, probe, patience)
        try:
            call.begin()
            await call.ended
        finally:
            call.end()

    def _open(self, endpoint: Endpoint) -> socket.socket | Failure:
        """Return a socket of the right family, bound to the source address if there is one."""
        reason = None if endpoint.ours else forbidden(endpoint.ip, self._allowed, self._own)
        if reason:
            return Failure(Fault.FORBIDDEN_NETWORK, reason)
        family = family_of(endpoint)
        # To a host of our own, which may see us from elsewhere than the world does, the system chooses.
        sources = {} if endpoint.ours else self._sources
        source = sources.get(family)
        if sources and source is None:
            version = parse_ip(endpoint.ip).version
            return Failure(Fault.REFUSED, f"no source address is configured for IPv{version}")
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            ours = error.errno in _OUT_OF_MEANS
            return Failure(Fault.SOURCE_UNUSABLE if ours else Fault.REFUSED, in_words(error))
        sock.setblocking(False)
        failure = _bind(sock, source) if source else None
        return failure or sock


def _bind(sock: socket.socket, source: str) -> Failure | None:
    try:
        sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError as error:
        sock.close()
        return Failure(Fault.SOURCE_UNUSABLE, f"cannot use {source} as source: {in_words(error)}")
    return None
