"""The bare client, against a server that says what the test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ringback.lab.caller import Caller, answering, calling


@asynccontextmanager
async def hearing(*said: bytes) -> AsyncIterator[Caller]:
    """A caller of a server that says one piece at once, and one more after each line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in said:
            writer.write(piece)
            await reader.readline()

    async with answering(serve) as (ip, port), calling(ip, port) as caller:
        yield caller


async def test_replies_of_several_lines_are_heard_whole() -> None:
    async with hearing(b"220-one\r\n220 two\r\n", b"250 ok\r\n") as caller:
        greeting = await caller.hear()
        replies = await caller.ask("NOOP")

    assert "220-one\n220 two" == greeting
    assert ["250 ok"] == replies


async def test_the_end_is_an_empty_reply() -> None:
    async with hearing(b"220 hi\r\n") as caller:
        await caller.hear()
        codes = await caller.codes("QUIT")

    assert [0] == codes


async def test_who_is_still_talked_to_is_dropped_at_the_end() -> None:
    async def never_stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with answering(never_stop) as (ip, port):
        reader, writer = await asyncio.open_connection(ip, port)
        await asyncio.sleep(0)
    end = await reader.read()
    writer.close()

    assert b"" == end
