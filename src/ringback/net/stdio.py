"""Standard input and output without blocking, whatever they are.

asyncio's own pipes will not do: OpenSMTPD gives a filter one socket for both, and asyncio takes whatever
arrives on an output for its end. Not here: what is read and written.
"""

import asyncio
import os
from collections.abc import Callable

READ_BYTES = 65_536

STDIN, STDOUT = 0, 1


class StandardStreams:
    """Reads one descriptor and writes another. One task may read, and any may write."""

    def __init__(self, source: int = STDIN, sink: int = STDOUT) -> None:
        self._source, self._sink = source, sink
        self._turn = asyncio.Lock()
        self._blocking = {fd: os.get_blocking(fd) for fd in (source, sink)}
        for fd in self._blocking:
            os.set_blocking(fd, False)

    def close(self) -> None:
        """Leave the descriptors as they were found: a shell may share them."""
        for fd, blocking in self._blocking.items():
            os.set_blocking(fd, blocking)

    async def read(self) -> bytes:
        """Return what has arrived, b"" at the end. Raises OSError."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._source, READ_BYTES)
            except BlockingIOError:
                await _wait(self._source, loop.add_reader, loop.remove_reader)

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            while octets:
                try:
                    octets = octets[os.write(self._sink, octets) :]
                except BlockingIOError:
                    await _wait(self._sink, loop.add_writer, loop.remove_writer)


async def _wait(
    fd: int, watch: Callable[[int, Callable[[], None]], None], unwatch: Callable[[int], object]
) -> None:
    ready = asyncio.Event()
    watch(fd, ready.set)
    try:
        await ready.wait()
    finally:
        unwatch(fd)
