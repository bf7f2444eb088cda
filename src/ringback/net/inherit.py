"""Sockets that the service manager opened for us: sd_listen_fds(3).

They listen before we start and after we end, so that a restart refuses nobody. Not here: sockets of our
own (bind.py), accepting (listen.py).
"""

import os
import socket
from collections.abc import Collection, Iterator, Mapping
from typing import Self

from ..errors import UsageError
from ..values.record import Record
from .bind import shown_address

# What systemd sets, and where its descriptors begin: sd-daemon.h.
FIRST = 3
_PID, _COUNT, _NAMES = "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"
# More than every door has addresses; a variable that was mistyped by hand does not make us look at millions.
MAX_DESCRIPTORS = 256
_FAMILIES = {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}


class Passed(Record, frozen=True, gc=True):
    """One listening socket, by the name that its unit gives it (FileDescriptorName=)."""

    name: str
    address: str
    sock: socket.socket


class Inherited:
    """The sockets that were passed. They stay open for a later reload that wants them."""

    def __init__(self, passed: Collection[Passed] = ()) -> None:
        self._passed = tuple(passed)

    @classmethod
    def of(cls, environment: Mapping[str, str], first: int = FIRST) -> Self:
        """Take what the environment announces, if it speaks of this process. Raises UsageError."""
        if environment.get(_PID) != str(os.getpid()):
            return cls()
        names = environment.get(_NAMES, "").split(":")
        passed: list[Passed] = []
        try:
            for at in range(_count(environment.get(_COUNT, ""))):
                passed.append(_adopt(first + at, names[at] if at < len(names) else ""))
        except BaseException:
            cls(passed).close()
            raise
        return cls(passed)

    def take_nowait(self, address: str) -> socket.socket | None:
        """Return a socket of its own that listens at `address`, or None where none was passed."""
        for passed in self._passed:
            if passed.address == address:
                return passed.sock.dup()
        return None

    def strays(self, addresses: Collection[str]) -> Iterator[str]:
        """Name each socket at which nobody will answer, since it is at none of `addresses`."""
        for passed in self._passed:
            if passed.address not in addresses:
                named = f" ({passed.name})" if passed.name else ""
                yield f"{passed.address}{named}"

    def close(self) -> None:
        """Close them here; the service manager has its own."""
        for passed in self._passed:
            passed.sock.close()


def _count(written: str) -> int:
    count = int(written) if written.isascii() and written.isdigit() and len(written) < 10 else -1
    if not 0 <= count <= MAX_DESCRIPTORS:
        raise UsageError(f"{_COUNT}: it is no number up to {MAX_DESCRIPTORS}; leave it to systemd")
    return count


def _adopt(descriptor: int, name: str) -> Passed:
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        raise _useless(descriptor) from None
    listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if sock.family not in _FAMILIES or sock.type is not socket.SOCK_STREAM or not listens:
        sock.close()
        raise _useless(descriptor)
    sock.set_inheritable(False)
    sock.setblocking(False)
    return Passed(name, shown_address(sock), sock)


def _useless(descriptor: int) -> UsageError:
    return UsageError(
        f"descriptor {descriptor} of the service manager is no stream socket that listens; "
        "write ListenStream= and Accept=no in its socket unit"
    )
