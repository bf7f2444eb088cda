"""The file that results go to: begun, or gone on with where an earlier run stopped.

Not here: what its rows look like (writing.py).
"""

import asyncio
import errno
import fcntl
import os
import stat
import sys
from pathlib import Path

from ...errors import UsageError
from ...values.text import printable

STDOUT = "-"

# What a pipe takes at once where it takes anything: the PIPE_BUF of Linux.
_PIECE_BYTES = 4_096
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Output:
    """What is written is first compared with what an earlier run has left, and begins after it.

    So a run that goes on ends with the octets of one that was never interrupted, even where a row was
    torn, and a file that is something else stays as it is. It belongs to one run at a time.
    """

    def __init__(self, name: str) -> None:
        """Raises UsageError."""
        self.name = name
        self.shown = "standard output" if name == STDOUT else printable(name)
        self._is_new = name != STDOUT and not os.path.lexists(name)
        self._file = _open(name)
        status = os.fstat(self._file)
        self.is_terminal = os.isatty(self._file)
        self.is_file = name != STDOUT and stat.S_ISREG(status.st_mode)
        # Of what an earlier run has written, so much was not found again yet.
        self._left = status.st_size if self.is_file else 0
        self._end = 0  # of the last complete row

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_new and not self._end:  # refused before it began: nothing is left behind
            Path(self.name).unlink(missing_ok=True)
        os.close(self._file)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands there that was not found again."""
        return not self._left

    def begin_anew(self) -> None:
        """Drop what is there."""
        if self._left:
            os.ftruncate(self._file, 0)
            self._left = 0

    async def write(self, rows: bytes) -> None:
        """Write complete rows. Raises UsageError where something else is there, or there is no room."""
        known = self._read(min(len(rows), self._left))
        if not rows.startswith(known):
            raise self._refused()
        self._left -= len(known)
        await self._append(rows[len(known) :])
        self._end += len(rows)

    def require_found(self) -> None:
        """Raises UsageError if there is more than an earlier run can have written."""
        if not self.is_empty:
            raise self._refused()

    def sync(self) -> None:
        """Have it on disk, and stay. Raises OSError."""
        self._is_new = False
        if self.is_file:
            os.fsync(self._file)

    def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count and (piece := os.read(self._file, count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    async def _append(self, octets: bytes) -> None:
        left = memoryview(octets)
        try:
            while left:
                left = left[await self._write_some(left) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            if self.is_file:
                os.ftruncate(self._file, self._end)  # half a row would be no row
            remedy = "make room" if error.errno in _NO_ROOM else "name another OUT"
            raise UsageError(
                f"{self.shown}: {error.strerror}; what is answered is kept: {remedy}, "
                "and run the same command again"
            ) from None

    async def _write_some(self, octets: memoryview) -> int:
        """Say how much of it was written. A pipe that nobody reads lets others go on meanwhile."""
        if self.is_file or not await _can_wait(self._file):
            return os.write(self._file, octets)
        try:
            return os.write(self._file, octets[:_PIECE_BYTES])  # for so much there is room now
        except BlockingIOError:  # somebody else who has this pipe was faster
            return 0

    def _refused(self) -> UsageError:
        return UsageError(
            f"{self.shown}: it exists, and is not what this list has come to so far; "
            "name another file, or write it anew with --force"
        )


async def _can_wait(descriptor: int) -> bool:
    """Wait until something can be written; False at once for what makes nobody wait."""
    loop, writable = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_writer(descriptor, writable.set)
    except PermissionError:  # epoll takes no regular file, nor some devices
        return False
    try:
        await writable.wait()
    finally:
        loop.remove_writer(descriptor)
    return True


def _open(name: str) -> int:
    if name == STDOUT:
        return os.dup(sys.stdout.fileno())
    try:
        return _open_file(Path(name))
    except BlockingIOError:
        raise UsageError(f"{name}: another run is writing to it; name another file") from None
    except OSError as error:
        remedy = "OUT is a file that this user may write"
        raise UsageError(f"{name}: {error.strerror}; {remedy}") from None


def _open_file(path: Path) -> int:
    """A file that nobody else writes to; or a pipe, which must not be its own reader. Raises OSError."""
    if path.exists() and not path.is_file():
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise
    except OSError:  # a file system without locks
        pass
    return file
