"""Standard input, however it arrives."""

import asyncio
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.doors.cli.lines import MAX_LINE_BYTES, read_lines, read_stdin
from ringback.errors import UsageError


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue


async def lines_of(descriptor: int) -> list[str]:
    return [line async for line in read_lines(descriptor)]


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (b"", []),
        (b"\n \r\n\n", []),
        (b"a@b\nc@d\n", ["a@b", "c@d"]),
        (b"a@b\r\n\r\n  c@d", ["a@b", "c@d"]),
        ("\ufeffa@b\n\ufeffc@d".encode(), ["a@b", "\ufeffc@d"]),
        (b"\xff@b\n", ["\udcff@b"]),
        (b"a" * MAX_LINE_BYTES, ["a" * MAX_LINE_BYTES]),
    ],
)
async def test_lines_of_a_file(octets: bytes, lines: list[str], tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(octets)
    with path.open("rb") as file:
        assert lines == await lines_of(file.fileno())


async def test_lines_that_drip_from_a_pipe(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    lines = read_lines(reader)
    os.write(writer, b"a@b\nc")
    first = await anext(lines)
    second = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    waited = not second.done()
    os.write(writer, b"@d")
    os.close(writer)

    assert ("a@b", True, "c@d") == (first, waited, await second)
    assert [] == [line async for line in lines]


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_line_without_end_is_refused(end: bytes, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a@b\n" + (MAX_LINE_BYTES + 1) * b"x" + end)
    with path.open("rb") as file, pytest.raises(UsageError, match="line 2: longer than 2000 bytes"):
        await lines_of(file.fileno())


async def test_what_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(UsageError, match="standard input: Is a directory"):
            await lines_of(folder)
    finally:
        os.close(folder)


@pytest.mark.parametrize("stdin", [None, io.StringIO("a@b")])
def test_standard_input_may_be_closed(
    stdin: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(UsageError, match="it is closed"):
        read_stdin()
