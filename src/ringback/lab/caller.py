"""A bare SMTP client for tests, and a bare server for what is no mail host. Not here: any rule of SMTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

# Bounds a reply that a host of the lab draws out without end.
MAX_LINE_BYTES = 1_048_576


class Caller:
    """One connection. Replies are text with their codes, lines joined by LF; "" is the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hear(self) -> str:
        """Return one reply."""
        lines = []
        while line := (await self.reader.readline()).decode("utf-8", "backslashreplace"):
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def say(self, *lines: str) -> None:
        """Send lines in one flight."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def ask(self, *lines: str) -> list[str]:
        """Say the lines one by one, each after the answer to the one before."""
        heard = []
        for line in lines:
            self.say(line)
            heard.append(await self.hear())
        return heard

    async def codes(self, *lines: str) -> list[int]:
        """As `ask`, but only the code of each reply; 0 for none."""
        return [int(reply[:3] or 0) for reply in await self.ask(*lines)]


@asynccontextmanager
async def calling(ip: str, port: int) -> AsyncIterator[Caller]:
    """Connect, and drop the connection at the end. Raises OSError."""
    reader, writer = await asyncio.open_connection(ip, port, limit=MAX_LINE_BYTES)
    try:
        yield Caller(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the transport closes its socket in the next turn of the loop


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(serve: Serve, *, unix_path: str = "") -> AsyncIterator[tuple[str, int]]:
    """Let `serve` talk to each who connects, on loopback or at `unix_path`; yield address and port.

    At the end whoever is still talked to is dropped. A peer that goes away ends `serve` quietly.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(talk(reader, writer)))

    if unix_path:
        server = await asyncio.start_unix_server(admit, unix_path)
    else:
        server = await asyncio.start_server(admit, "127.0.0.1", 0)
    try:
        yield ("", 0) if unix_path else server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
