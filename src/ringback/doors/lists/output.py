"""The file that results go to: begun, or gone on with where an earlier run stopped.

Not here: what its rows look like (writing.py).
"""

import os
import stat
import sys
from pathlib import Path

from ...errors import UsageError

STDOUT = "-"


class Output:
    """What is written is first compared with what an earlier run has left, and begins after it.

    So a run that goes on ends with the octets of one that was never interrupted, even where a row was
    torn, and a file that is something else stays as it is.
    """

    def __init__(self, name: str) -> None:
        """Raises OSError."""
        self.name = name
        self.shown = "standard output" if name == STDOUT else name
        self._is_new = name != STDOUT and not Path(name).exists()
        self._file = _open(name)
        status = os.fstat(self._file)
        self._is_file = name != STDOUT and stat.S_ISREG(status.st_mode)
        # Of what an earlier run has written, so much was not found again yet.
        self._left = status.st_size if self._is_file else 0
        self._end = 0  # of the last complete row

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
        if self._is_new and not self._end:  # refused before it began: nothing is left behind
            Path(self.name).unlink(missing_ok=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands there that was not found again."""
        return not self._left

    def begin_anew(self) -> None:
        """Drop what is there."""
        if self._left:
            os.ftruncate(self._file, 0)
            self._left = 0

    def write(self, rows: bytes) -> None:
        """Write complete rows. Raises UsageError where something else is there, or there is no room."""
        known = self._read(min(len(rows), self._left))
        if not rows.startswith(known):
            raise self._refused()
        self._left -= len(known)
        self._append(rows[len(known) :])
        self._end += len(rows)

    def require_found(self) -> None:
        """Raises UsageError if there is more than an earlier run can have written."""
        if not self.is_empty:
            raise self._refused()

    def sync(self) -> None:
        """Have it on disk, and stay. Raises OSError."""
        self._is_new = False
        if self._is_file:
            os.fsync(self._file)

    def _read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while count and (piece := os.read(self._file, count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _append(self, octets: bytes) -> None:
        left = memoryview(octets)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            if self._is_file:
                os.ftruncate(self._file, self._end)  # half a row would be no row
            raise UsageError(
                f"{self.shown}: {error.strerror}; what is answered is kept: make room, "
                "and run the same command again"
            ) from None

    def _refused(self) -> UsageError:
        return UsageError(
            f"{self.shown}: it exists, and is not what this list has come to so far; "
            "name another file, or write it anew with --force"
        )


def _open(name: str) -> int:
    if name == STDOUT:
        return os.dup(sys.stdout.fileno())
    return os.open(Path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
