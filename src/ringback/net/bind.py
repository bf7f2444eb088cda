"""Sockets to listen on, and errors that say what to do. Not here: accepting (net/listen.py)."""

import errno
import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from ..errors import UsageError
from ..values.forms import join_host_port, split_host_port
from .trouble import in_words

Socket = socket.socket  # for those who hand one on, and have no business with sockets
UNIX = "unix:"
# How many clients may wait to be accepted: a burst of an MTA's processes, all connecting at once.
BACKLOG = 512

_REMEDIES = {
    errno.EADDRINUSE: "stop the program that listens there (ss -lptn shows it), or take another port",
    errno.EACCES: "take a port from 1024 on, or a directory that this user may write to",
    errno.EPERM: "take a port from 1024 on, or a directory that this user may write to",
    errno.EADDRNOTAVAIL: "take an address of this host (ip address shows them)",
    errno.EAFNOSUPPORT: "take an address of the other family: this host does not have that one",
    errno.ENOENT: "make the directory first",
    errno.ENOTDIR: "take a path whose parents are directories",
    errno.EROFS: "take a directory that can be written to",
}
_OTHER_REMEDY = "take another address"


def open_listener(address: str, unix_mode: int) -> socket.socket:
    """Return a socket bound to "ADDRESS:PORT" or "unix:/path", and listening.

    A Unix socket gets `unix_mode`; one that is left over, and that nobody answers at, is replaced.
    Raises UsageError.
    """
    try:
        if address.startswith(UNIX):
            return _open_unix(Path(address.removeprefix(UNIX)), unix_mode)
        return _open_tcp(address)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, _OTHER_REMEDY)
        raise UsageError(f"cannot listen on {address}: {in_words(error)}; {remedy}") from error


def shown_address(sock: socket.socket) -> str:
    """Return where a socket listens, as `open_listener` takes it and settings spell it."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"{UNIX}{name}"
    return join_host_port(name[0], name[1])


def _split(address: str) -> tuple[str, int]:
    try:
        ip, number = split_host_port(address)
    except ValueError:
        number = None
    if number is None:
        raise UsageError(f"cannot listen on {address!r}: write ADDRESS:PORT or unix:/path")
    return ip, number


def _open_tcp(address: str) -> socket.socket:
    ip, number = _split(address)
    family = socket.AF_INET6 if ip_address(ip).version == 6 else socket.AF_INET

    def bind(sock: socket.socket) -> None:
        # A restart must not wait for the connections of the last run to be forgotten.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # "[::]:1" beside "0.0.0.0:1" are two listeners, not a clash
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((ip, number))

    return _opened(family, bind)


def _open_unix(path: Path, mode: int) -> socket.socket:
    _remove_stale(path)

    def bind(sock: socket.socket) -> None:
        sock.bind(str(path))
        path.chmod(mode)  # nobody can connect before it listens

    return _opened(socket.AF_UNIX, bind)


def _opened(family: int, bind: Callable[[socket.socket], None]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        bind(sock)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path) -> None:
    """Remove the socket of a program that is gone; a file, or a socket that answers, is not ours."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        problem = "is there, and is no socket"
        raise UsageError(f"cannot listen on {UNIX}{path}: a file {problem}; move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)
        try:
            caller.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:  # it listens, and its queue is full
            pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def remove_path(sock: socket.socket) -> None:
    """Remove the path of a Unix socket that listens no more."""
    if sock.family == socket.AF_UNIX:
        with suppress(OSError):  # gone already, or in a directory that is no longer ours
            Path(sock.getsockname()).unlink()
