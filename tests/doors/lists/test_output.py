"""The file that results go to."""

import asyncio
import errno
import fcntl
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.doors.lists.output import STDOUT, Output
from ringback.errors import UsageError

ROWS = b"a,deliverable\nb,unknown\n"


async def write(path: Path, *rows: bytes) -> None:
    with Output(str(path)) as output:
        for some in rows:
            await output.write(some)
        output.require_found()
        output.sync()


@pytest.mark.parametrize("left", range(len(ROWS) + 1))
async def test_whatever_a_killed_run_has_left_the_next_one_completes(
    tmp_path: Path, left: int
) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(ROWS[:left])

    await write(path, ROWS[:14], ROWS[14:], b"c,unknown\n")

    assert ROWS + b"c,unknown\n" == path.read_bytes()


@pytest.mark.parametrize("other", [b"a,deliverable\nb,deliverable\n", b"x", ROWS + b"c"])
async def test_a_file_that_is_something_else_stays_as_it_is(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(other)

    with pytest.raises(
        UsageError, match=r"out\.csv: it exists, and is not what this list has come"
    ):
        await write(path, ROWS)
    assert other == path.read_bytes()


async def test_it_is_overwritten_when_that_is_wished(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"something else, and longer than what comes")
    with Output(str(path)) as output:
        assert not output.is_empty
        output.begin_anew()
        output.begin_anew()
        await output.write(ROWS)

    assert ROWS == path.read_bytes()


async def test_nothing_is_left_of_an_output_that_was_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Output(str(path)) as output:
        assert output.is_empty

    assert not path.exists()


async def test_an_output_without_rows_is_a_file_all_the_same(tmp_path: Path) -> None:
    await write(tmp_path / "out.txt", b"")

    assert b"" == (tmp_path / "out.txt").read_bytes()


async def test_a_full_disk_leaves_no_half_row(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.SIG_IGN
    handler = signal.signal(signal.SIGXFSZ, ignored)
    with Output(str(path)) as output:
        await output.write(b"a,deliverable\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (18, before[1]))
        try:
            with pytest.raises(UsageError, match="what is answered is kept: make room"):
                await output.write(b"b,unknown\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    assert b"a,deliverable\n" == path.read_bytes()


async def test_standard_output_is_written_to_and_never_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "stdout").open("w+") as stdout:
        stdout.write("before\n")
        stdout.flush()
        monkeypatch.setattr(sys, "stdout", stdout)
        await write(Path(STDOUT), ROWS)

    assert b"before\n" + ROWS == (tmp_path / "stdout").read_bytes()


async def test_a_reader_that_goes_away_is_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)

        with Output(STDOUT) as output, pytest.raises(BrokenPipeError):
            await output.write(ROWS)


async def test_a_device_that_is_full_is_told() -> None:
    with (
        Output("/dev/full") as output,
        pytest.raises(UsageError, match=r"/dev/full: No space left on device; .* make room"),
    ):
        await output.write(ROWS)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe, to be read and to be written."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def printing_to(writing: int, monkeypatch: pytest.MonkeyPatch) -> Output:
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        return Output(STDOUT)


async def drain(reading: int, count: int) -> bytes:
    octets = b""
    while len(octets) < count:
        if select.select([reading], [], [], 0)[0]:
            octets += os.read(reading, count)
        await asyncio.sleep(0)
    return octets


@pytest.mark.parametrize("blocks", [True, False])
async def test_a_pipe_that_is_full_keeps_nobody_else_waiting(
    monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int], blocks: bool
) -> None:
    reading, writing = pipe
    os.set_blocking(writing, blocks)
    rows = ROWS * 10_000
    with printing_to(writing, monkeypatch) as output:
        assert not output.is_file
        task = asyncio.create_task(output.write(rows))
        read = await drain(reading, len(rows))
        await task

    assert rows == read


async def test_who_waits_for_a_pipe_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    rows = ROWS * 10_000
    with printing_to(pipe[1], monkeypatch) as output:
        task = asyncio.create_task(output.write(rows))
        for _ in range(len(rows) // select.PIPE_BUF):  # by then it is full
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_what_another_writer_was_faster_with_is_written_later(
    monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    written, refusals = os.write, [BlockingIOError()]

    def write_late(file: int, octets: memoryview) -> int:
        if refusals:
            raise refusals.pop()
        return written(file, octets)

    with printing_to(pipe[1], monkeypatch) as output, monkeypatch.context() as late:
        late.setattr("ringback.doors.lists.output.os.write", write_late)
        await output.write(ROWS)

    assert ROWS == os.read(pipe[0], 1_000)


async def test_a_named_pipe_is_not_its_own_reader(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    await write(path, ROWS)

    assert ROWS == os.read(reading, 1_000)
    assert b"" == os.read(reading, 1)  # nobody holds it any more
    os.close(reading)


async def test_two_runs_have_two_files(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Output(str(path)) as output:
        with pytest.raises(
            UsageError, match=r"out\.csv: another run is writing to it; name another"
        ):
            Output(str(path))
        await output.write(ROWS)

    assert ROWS == path.read_bytes()
    await write(path, ROWS)  # it is free again


async def test_a_file_system_without_locks_will_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    await write(tmp_path / "out.csv", ROWS)

    assert ROWS == (tmp_path / "out.csv").read_bytes()


def test_a_link_of_the_users_stays(tmp_path: Path) -> None:
    link = tmp_path / "out.csv"
    link.symlink_to(tmp_path / "elsewhere.csv")
    with Output(str(link)):
        pass

    assert link.is_symlink()


def test_a_folder_is_told_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory; OUT is a file that this user may write"):
        Output(str(tmp_path))


def test_names_are_shown_without_escapes(tmp_path: Path) -> None:
    with Output(str(tmp_path / "a\x1b[2J.csv")) as output:
        assert output.shown.endswith("a\\x1b[2J.csv")


async def test_what_cannot_be_written_to_has_another_remedy(
    monkeypatch: pytest.MonkeyPatch, pipe: tuple[int, int]
) -> None:
    os.close(pipe[1])
    nowhere = os.open(os.devnull, os.O_RDONLY)
    with (
        printing_to(nowhere, monkeypatch) as output,
        pytest.raises(UsageError, match=": name another OUT, and run the same command again"),
    ):
        await output.write(ROWS)
