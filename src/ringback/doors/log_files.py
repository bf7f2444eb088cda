"""Mail logs in files → what they tell, line by line, however long they are.

A name that ends in .gz, .xz or .bz2 is unpacked, and "-" is standard input. Not here: what a line says
(wire/maillog/), and what follows from it.
"""

import bz2
import errno
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import tzinfo
from heapq import merge
from operator import attrgetter
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
    """The lines of some logs as those of one: in the order of their stamps, whatever they are named.

    Those of several hosts go side by side. Within a file the order of the lines stands, even where its stamps
    go back. `lines` and `told` count what was read up to now, and what of it told something; `unread`, of the
    files that are over, lines whose form is not that of any log.
    """

    def __init__(self, names: Sequence[str], now: float, zone: tzinfo | None = None) -> None:
        """A file that is named twice is read once. Raises OSError for one that is not there."""
        self.lines = self.told = self.unread = 0
        self._now, self._zone = now, zone
        self._names = sorted({_identify(name): name for name in names}.values(), key=_written_at)

    def events(self) -> Iterator[LogEvent]:
        """What the lines tell. Raises UsageError, and OSError for a file that cannot be read."""
        with ExitStack() as stack:
            files = [stack.enter_context(closing(self._events(name))) for name in self._names]
            yield from merge(*files, key=attrgetter("at"))

    def _events(self, name: str) -> Generator[LogEvent, None, None]:
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
        self.unread += reader.unread


def _identify(name: str) -> object:
    """What two names of one file have in common. Raises OSError."""
    if name == STDIN:
        return name
    found = Path(name).stat()
    return found.st_dev, found.st_ino


def _written_at(name: str) -> float:
    """When a log was written last, which tells the year of its lines. Raises OSError."""
    if name == STDIN:
        return float("inf")
    return Path(name).stat().st_mtime or float("inf")  # 0 is what archives write who keep no time


@contextmanager
def _opened(name: str) -> Iterator[_File]:
    if name != STDIN:
        with closing(_open(Path(name))) as file:
            yield file
    elif sys.stdin is None:
        raise UsageError("standard input: it is closed; give the log there, or its name")
    else:
        yield sys.stdin.buffer


def _open(path: Path) -> _File:
    """Raises UsageError where too many are open, and OSError."""
    try:
        return _OPENERS.get(path.suffix, _open_plain)(path)
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        raise UsageError(
            "these are more logs than may be open at a time (`ulimit -n`): "
            "give fewer, or unpack and cat them, the oldest first, into -"
        ) from None


def _open_plain(path: Path) -> _File:
    return path.open("rb")


def _lines(file: _File) -> Iterator[bytes]:
    """The lines, cut where one has more than a reader looks at."""
    while line := file.readline(MAX_LINE_BYTES):
        yield line
        while len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)
