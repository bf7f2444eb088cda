"""When it is time to sweep, and what goes."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ringback.store import sweeper
from ringback.store.database import prepare
from ringback.store.sweeper import Sweeper

AUDIT_KEEP_S = 100.0


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        yield connection


Make = Callable[[], Sweeper]


@pytest.fixture
def make(now: list[float], elapsed: list[float]) -> Make:
    return lambda: Sweeper(lambda: now[0], lambda: elapsed[0], AUDIT_KEEP_S)


@pytest.fixture
def subject(make: Make) -> Sweeper:
    return make()


def _sweep_all(subject: Sweeper, connection: sqlite3.Connection) -> int:
    """Sweep until a round is over; return how many portions that took."""
    subject.sweep(connection)
    portions = 1
    while subject.is_behind:
        subject.sweep(connection)
        portions += 1
    return portions


def _names(connection: sqlite3.Connection, table: str, column: str) -> set[Any]:
    return {row[0] for row in connection.execute(f"SELECT {column} FROM {table}")}


def _know(connection: sqlite3.Connection, network: str, returned: int, expires_at: float) -> None:
    row = (network, returned, expires_at)
    connection.execute("INSERT INTO acquaintance VALUES (?, 9, ?, ?, 0, 0)", row)


def test_it_is_due_at_first_and_after_a_while(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float], elapsed: list[float]
) -> None:
    assert subject.is_due()

    _sweep_all(subject, connection)
    assert not subject.is_due()

    now[0] += sweeper.SWEEP_EVERY_S
    elapsed[0] += sweeper.SWEEP_EVERY_S
    assert subject.is_due()


def test_it_is_due_when_the_clock_was_set_back(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float], elapsed: list[float]
) -> None:
    _sweep_all(subject, connection)
    now[0] -= 1.0
    elapsed[0] += 1.0

    assert subject.is_due()


def _expire(connection: sqlite3.Connection, number: int) -> None:
    for each in range(number):
        connection.execute("INSERT INTO entry VALUES (?, '', '', 0, 1, '')", (f"{each}",))
        connection.execute("INSERT INTO fact VALUES (?, '', 0, 1, '')", (f"{each}",))


def test_it_goes_on_while_there_is_more_but_leaves_others_time(
    connection: sqlite3.Connection, subject: Sweeper, elapsed: list[float]
) -> None:
    _expire(connection, 1)
    subject.sweep(connection)

    assert subject.is_behind and not subject.is_due()

    elapsed[0] += sweeper.REST_S
    assert subject.is_due()

    _sweep_all(subject, connection)
    assert set() == _names(connection, "entry", "key") | _names(connection, "fact", "subject")


def _portions(subject: Sweeper, connection: sqlite3.Connection, number: int) -> list[int]:
    """How many rows so many portions took out."""
    before = connection.total_changes
    gone: list[int] = []
    for _ in range(number):
        subject.sweep(connection)
        gone.append(connection.total_changes - before - sum(gone))
    return gone


def test_a_portion_is_of_one_table(connection: sqlite3.Connection, subject: Sweeper) -> None:
    _expire(connection, 7)

    assert [7, 7, 0, 0] == _portions(subject, connection, 4)
    assert subject.is_behind


@pytest.mark.parametrize(
    ("row_s", "rows"),
    [
        (0.0, range(100, 101)),
        (sweeper.PORTION_S / 80, range(80, 100)),
        (sweeper.PORTION_S / 20, range(20, 25)),  # not by as many again as the first step
        (sweeper.PORTION_S * 2, range(10, 11)),  # the first step
    ],
)
def test_a_portion_is_as_large_as_there_is_time_for(
    connection: sqlite3.Connection, now: list[float], row_s: float, rows: range
) -> None:
    for number in range(100):
        connection.execute("INSERT INTO entry VALUES (?, '', '', 0, 1, '')", (f"{number}",))
    subject = Sweeper(lambda: now[0], lambda: connection.total_changes * row_s, AUDIT_KEEP_S)
    (gone,) = _portions(subject, connection, 1)

    assert gone in rows


def test_rows_that_turn_out_slow_are_taken_one_by_one(
    connection: sqlite3.Connection, now: list[float]
) -> None:
    for number in range(100):
        connection.execute("INSERT INTO entry VALUES (?, '', '', 0, 1, '')", (f"{number}",))
    subject = Sweeper(lambda: now[0], lambda: connection.total_changes * 60.0, AUDIT_KEEP_S)
    portions = [gone for gone in _portions(subject, connection, 30) if gone]

    assert [sweeper.FIRST_ROWS, 1, 1] == portions[:3]


def test_after_a_failure_the_others_are_swept_in_the_same_round(
    connection: sqlite3.Connection, subject: Sweeper, elapsed: list[float]
) -> None:
    _know(connection, "old", 1, 1_000.0)
    connection.execute("DROP TABLE entry")
    with pytest.raises(sqlite3.Error):
        subject.sweep(connection)
    rests = not subject.is_due()
    elapsed[0] += sweeper.REST_S
    goes_on = subject.is_due()
    _sweep_all(subject, connection)

    assert (True, True) == (rests, goes_on)
    assert set() == _names(connection, "acquaintance", "network")


def test_while_another_holds_the_lock_the_round_is_over(
    path: Path, connection: sqlite3.Connection, subject: Sweeper, elapsed: list[float]
) -> None:
    connection.execute("PRAGMA busy_timeout = 0")
    with closing(prepare(path).connect()) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.Error, match="locked"):
            subject.sweep(connection)
    elapsed[0] += sweeper.REST_S

    assert not subject.is_due()


def test_what_a_failure_undid_is_done_in_the_next_round(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    for number in range(3 * sweeper.FIRST_ROWS):
        connection.execute("INSERT INTO budget VALUES (?, 0.0, 80.0)", (f"{number:03}",))
    connection.execute(
        "CREATE TRIGGER full BEFORE DELETE ON budget WHEN old.key = '020' "
        "BEGIN SELECT RAISE (ABORT, 'full'); END"
    )
    with pytest.raises(sqlite3.Error, match="full"):
        _sweep_all(subject, connection)
    connection.execute("DROP TRIGGER full")
    for _ in range(2):  # the rest of that round, and the next
        _sweep_all(subject, connection)

    assert set() == _names(connection, "budget", "key")


def test_a_failure_costs_no_other_its_way(connection: sqlite3.Connection, subject: Sweeper) -> None:
    before = list(subject._round)
    connection.execute("DROP TABLE entry")
    with pytest.raises(sqlite3.Error):
        subject.sweep(connection)

    assert [False, *[True] * (len(before) - 1)] == [
        now is then for now, then in zip(subject._round, before, strict=True)
    ]


def test_acquaintances_go_when_they_expire(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    _know(connection, "old", 1, 1_000.0)
    _know(connection, "young", 1, 1_001.0)
    _sweep_all(subject, connection)

    assert {"young"} == _names(connection, "acquaintance", "network")


def test_calls_go_when_they_have_been_kept_long_enough(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    for name, at in (("old", 900.0), ("young", 901.0)):
        connection.execute("INSERT INTO call VALUES (?, ?, '', '', '', '', '{}')", (name, at))
    _sweep_all(subject, connection)

    assert {"young"} == _names(connection, "call", "id")


def test_calls_that_were_stopped_are_kept_as_long_as_others(
    connection: sqlite3.Connection, now: list[float], elapsed: list[float]
) -> None:
    subject = Sweeper(lambda: now[0], lambda: elapsed[0], 9e9)
    now[0] += sweeper.STOPPED_AFTER_S
    for name, at in (("old", 1_000.0), ("young", 4_501.0)):
        connection.execute("INSERT INTO begun VALUES (?, ?, '', '', '', '', '{}')", (name, at))
    _sweep_all(subject, connection)

    assert {"young"} == _names(connection, "begun", "id")
    assert {"old"} == _names(connection, "call", "id")


def test_many_calls_under_way_are_gone_through_a_few_at_a_time(
    connection: sqlite3.Connection, now: list[float]
) -> None:
    rows = [(f"{number}", now[0]) for number in range(2_000)]
    connection.executemany("INSERT INTO begun VALUES (?, ?, '', '', '', '', '{}')", rows)
    in_one_step = count(0.0, sweeper.PORTION_S).__next__
    subject = Sweeper(lambda: now[0], in_one_step, 9e9)
    instructions: list[int] = []
    connection.set_progress_handler(lambda: instructions.append(100), 100)
    portions = []
    for _ in range(30):
        instructions.clear()
        subject.sweep(connection)
        portions.append(sum(instructions))

    assert max(portions) < 2_000


def test_a_call_that_others_kept_meanwhile_is_kept_once(
    connection: sqlite3.Connection, now: list[float]
) -> None:
    for table, body in (("call", "all"), ("begun", "some")):
        row = (body,)
        connection.execute(f"INSERT INTO {table} VALUES ('one', 1000, '', '', '', '', ?)", row)
    now[0] += sweeper.STOPPED_AFTER_S
    _sweep_all(Sweeper(lambda: now[0], lambda: 0.0, 9e9), connection)

    assert {"all"} == _names(connection, "call", "body")
    assert set() == _names(connection, "begun", "id")


def test_budgets_go_when_they_are_whole_whatever_the_time_of_day(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float]
) -> None:
    for name, full_at in (("whole", 440.0), ("lately", 441.0), ("spent", 2_000.0)):
        connection.execute("INSERT INTO budget VALUES (?, ?, 80.0)", (name, full_at))
    now[0] = 1e9
    _sweep_all(subject, connection)

    assert {"lately", "spent"} == _names(connection, "budget", "key")


def test_budgets_are_gone_through_to_their_end_and_again(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    most = 2 * sweeper.FIRST_ROWS
    for _ in range(2):
        for number in range(most):
            row = (f"{number:03}", 440.0 if number % 2 else 2_000.0)
            connection.execute("INSERT OR REPLACE INTO budget VALUES (?, ?, 80.0)", row)
        _sweep_all(subject, connection)

        assert {f"{number:03}" for number in range(0, most, 2)} == _names(
            connection, "budget", "key"
        )


def test_of_too_many_acquaintances_those_go_who_never_came_back(
    connection: sqlite3.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ACQUAINTANCES", 3)
    subject = make()
    for number in range(4):
        _know(connection, f"stranger {number}", 0, 9_000.0 + number)
    _know(connection, "regular", 5, 2_000.0)
    _sweep_all(subject, connection)

    kept = {"stranger 2", "stranger 3", "regular"}
    assert kept == _names(connection, "acquaintance", "network")


def test_a_list_goes_with_its_jobs_when_its_time_is_over_and_nobody_works_on_it(
    connection: sqlite3.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "FIRST_ROWS", 2)
    lists = [("old", 999.0, None), ("held", 999.0, 7), ("new", 1_001.0, None), (None, 0.0, None)]
    for number, (digest, keep_until, holder) in enumerate(lists, 1):
        row = (number, digest, keep_until, holder)
        connection.execute("INSERT INTO list VALUES (?, ?, 0, ?, 1, ?)", row)
        for job in range(5):
            connection.execute(
                "INSERT INTO job VALUES (?, ?, '', 0, 0, '', 0, '')", (number, f"{job}.example")
            )
            connection.execute("INSERT INTO list_domain VALUES (?, ?, 0)", (number, f"{job}"))
    _sweep_all(make(), connection)

    assert {"held", "new"} == _names(connection, "list", "digest")
    assert {2, 3} == _names(connection, "job", "list")
    assert {2, 3} == _names(connection, "list_domain", "list")


def test_of_too_many_facts_those_go_that_expire_first(
    connection: sqlite3.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_FACTS", 1)
    subject = make()
    for number in range(5):
        row = (f"{number}", 9_000.0 + number)
        connection.execute("INSERT INTO fact VALUES (?, '', 0, ?, '')", row)
    _sweep_all(subject, connection)

    assert {"4"} == _names(connection, "fact", "subject")


def test_of_entries_that_take_too_much_room_those_go_that_expire_first(
    connection: sqlite3.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ENTRIES", 120)  # 240 kB, of which the empty tables take some
    subject = make()
    for number in range(150):
        row = (f"{number}", 9_000.0 + number, "x" * 2_000)
        connection.execute("INSERT INTO entry VALUES (?, '', '', 0, ?, ?)", row)
    _sweep_all(subject, connection)
    kept = {int(name) for name in _names(connection, "entry", "key")}

    assert set(range(min(kept), 150)) == kept
    assert 20 < len(kept) < 120


def test_of_too_many_calls_the_oldest_go_however_long_they_are_to_be_kept(
    connection: sqlite3.Connection, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_CALLS", 2)
    subject = make()
    for name, at in (("new", 950.0), ("newest", 999.0), ("old", 901.0)):
        connection.execute("INSERT INTO call VALUES (?, ?, '', '', '', '', '{}')", (name, at))
    _sweep_all(subject, connection)

    assert {"new", "newest"} == _names(connection, "call", "id")


def test_tables_are_counted_now_and_then(
    connection: sqlite3.Connection,
    make: Make,
    elapsed: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ACQUAINTANCES", 1)
    subject = make()
    _sweep_all(subject, connection)
    for number in range(3):
        _know(connection, f"{number}", 0, 9_000.0)
    _sweep_all(subject, connection)

    assert 3 == len(_names(connection, "acquaintance", "network"))

    elapsed[0] += sweeper.COUNT_EVERY_S
    _sweep_all(subject, connection)
    assert 1 == len(_names(connection, "acquaintance", "network"))
