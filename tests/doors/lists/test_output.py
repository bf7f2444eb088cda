"""The file that results go to."""

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from ringback.doors.lists.output import STDOUT, Output
from ringback.errors import UsageError

ROWS = b"a,deliverable\nb,unknown\n"


def write(path: Path, *rows: bytes) -> None:
    with Output(str(path)) as output:
        for some in rows:
            output.write(some)
        output.require_found()
        output.sync()


@pytest.mark.parametrize("left", range(len(ROWS) + 1))
def test_whatever_a_killed_run_has_left_the_next_one_completes(tmp_path: Path, left: int) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(ROWS[:left])

    write(path, ROWS[:14], ROWS[14:], b"c,unknown\n")

    assert ROWS + b"c,unknown\n" == path.read_bytes()


@pytest.mark.parametrize("other", [b"a,deliverable\nb,deliverable\n", b"x", ROWS + b"c"])
def test_a_file_that_is_something_else_stays_as_it_is(tmp_path: Path, other: bytes) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(other)

    with pytest.raises(
        UsageError, match=r"out\.csv: it exists, and is not what this list has come"
    ):
        write(path, ROWS)
    assert other == path.read_bytes()


def test_it_is_overwritten_when_that_is_wished(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"something else, and longer than what comes")
    with Output(str(path)) as output:
        assert not output.is_empty
        output.begin_anew()
        output.begin_anew()
        output.write(ROWS)

    assert ROWS == path.read_bytes()


def test_nothing_is_left_of_an_output_that_was_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Output(str(path)) as output:
        assert output.is_empty

    assert not path.exists()


def test_an_output_without_rows_is_a_file_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "out.txt", b"")

    assert b"" == (tmp_path / "out.txt").read_bytes()


def test_a_full_disk_leaves_no_half_row(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.SIG_IGN
    handler = signal.signal(signal.SIGXFSZ, ignored)
    with Output(str(path)) as output:
        output.write(b"a,deliverable\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (18, before[1]))
        try:
            with pytest.raises(UsageError, match="what is answered is kept: make room"):
                output.write(b"b,unknown\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)

    assert b"a,deliverable\n" == path.read_bytes()


def test_standard_output_is_written_to_and_never_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "stdout").open("w+") as stdout:
        stdout.write("before\n")
        stdout.flush()
        monkeypatch.setattr(sys, "stdout", stdout)
        write(Path(STDOUT), ROWS)

    assert b"before\n" + ROWS == (tmp_path / "stdout").read_bytes()


def test_a_reader_that_goes_away_is_no_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)

        with Output(STDOUT) as output, pytest.raises(BrokenPipeError):
            output.write(ROWS)


def test_a_device_that_is_full_is_told() -> None:
    with Output("/dev/full") as output, pytest.raises(UsageError, match="/dev/full: No space left"):
        output.write(ROWS)
