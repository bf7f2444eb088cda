"""A connection begun, and judged when it stands: the address connected is the one that was judged.

Not here: the socket and its source address (net/dial.py), waiting for the connection (net/converse.py).
"""

import errno
import os
import socket

from ..rules.networks import parse_ip
from ..values.endpoint import UNIX, Endpoint
from ..values.evidence import Fault
from ..values.record import Record
from .trouble import in_words

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


class Failure(Record, frozen=True):
    """Why nothing can be said to the host."""

    fault: Fault
    detail: str


def family_of(endpoint: Endpoint) -> socket.AddressFamily:
    if _is_local(endpoint):
        return socket.AF_UNIX
    return FAMILIES[parse_ip(endpoint.ip).version]


def begin_connecting(sock: socket.socket, endpoint: Endpoint) -> bool:
    """Say whether `sock`, which does not block, is connected at once. Raises OSError.

    The loop's own way looks numeric addresses up, in a thread where it is uvloop.
    """
    local = _is_local(endpoint)
    error = sock.connect_ex(
        endpoint.ip.removeprefix(UNIX) if local else (endpoint.ip, endpoint.port)
    )
    if error not in (0, errno.EINPROGRESS):
        raise OSError(error, os.strerror(error))
    return not error or _has_peer(sock)


def _has_peer(sock: socket.socket) -> bool:
    """True where a host next door has answered before connecting returned."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def judge_connection(sock: socket.socket, endpoint: Endpoint) -> Failure | None:
    """Say why nothing is to be said on `sock`, now that it is connected or will not be."""
    if _is_local(endpoint):
        return None
    try:
        peer, ip = str(sock.getpeername()[0]), endpoint.ip
    except OSError as error:
        return _why_not(sock, error)
    if peer == ip or parse_ip(peer) == parse_ip(ip):
        return None
    return Failure(Fault.FORBIDDEN_NETWORK, f"connected to {peer} in place of {ip}")


def _why_not(sock: socket.socket, has_no_peer: OSError) -> Failure:
    """Ask the socket why its connection did not come about, or is gone again."""
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    error = OSError(number, os.strerror(number)) if number else has_no_peer
    fault = Fault.TIMEOUT if isinstance(error, TimeoutError) else Fault.REFUSED
    return Failure(fault, in_words(error))


def _is_local(endpoint: Endpoint) -> bool:
    """True for a socket in the file system, which only a host of our own may be."""
    return endpoint.ours and endpoint.ip.startswith(UNIX)
