"""A network with nothing but a loopback in it, for this process and all that it starts.

Every port is free there, and no mail of a test can leave. Linux only; needs root. Not here: the
servers that listen in it (box.py).
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x4000_0000  # linux/sched.h
_SIOCSIFFLAGS = 0x8914  # linux/sockios.h
_IFF_UP = 0x1

_OUR_NETWORK = Path("/proc/thread-self/ns/net")
# Python has os.unshare and os.setns from 3.12 on.
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def private_network() -> Iterator[int]:
    """Move this thread to a network of its own; yield a descriptor of the one it came from."""
    outside = os.open(_OUR_NETWORK, os.O_RDONLY)
    try:
        _must(_libc.unshare(_CLONE_NEWNET), "unshare")
        _raise_loopback()
        yield outside
    finally:
        _must(_libc.setns(outside, _CLONE_NEWNET), "setns")
        os.close(outside)


@contextmanager
def visiting(network: int) -> Iterator[None]:
    """Go to `network` for a while: to fetch a package, say."""
    here = os.open(_OUR_NETWORK, os.O_RDONLY)
    try:
        _must(_libc.setns(network, _CLONE_NEWNET), "setns")
        yield
    finally:
        _must(_libc.setns(here, _CLONE_NEWNET), "setns")
        os.close(here)


def _raise_loopback() -> None:
    request = struct.pack("16sh14x", b"lo", _IFF_UP)  # struct ifreq
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def _must(status: int, what: str) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
