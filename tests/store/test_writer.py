"""The thread that writes: batches, errands in order, sweeping, and what it says when the disk fails."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.rules.waiting import Wait
from ringback.store import database, writer
from ringback.store.checkpoints import Checkpointer
from ringback.store.complaints import Complaints
from ringback.store.database import data_version, prepare
from ringback.store.session import begin
from ringback.store.sweeper import FIRST_ROWS, Sweeper
from ringback.store.writer import Writer
from ringback.values.events import Event, Trouble
from ringback.values.facts import Fact

Open = Callable[[], Writer]


class Foreign:
    """Counts how often the writer noticed another process."""

    def __init__(self) -> None:
        self.writes = 0

    def note(self) -> None:
        self.writes += 1


@pytest.fixture
def foreign() -> Foreign:
    return Foreign()


@pytest.fixture
async def open_writer(path: Path, now: list[float], told: list[Event], foreign: Foreign) -> Open:
    def open_one() -> Writer:
        file = prepare(path)
        complaints = Complaints("store", told.append, lambda: now[0])
        connection = file.connect()
        session = begin(file, connection, "one run", lambda: 0.0)
        version = data_version(connection)
        sweeper = Sweeper(lambda: now[0], count(1.0).__next__, 9e9)
        checkpoints = Checkpointer(file.connect())
        return Writer(
            file, connection, version, session, complaints, sweeper, checkpoints, foreign.note
        )

    return open_one


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """What another process would have: a connection of its own."""
    prepare(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def _save(writer: Writer, entry: Entry) -> None:
    writer.save(lambda batch: batch.entries.update({entry.key: entry}))


def _count(connection: sqlite3.Connection, table: str = "entry") -> int:
    number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def _remove(path: Path) -> None:
    path.unlink()


async def _wait_until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            if happened():
                return
            await asyncio.sleep(0)


def _have_it_wait_to_be_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "POLL_S", 60.0)
    monkeypatch.setattr(writer, "REST_S", 60.0)


def _have_it_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is saved waits for company longer than the test takes."""
    monkeypatch.setattr(writer, "LINGER_S", 60.0)
    monkeypatch.setattr(writer, "LATEST_S", 60.0)
    _have_it_wait_to_be_woken(monkeypatch)


async def _flush(writer: Writer) -> None:
    await writer.run(lambda _: None)


async def test_what_is_saved_is_committed_without_being_asked(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_it_wait_to_be_woken(monkeypatch)
    subject = open_writer()
    _save(subject, entry)
    await _wait_until(lambda: _count(other) == 1)
    await subject.close()

    assert (0, 0) == tuple(map(len, subject.uncommitted()))


async def test_closing_commits_what_is_saved(
    open_writer: Open, other: sqlite3.Connection, entry: Entry
) -> None:
    subject = open_writer()
    _save(subject, entry)
    await subject.close()

    assert 1 == _count(other)


async def test_ten_thousand_saves_are_few_transactions(
    open_writer: Open, other: sqlite3.Connection, entry: Entry
) -> None:
    subject = open_writer()
    small = entry.but(because=None, evidence=())
    for number in range(10_000):
        _save(subject, small.but(key=f"{number}@example.org"))
        if number % 100 == 0:
            await asyncio.sleep(0)
    await subject.close()

    assert 10_000 == _count(other)
    assert subject.commits <= 100


CHARGE = Charge("host", Rate(4), "callouts")  # one at once


async def _spend(writer: Writer) -> Charge | None:
    return await writer.spend(lambda budgets: budgets.spend((CHARGE,), None, 0.0))


async def test_what_is_saved_waits_for_company_while_others_spend(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_it_gather(monkeypatch)
    subject = open_writer()
    _save(subject, entry)
    used_up = await _spend(subject)
    written = [_count(other, table) for table in ("entry", "budget")]
    newer, _ = subject.uncommitted()
    await subject.close()

    assert used_up is None
    assert [0, 1] == written
    assert [entry.key] == [*newer.entries]
    assert 1 == _count(other)


async def test_closing_commits_what_is_gathered_with_what_is_spent(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_it_gather(monkeypatch)
    subject = open_writer()
    _save(subject, entry)
    spending = asyncio.ensure_future(_spend(subject))
    await asyncio.sleep(0)
    await subject.close()

    assert await spending is None
    assert 1 == _count(other)


async def test_what_is_saved_after_somebody_spends_waits_for_company_as_well(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_it_gather(monkeypatch)
    begun, may_go_on = threading.Event(), threading.Event()
    subject = open_writer()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        may_go_on.wait(5.0)

    errand = asyncio.ensure_future(subject.run(hold))
    await _wait_until(begun.is_set)
    spending = asyncio.ensure_future(_spend(subject))
    await asyncio.sleep(0)
    _save(subject, entry)
    may_go_on.set()
    await asyncio.gather(errand, spending)
    written = _count(other)
    await subject.close()

    assert [0, 1] == [written, _count(other)]


async def test_after_a_loss_nobody_spends_until_what_is_saved_can_be_written(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _have_it_gather(monkeypatch)
    subject = open_writer()
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE (ABORT, 'full'); END"
    )
    _save(subject, entry)
    with pytest.raises(StoreError, match="full"):
        await _flush(subject)
    subject.save(lambda batch: batch.charges.append((CHARGE, 0.0)))
    await _spend(subject)  # what is charged still finds room
    _save(subject, entry)
    with pytest.raises(StoreError, match="full"):
        await _spend(subject)
    other.execute("DROP TRIGGER full")
    _save(subject, entry)
    await _spend(subject)
    _save(subject, entry.but(key="next@example.org"))
    await _spend(subject)
    written = _count(other)
    await subject.close()

    assert [1, 2] == [written, _count(other)]


async def test_what_has_had_its_time_for_company_goes_with_what_is_spent_next(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "LINGER_S", 0.0)
    monkeypatch.setattr(writer, "LATEST_S", 60.0)
    subject = open_writer()
    _save(subject, entry)
    await _spend(subject)
    written = [_count(other, table) for table in ("entry", "budget")]
    await subject.close()

    assert [1, 1] == written
    assert 1 == subject.commits


async def test_what_is_saved_is_committed_in_time_whoever_spends_meanwhile(
    open_writer: Open, other: sqlite3.Connection, entry: Entry
) -> None:
    subject = open_writer()
    _save(subject, entry)
    async with asyncio.timeout(5):
        while not _count(other):
            await _spend(subject)
    await subject.close()

    assert 1 == _count(other)


async def test_what_has_been_charged_counts_for_whoever_spends_next(
    open_writer: Open, other: sqlite3.Connection, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _have_it_gather(monkeypatch)
    subject = open_writer()
    subject.save(lambda batch: batch.charges.append((CHARGE, 0.0)))
    _save(subject, entry)
    used_up = await _spend(subject)
    written = _count(other)
    await subject.close()

    assert CHARGE == used_up
    assert [0, 1] == [written, _count(other)]


async def test_who_spends_beside_an_errand_takes_along_what_was_saved(
    open_writer: Open, other: sqlite3.Connection, entry: Entry
) -> None:
    subject = open_writer()
    _save(subject, entry)
    found, used_up = await asyncio.gather(subject.run(_count), _spend(subject))
    await subject.close()

    assert (1, None) == (found, used_up)
    assert 1 == subject.commits


async def test_an_errand_finds_what_was_saved_before_it(open_writer: Open, entry: Entry) -> None:
    subject = open_writer()
    _save(subject, entry)

    assert 1 == await subject.run(_count)
    await subject.close()


async def test_an_errand_that_nobody_waits_for_any_more_is_left_undone(
    open_writer: Open, other: sqlite3.Connection, entry: Entry
) -> None:
    done: list[str] = []
    subject = open_writer()
    errand = asyncio.create_task(subject.run(lambda _: done.append("first")))
    other.execute("BEGIN IMMEDIATE")
    _save(subject, entry)
    await asyncio.sleep(0)
    errand.cancel()
    with pytest.raises(asyncio.CancelledError):
        await errand
    other.execute("ROLLBACK")
    await subject.run(lambda _: done.append("second"))
    await subject.close()

    assert "second" == done[-1]


async def test_an_errand_that_fails_is_a_store_error_and_harms_nobody(open_writer: Open) -> None:
    subject = open_writer()
    with pytest.raises(StoreError, match="no such table: nowhere"):
        await subject.run(lambda connection: _count(connection, "nowhere"))

    assert 0 == await subject.run(_count)
    await subject.close()


async def test_a_bug_in_an_errand_ends_the_writer_loudly_and_leaves_nobody_waiting(
    open_writer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud: list[object] = []
    monkeypatch.setattr("threading.excepthook", lambda hook: loud.append(hook.exc_type))
    subject = open_writer()

    def divide(_: sqlite3.Connection) -> float:
        return 1 / 0

    results = await asyncio.gather(subject.run(divide), subject.run(_count), return_exceptions=True)
    await subject.close()
    await _wait_until(lambda: bool(loud))

    assert [StoreError, StoreError] == [type(result) for result in results]
    with pytest.raises(StoreError, match="it was closed"):
        await subject.run(_count)
    assert [ZeroDivisionError] == loud


async def test_saves_wait_while_another_process_holds_the_lock(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    told: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    subject = open_writer()
    other.execute("BEGIN IMMEDIATE")
    _save(subject, entry)
    with pytest.raises(StoreError, match="another program keeps it locked"):
        await _flush(subject)

    newer, older = subject.uncommitted()
    assert [entry.key] == [*newer.entries, *older.entries]
    assert [Trouble] == [type(event) for event in told]
    assert "saves wait" in str(told[0])

    other.execute("ROLLBACK")
    await _flush(subject)
    await subject.close()

    assert 1 == _count(other)


async def test_what_waited_for_the_lock_is_tried_again_without_being_asked(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    told: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    _have_it_wait_to_be_woken(monkeypatch)
    subject = open_writer()
    other.execute("BEGIN IMMEDIATE")
    _save(subject, entry)
    await _wait_until(lambda: bool(told))
    other.execute("ROLLBACK")
    await _wait_until(lambda: _count(other) == 1)
    await subject.close()

    assert 1 == _count(other)


async def test_what_still_waits_for_the_lock_at_the_end_is_reported_lost(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    told: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    subject = open_writer()
    other.execute("BEGIN IMMEDIATE")
    _save(subject, entry)
    await subject.close()
    await asyncio.sleep(0)

    assert any("saves were lost" in str(event) for event in told)


async def test_a_disk_that_takes_nothing_does_not_fill_the_memory(
    open_writer: Open, entry: Entry, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_PENDING", 3)
    _have_it_gather(monkeypatch)
    subject = open_writer()
    for number in range(5):
        _save(subject, entry.but(key=f"{number}@example.org"))

    assert 3 == len(subject.uncommitted()[0])
    assert 1 == len(told)
    assert "cannot keep up" in str(told[0])

    await subject.close()


async def test_a_save_after_the_end_is_reported_lost(
    open_writer: Open, entry: Entry, told: list[Event]
) -> None:
    subject = open_writer()
    await subject.close()
    _save(subject, entry)

    assert "it was closed before them" in str(told[0])


async def test_a_record_that_is_not_unicode_is_reported_and_the_rest_committed(
    open_writer: Open, other: sqlite3.Connection, entry: Entry, told: list[Event]
) -> None:
    subject = open_writer()
    _save(subject, entry.but(key="\ud800"))
    _save(subject, entry)
    await subject.close()
    await asyncio.sleep(0)

    assert 1 == _count(other)
    assert "1 records are not Unicode text" in str(told[0])


async def test_only_what_others_write_is_noticed(
    open_writer: Open, other: sqlite3.Connection, entry: Entry, foreign: Foreign
) -> None:
    subject = open_writer()
    await _flush(subject)
    before = foreign.writes
    _save(subject, entry)
    await _flush(subject)

    assert before == foreign.writes

    other.execute("DELETE FROM entry")
    await _flush(subject)
    await subject.close()

    assert before + 1 == foreign.writes


async def test_what_others_write_is_noticed_without_being_asked(
    open_writer: Open,
    other: sqlite3.Connection,
    foreign: Foreign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "POLL_S", 0.01)
    subject = open_writer()
    await _flush(subject)
    before = foreign.writes
    other.execute("INSERT INTO secret VALUES ('x', x'00')")
    await _wait_until(lambda: foreign.writes > before)
    await subject.close()

    assert before + 1 == foreign.writes


async def test_what_has_expired_is_swept_out_in_small_batches(
    open_writer: Open,
    other: sqlite3.Connection,
    entry: Entry,
    fact: Fact,
    wait: Wait,
    now: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "REST_S", 60.0)  # no sweep but the one that each flush brings
    subject = open_writer()
    for number in range(2 * FIRST_ROWS):
        _save(subject, entry.but(key=f"{number}@example.org", expires_at=1_500.0))
    _save(subject, entry)
    subject.save(lambda batch: batch.facts.update({("a", fact.kind): fact.but(expires_at=1)}))
    subject.save(lambda batch: batch.waits.update({wait.key: wait.but(expires_at=1)}))
    await _flush(subject)
    now[0] = 2_000.0
    await _flush(subject)

    assert _count(other) > 1

    for _ in range(30 + 2 * FIRST_ROWS):
        await _flush(subject)
    await subject.close()

    assert [1, 0, 0] == [_count(other, table) for table in ("entry", "fact", "wait")]


async def test_a_sweep_that_fails_is_reported_and_harms_nobody(
    open_writer: Open, other: sqlite3.Connection, entry: Entry, told: list[Event]
) -> None:
    subject = open_writer()
    other.execute("DROP TABLE acquaintance")
    _save(subject, entry.but(key="other@example.org"))
    await subject.close()
    other.execute("CREATE TABLE acquaintance (x)")
    subject = open_writer()
    for _ in range(9):
        await _flush(subject)  # after which it sweeps another table
    await subject.close()

    assert "expired records stay" in str(told[-1])


async def test_a_bug_in_moving_the_journal_is_reported_and_harms_nobody(
    path: Path, open_writer: Open, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpointer, "note", lambda *_: MemoryError())
    subject = open_writer()
    for _ in range(3):
        await _flush(subject)
    await subject.close()

    what = f"its journal was not moved: {path}: MemoryError"
    assert [Trouble("store", what, "report it, it should not happen")] == told


async def test_a_bug_in_the_last_move_of_the_journal_is_reported(
    path: Path, open_writer: Open, told: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Checkpointer.close

    def end_after_a_bug(subject: Checkpointer) -> BaseException:
        end(subject)
        return MemoryError()

    monkeypatch.setattr(Checkpointer, "close", end_after_a_bug)
    await open_writer().close()

    what = f"its journal was not moved: {path}: MemoryError"
    assert [Trouble("store", what, "report it, it should not happen")] == told


async def test_a_file_that_cannot_be_closed_ends_all_the_same(
    open_writer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Checkpointer.close

    def end_and_fail(subject: Checkpointer) -> None:
        end(subject)
        raise sqlite3.OperationalError("disk I/O error")

    said: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    monkeypatch.setattr(Checkpointer, "close", end_and_fail)
    subject = open_writer()
    (thread,) = [one for one in threading.enumerate() if one.name == "ringback-store-writer"]
    async with asyncio.timeout(5):
        await subject.close()
    thread.join(5)

    assert [sqlite3.OperationalError] == [each.exc_type for each in said]


async def test_it_rests_while_there_is_nothing_to_do(
    open_writer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "POLL_S", 60.0)
    turns: list[None] = []
    subject = open_writer()
    monkeypatch.setattr(subject, "_sweep", lambda: turns.append(None))
    for _ in range(5):
        await _flush(subject)
    await subject.close()

    assert 5 == len(turns)


async def test_sweeping_goes_on_after_the_clock_stepped_back(
    open_writer: Open, other: sqlite3.Connection, entry: Entry, now: list[float]
) -> None:
    subject = open_writer()
    for _ in range(12):
        await _flush(subject)
    _save(subject, entry.but(expires_at=400.0))
    await _flush(subject)

    assert 1 == _count(other)

    now[0] = 500.0
    for _ in range(2):
        await _flush(subject)
    await subject.close()

    assert 0 == _count(other)


async def test_a_file_that_was_removed_loses_saves_and_says_so(
    open_writer: Open, path: Path, entry: Entry, told: list[Event]
) -> None:
    subject = open_writer()
    _remove(path)
    _save(subject, entry)
    with pytest.raises(StoreError, match="removed or replaced"):
        await _flush(subject)
    _save(subject, entry)
    with pytest.raises(StoreError, match="removed or replaced"):
        await _flush(subject)
    await subject.close()

    expected = Trouble(
        "store",
        f"saves were lost: {path}: it was removed or replaced",
        "restart Ringback to make a new one",
    )
    assert [expected] == told
