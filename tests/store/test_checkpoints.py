"""Who moves what is committed, and when."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import pytest

from ringback.store import checkpoints
from ringback.store.checkpoints import EVERY_ROWS, MOST_TIMES, Checkpointer
from ringback.store.database import prepare


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        yield connection


@pytest.fixture
def subject(path: Path, writer: sqlite3.Connection) -> Iterator[Checkpointer]:
    made = Checkpointer(prepare(path).connect())
    yield made
    made.close()

    assert not _threads()


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if "checkpoints" in each.name]


def _wait_until(happened: Callable[[], bool]) -> None:
    give_up_at = monotonic() + 5.0
    while not happened():
        assert monotonic() < give_up_at


def _write(connection: sqlite3.Connection, rows: int) -> None:
    row = ("x" * 3_000,)
    connection.executemany(
        "INSERT INTO entry VALUES (hex(randomblob(9)), '', '', 0, 0, ?)", [row] * rows
    )


def test_what_is_committed_is_moved_by_another_thread(
    path: Path, writer: sqlite3.Connection, subject: Checkpointer
) -> None:
    said: list[str] = []
    before = path.stat().st_size
    _write(writer, EVERY_ROWS)
    writer.set_trace_callback(said.append)
    subject.note(writer)
    _wait_until(lambda: not subject.is_moving)

    assert path.stat().st_size - before > EVERY_ROWS * 3_000
    assert [] == said


def test_few_rows_are_left_for_later(
    path: Path, writer: sqlite3.Connection, subject: Checkpointer
) -> None:
    before = path.stat().st_size
    _write(writer, 9)
    subject.note(writer)

    assert not subject.is_moving
    assert before == path.stat().st_size


@pytest.mark.parametrize(("journal_pages", "finishes"), [(0, True), (1_000_000, False)])
def test_a_journal_that_would_have_no_end_is_finished_by_who_writes_it(
    writer: sqlite3.Connection,
    subject: Checkpointer,
    monkeypatch: pytest.MonkeyPatch,
    journal_pages: int,
    finishes: bool,
) -> None:
    monkeypatch.setattr(checkpoints, "JOURNAL_PAGES", journal_pages)
    versions = count()
    monkeypatch.setattr(checkpoints, "data_version", lambda _: next(versions))  # all the time
    said: list[str] = []
    _write(writer, EVERY_ROWS)
    subject.note(writer)
    _wait_until(lambda: not subject.is_moving)
    writer.set_trace_callback(said.append)
    for _ in range(2):
        subject.note(writer)

    assert finishes == any("wal_checkpoint" in each for each in said)
    assert len(said) <= 1


def test_a_disk_that_fails_is_tried_again(path: Path, writer: sqlite3.Connection) -> None:
    broken = prepare(path).connect()
    broken.close()
    subject = Checkpointer(broken)
    for _ in range(2):
        _write(writer, EVERY_ROWS)
        subject.note(writer)
        assert _threads()
        _wait_until(lambda: not subject.is_moving)
    subject.close()


def test_what_comes_during_a_move_is_moved_by_another(
    writer: sqlite3.Connection, subject: Checkpointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    def hold(_: sqlite3.Connection) -> int:
        begun.release()
        may_go_on.acquire(timeout=5.0)
        return 0

    monkeypatch.setattr(checkpoints, "JOURNAL_PAGES", 1_000_000)
    monkeypatch.setattr(checkpoints, "data_version", hold)
    _write(writer, EVERY_ROWS)
    subject.note(writer)
    assert begun.acquire(timeout=5.0)
    _write(writer, EVERY_ROWS)
    subject.note(writer)
    may_go_on.release()
    _wait_until(lambda: not subject.is_moving)
    subject.note(writer)

    assert begun.acquire(timeout=5.0)
    assert subject.is_moving
    may_go_on.release()
    _wait_until(lambda: not subject.is_moving)


def test_closing_waits_for_one_step_and_not_for_all(
    writer: sqlite3.Connection, subject: Checkpointer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    versions: list[int] = []

    def change(_: sqlite3.Connection) -> int:
        begun.set()
        sleep(0.1)
        versions.append(len(versions))
        return len(versions)

    monkeypatch.setattr(checkpoints, "JOURNAL_PAGES", 0)
    monkeypatch.setattr(checkpoints, "data_version", change)
    _write(writer, EVERY_ROWS)
    subject.note(writer)
    assert begun.wait(5.0)
    subject.close()

    assert len(versions) < 2 * MOST_TIMES


def test_a_bug_in_a_move_is_told_once(
    path: Path,
    writer: sqlite3.Connection,
    subject: Checkpointer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bug = MemoryError()

    def fail(_: sqlite3.Connection) -> int:
        raise bug

    told = []
    with monkeypatch.context() as failing:
        failing.setattr(checkpoints, "data_version", fail)
        _write(writer, EVERY_ROWS)
        told.append(subject.note(writer))
        _wait_until(lambda: not subject.is_moving)
    before = path.stat().st_size
    for _ in range(2):
        _write(writer, EVERY_ROWS)
        told.append(subject.note(writer))
        _wait_until(lambda: not subject.is_moving)

    assert [None, bug, None] == told
    assert path.stat().st_size - before > EVERY_ROWS * 3_000


@pytest.mark.parametrize("closes", [True, False])
def test_a_bug_in_the_last_move_is_told_as_well(
    path: Path, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    bug = MemoryError()

    def fail(_: sqlite3.Connection) -> int:
        raise bug

    monkeypatch.setattr(checkpoints, "data_version", fail)
    subject = Checkpointer(prepare(path).connect())
    _write(writer, EVERY_ROWS)
    subject.note(writer)
    _wait_until(lambda: not subject.is_moving)
    told = [] if closes else [subject.note(writer)]
    told.append(subject.close())

    assert ([bug] if closes else [bug, None]) == told
