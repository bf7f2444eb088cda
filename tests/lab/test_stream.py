"""Lines of a connection, however they arrive, within their limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ringback.lab.stream import MAX_LINE_BYTES, MAX_PENDING_BYTES, MAX_RECORDED_BYTES, Stream


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Stream, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Yield the host's side of a connection, and the caller's."""
    loop = asyncio.get_running_loop()
    opened: asyncio.Queue[Stream] = asyncio.Queue()
    server = await loop.create_server(lambda: Stream(opened.put_nowait), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    stream = await opened.get()
    try:
        yield stream, reader, writer
    finally:
        writer.transport.abort()
        stream.abort()
        server.close()
        await asyncio.sleep(0)


async def test_lines_do_not_depend_on_how_the_bytes_arrive() -> None:
    async with connected() as (stream, _, writer):
        writer.write(b"one\r\ntwo\nthr")
        first = [await stream.read_line(), await stream.read_line()]
        whole = stream.has_line
        writer.write(b"ee\r\n")
        third = await stream.read_line()

    assert ["one", "two"] == first
    assert not whole
    assert "three" == third
    assert b"one\r\ntwo\nthree\r\n" == stream.received


async def test_bytes_that_are_no_utf8_survive() -> None:
    async with connected() as (stream, _, writer):
        writer.write(b"\xff\xfe\r\n")
        line = await stream.read_line()

    assert line is not None
    assert b"\xff\xfe" == line.encode("utf-8", "surrogateescape")


async def test_the_end_comes_after_the_last_line() -> None:
    async with connected() as (stream, _, writer):
        writer.write(b"last\r\nhalf")
        writer.write_eof()
        lines = [await stream.read_line(), await stream.read_line()]

    assert ["last", None] == lines
    assert stream.ended


@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_a_line_that_is_too_long_is_the_end(end: bytes) -> None:
    async with connected() as (stream, _, writer):
        writer.write(b"x" * (MAX_LINE_BYTES + 1) + end)

        assert await stream.read_line() is None


async def test_more_than_anybody_reads_resets_the_connection() -> None:
    async with connected() as (stream, reader, writer):
        writer.write(b"x\n" * MAX_PENDING_BYTES)
        with pytest.raises(ConnectionError):
            await writer.drain()
            await reader.read()
            await writer.drain()

    assert len(stream.received) <= MAX_RECORDED_BYTES


async def test_what_is_discarded_is_still_on_record() -> None:
    async with connected() as (stream, _, writer):
        writer.write(b"in vain\r\n")
        writer.write_eof()
        await stream.discard()

    assert b"in vain\r\n" == stream.received


async def test_a_write_waits_for_a_slow_reader_and_gives_up_with_the_connection() -> None:
    async with connected() as (stream, _, writer):
        task = asyncio.create_task(stream.write(b"x" * 50_000_000))
        done, _ = await asyncio.wait([task], timeout=0.01)
        writer.transport.abort()
        await task
        await stream.write(b"nobody is there")

    assert set() == done
