"""Logs in files."""

import bz2
import gzip
import io
import lzma
import os
import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringback.doors.log_files import LogFiles
from ringback.errors import UsageError
from ringback.wire.maillog.line import MAX_LINE_BYTES

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
LINE = b"Nov 21 %02d:00:00 mx postfix/smtpd[8]: connect from unknown[192.0.2.1]\n"


def files(*paths: Path | str) -> LogFiles:
    return LogFiles([str(path) for path in paths], NOW, UTC)


def instants(logs: LogFiles) -> list[str]:
    return [datetime.fromtimestamp(event.at, UTC).strftime("%Y %H") for event in logs.events()]


def written(path: Path, octets: bytes, at: float = NOW) -> Path:
    path.write_bytes(octets)
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
)
def test_a_log_is_read_packed_or_not(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    logs = files(written(tmp_path / f"mail.log{suffix}", pack(LINE % 9 + b"noise\n" + LINE % 10)))

    assert ["2026 09", "2026 10"] == instants(logs)
    assert (3, 2) == (logs.lines, logs.told)


def test_files_are_read_in_the_order_of_their_stamps(tmp_path: Path) -> None:
    older = written(tmp_path / "mail.log.1", LINE % 9)
    newer = written(tmp_path / "mail.log", LINE % 10, NOW - 3_600)  # as copies are

    assert ["2026 09", "2026 10"] == instants(files(newer, older))


def test_logs_of_several_hosts_go_side_by_side(tmp_path: Path) -> None:
    first = written(tmp_path / "mx1.log", LINE % 8 + LINE % 10)
    second = written(tmp_path / "mx2.log", LINE % 9 + LINE % 7 + LINE % 11)

    assert ["2026 08", "2026 09", "2026 07", "2026 10", "2026 11"] == instants(files(second, first))


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path / "mail.log", LINE % 9)
    link = tmp_path / "link.log"
    link.symlink_to(path)

    assert ["2026 09"] == instants(files(path, path, link))


def test_the_year_is_of_when_it_was_written(tmp_path: Path) -> None:
    old = written(tmp_path / "mail.log", LINE % 9, NOW - 2 * 365 * 86_400)

    assert ["2024 09"] == instants(files(old))


def test_standard_input_is_one_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE % 8)))
    path = written(tmp_path / "mail.log", LINE % 9)

    assert ["2026 08", "2026 09"] == instants(files("-", path, "-"))


def test_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(UsageError, match="standard input: it is closed"):
        instants(files("-"))


@pytest.mark.parametrize(
    ("suffix", "octets"),
    [
        (".gz", b"no archive"),
        (".gz", gzip.compress(LINE * 9)[:-12]),
        (".gz", gzip.compress(b"x")[:10] + b"\xff" * 99),
        (".xz", b"no archive"),
        (".bz2", bz2.compress(LINE)[:20]),
        (".bz2", b"no archive"),
    ],
)
def test_what_cannot_be_unpacked_is_told(tmp_path: Path, suffix: str, octets: bytes) -> None:
    path = written(tmp_path / f"mail.log{suffix}", octets)

    with pytest.raises(UsageError, match=r"mail\.log.*: it cannot be unpacked"):
        instants(files(path))


def test_a_missing_file_is_the_systems_to_tell(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files(tmp_path / "none")


@pytest.fixture
def few_files() -> Iterator[None]:
    """Room for four more."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as lowest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest.fileno() + 4, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (least, most))


def test_too_many_at_once_are_told(tmp_path: Path, few_files: None) -> None:
    for number in range(32):
        written(tmp_path / f"mail.log.{number}", LINE % 9)

    with pytest.raises(UsageError, match="more logs than may be open at a time"):
        instants(files(*tmp_path.iterdir()))


def test_a_line_without_end_is_one_line(tmp_path: Path) -> None:
    octets = (
        LINE % 9 + b"x" * (3 * MAX_LINE_BYTES + 5) + b"\n" + LINE % 10 + b"y" * 2 * MAX_LINE_BYTES
    )
    logs = files(written(tmp_path / "mail.log", octets))

    assert ["2026 09", "2026 10"] == instants(logs)
    assert 4 == logs.lines


def test_a_file_that_cannot_be_read_is_the_systems_to_tell(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        instants(files(tmp_path))
