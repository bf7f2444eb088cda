"""Standard input, line by line, while other tasks go on. Not here: what the lines mean (checking.py).

Whoever types at a terminal, or pipes slowly, gets his answers meanwhile: no read waits in the event loop, nor
in a thread, which an interrupted command could not leave behind.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

from ...errors import UsageError

# Longer than any address; what is longer is a file that was not meant.
MAX_LINE_BYTES = 2_000
_PIECE_BYTES = 65_536
_BYTE_ORDER_MARK = "\ufeff"  # editors on Windows begin a file with it


def read_stdin() -> AsyncIterator[str]:
    """Read the lines of standard input. Raises UsageError."""
    try:
        number = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # None, where the shell closed it
        raise UsageError("standard input: it is closed; give one address a line") from None
    return read_lines(number)


async def read_lines(descriptor: int) -> AsyncIterator[str]:
    """Yield the lines of a file or pipe, stripped, empty ones left out. Raises UsageError."""
    partial, count = b"", 0
    while octets := await _read(descriptor):
        *lines, partial = (partial + octets).split(b"\n")
        for line in lines:
            count += 1
            if text := _parse(count, line):
                yield text
        _parse(count + 1, partial)
    if text := _parse(count + 1, partial):
        yield text


def _parse(number: int, line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        raise UsageError(
            f"standard input, line {number}: longer than {MAX_LINE_BYTES} bytes; give one address a line"
        )
    text = line.decode("utf-8", "surrogateescape").strip()  # what is no UTF-8 is no address
    return text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text


async def _read(descriptor: int) -> bytes:
    try:
        await _wait_readable(descriptor)
        return os.read(descriptor, _PIECE_BYTES)
    except OSError as error:
        raise UsageError(f"standard input: {error.strerror}; give one address a line") from None


async def _wait_readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except PermissionError:  # epoll takes no regular file, and none makes us wait
        return
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
