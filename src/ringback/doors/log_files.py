"""Mail logs in files → what they tell, line by line, however long they are.

A name that ends in .gz, .xz or .bz2 is unpacked, and "-" is standard input. Not here: what a line says
(wire/maillog/), and what follows from it.
"""

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ..errors import UsageError
from ..values.text import printable
from ..wire.maillog import LogEvent, LogReader
from ..wire.maillog.line import MAX_LINE_BYTES

STDIN = "-"


class _File(Protocol):
    def readline(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


_OPENERS: Mapping[str, Callable[[Path], _File]] = MappingProxyType(
    {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile, ".bz2": bz2.BZ2File}
)
# And an OSError that is not the system's, which has no number.
_BROKEN = (EOFError, lzma.LZMAError, zlib.error)


class LogFiles:
    """The lines of some logs, in the order in which the files were last written; standard input comes last.

    `lines` and `told` count what was read up to now, and what of it told something.
    """

    def __init__(self, names: Sequence[str], now: float, zone: tzinfo | None = None) -> None:
        self.lines = self.told = 0
        self._now, self._zone = now, zone
        self._names = sorted(names, key=_written_at)

    def events(self) -> Iterator[LogEvent]:
        """What the lines tell. Raises UsageError, and OSError for a file that cannot be read."""
        for name in self._names:
            with _opened(name) as file:
                try:
                    yield from self._read(file, min(self._now, _written_at(name)))
                except (*_BROKEN, OSError) as error:
                    if isinstance(error, OSError) and error.errno is not None:
                        raise
                    raise UsageError(
                        f"{printable(name)}: it cannot be unpacked ({error or 'it ends too soon'}); "
                        "give it anew, or unpack it and give what comes of it"
                    ) from None

    def _read(self, file: _File, now: float) -> Iterator[LogEvent]:
        reader = LogReader(now, self._zone)
        for line in _lines(file):
            self.lines += 1
            event = reader.read(line)
            if event is not None:
                self.told += 1
                yield event


def _written_at(name: str) -> float:
    """When a log was written last, which tells the year of its lines. Raises OSError."""
    return float("inf") if name == STDIN else Path(name).stat().st_mtime


@contextmanager
def _opened(name: str) -> Iterator[_File]:
    if name != STDIN:
        path = Path(name)
        with closing(_OPENERS.get(path.suffix, _open)(path)) as file:
            yield file
    elif sys.stdin is None:
        raise UsageError("standard input: it is closed; give the log there, or its name")
    else:
        yield sys.stdin.buffer


def _open(path: Path) -> _File:
    return path.open("rb")


def _lines(file: _File) -> Iterator[bytes]:
    """The lines, cut where one has more than a reader looks at."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)
