"""The file of a list: opened, looked at, and read line by line as often as it is wanted.

A file that nobody can mean is refused by name before anything is asked. Not here: rows (texts.py, tables.py,
objects.py), and which of those a file is made of (listing.py).
"""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ...errors import UsageError

STDIN = "-"
# The longest of lines that lists have hold a page of text; a megabyte is one that was never ended.
MAX_LINE_CHARS = 1_048_576
_HEAD_BYTES = 16_384
# Of what comes through a pipe, which has to be kept: some ten million people.
MAX_PIPED_BYTES = 1 << 30
_PIECE_BYTES = 1 << 20
_BYTE_ORDER_MARK = "\ufeff".encode()

# What a file begins with, what it is then, and the way to a list.
_NO_LISTS = (
    (b"\xff\xfe", "UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16", "save it as UTF-8"),
    (b"PAR1", "Parquet", "that comes with a later version; export it as CSV"),
    (b"PK\x03\x04", "a spreadsheet or an archive", "export it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "export it as CSV"),
    (b"\x1f\x8b", "compressed", "unpack it, or pipe it: zcat FILE | ringback bulk - …"),
    (b"\xfd7zXZ\x00", "compressed", "unpack it, or pipe it: xzcat FILE | ringback bulk - …"),
    (b"BZh", "compressed", "unpack it, or pipe it: bzcat FILE | ringback bulk - …"),
    (b"\x28\xb5\x2f\xfd", "compressed", "unpack it, or pipe it: zstdcat FILE | ringback bulk - …"),
    (b"%PDF-", "PDF", "export it as CSV"),
)


class Source:
    """A list's file. `close` lets go of it; as a context it does so itself."""

    def __init__(self, file: BinaryIO, shown: str) -> None:
        """Raises UsageError for what is no list. `shown`: how it is called in messages."""
        self.shown = shown
        self._file = file
        head = file.read(_HEAD_BYTES)
        self.has_mark = head.startswith(_BYTE_ORDER_MARK)  # which its output gets, too
        self.head = head.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace")
        self._was = self._version()
        try:
            self._refuse_others(head)
        except UsageError:
            self.close()
            raise

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line with its number and its line end, from the first. One reader at a time.

        Line ends are LF, CR LF or CR; octets that are no UTF-8 come as surrogates. Raises UsageError.
        """
        os.lseek(self._file.fileno(), len(_BYTE_ORDER_MARK) if self.has_mark else 0, os.SEEK_SET)
        with open(
            self._file.fileno(),
            encoding="utf-8",
            errors="surrogateescape",
            newline="",
            closefd=False,
        ) as text:
            read = iter(partial(text.readline, MAX_LINE_CHARS), "")
            for number, line in enumerate(read, start=1):
                if len(line) == MAX_LINE_CHARS:
                    raise self.mistake(number, "longer than 1 MiB", "is this a list?")
                yield number, line
        self.require_unchanged()

    def require_unchanged(self) -> None:
        """Raises UsageError where somebody has written to the file since it was opened."""
        if self._version() != self._was:
            raise UsageError(
                f"{self.shown}: it changed while it was read, and is another list now; "
                "begin that one with another OUT"
            )

    def mistake(self, number: int, problem: str, remedy: str) -> UsageError:
        """What to raise for line `number`."""
        return UsageError(f"{self.shown}, line {number}: {problem}; {remedy}")

    def _refuse_others(self, head: bytes) -> None:
        for start, what, remedy in _NO_LISTS:
            if head.startswith(start):
                raise UsageError(f"{self.shown}: this is {what}; {remedy}")
        # Every other octet of Latin text in UTF-16 is one; in UTF-8 they come by accident.
        if head.count(0) > len(head) // 4:
            raise UsageError(f"{self.shown}: this is UTF-16, or no text; save it as UTF-8")

    def _version(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns


def open_source(name: str, beside: Path) -> Source:
    """Open FILE, or standard input, which is copied into a nameless file in `beside`. Raises UsageError."""
    if name == STDIN:
        return Source(_spooled(_stdin(), beside, "standard input"), "standard input")
    path = Path(name)
    if path.suffix.lower() == ".parquet":
        raise UsageError(f"{name}: Parquet comes with a later version; export it as CSV")
    try:
        file: BinaryIO = path.open("rb")
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Source(file, name)
    except OSError as error:
        remedy = "FILE is one that this user can read"
        raise UsageError(f"{name}: {error.strerror}; {remedy}") from None
    with file:  # a pipe, which is read but once
        return Source(_spooled(file, beside, name), name)


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise UsageError("standard input: it is closed; name a file")
    return sys.stdin.buffer


def _spooled(pipe: BinaryIO, folder: Path, shown: str) -> BinaryIO:
    with ExitStack() as stack:
        try:
            # It has no name, so nothing is left behind, however this ends.
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            for piece in iter(partial(pipe.read, _PIECE_BYTES), b""):
                file.write(piece)
                if file.tell() > MAX_PIPED_BYTES:
                    raise UsageError(f"{shown}: longer than 1 GiB; name a file")
            file.seek(0)  # which writes what is held back, too
        except OSError as error:
            remedy = "it is kept there while it is worked on: name an OUT elsewhere, or a FILE"
            raise UsageError(f"{shown}: {folder}: {error.strerror}; {remedy}") from None
        stack.pop_all()
        return file
