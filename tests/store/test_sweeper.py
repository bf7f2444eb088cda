"""When it is time to sweep, and what goes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringback.store import sweeper
from ringback.store.database import prepare
from ringback.store.sweeper import Sweeper

AUDIT_KEEP_S = 100.0


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        yield connection


@pytest.fixture
def subject(now: list[float], elapsed: list[float]) -> Sweeper:
    return Sweeper(lambda: now[0], lambda: elapsed[0], AUDIT_KEEP_S)


def _names(connection: sqlite3.Connection, table: str, column: str) -> set[str]:
    return {row[0] for row in connection.execute(f"SELECT {column} FROM {table}")}


def _know(connection: sqlite3.Connection, network: str, returned: int, expires_at: float) -> None:
    row = (network, returned, expires_at)
    connection.execute("INSERT INTO acquaintance VALUES (?, 9, ?, ?, 0, 0)", row)


def test_it_is_due_at_first_and_after_a_while(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float]
) -> None:
    assert subject.is_due()

    subject.sweep(connection)
    assert not subject.is_due()

    now[0] += sweeper.SWEEP_EVERY_S
    assert subject.is_due()


def test_it_is_due_when_the_clock_was_set_back(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float]
) -> None:
    subject.sweep(connection)
    now[0] -= 1.0

    assert subject.is_due()


def test_it_goes_on_at_once_while_it_is_behind(
    connection: sqlite3.Connection, subject: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "SWEEP_ROWS", 2)
    for number in range(3):
        _know(connection, f"{number}", 1, 1.0)
    subject.sweep(connection)

    assert subject.is_behind
    assert subject.is_due()

    subject.sweep(connection)
    assert not subject.is_behind
    assert set() == _names(connection, "acquaintance", "network")


def test_acquaintances_go_when_they_expire(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    _know(connection, "old", 1, 1_000.0)
    _know(connection, "young", 1, 1_001.0)
    subject.sweep(connection)

    assert {"young"} == _names(connection, "acquaintance", "network")


def test_calls_go_when_they_have_been_kept_long_enough(
    connection: sqlite3.Connection, subject: Sweeper
) -> None:
    for name, at in (("old", 900.0), ("young", 901.0)):
        connection.execute("INSERT INTO call VALUES (?, ?, '', '', '', '', '{}')", (name, at))
    subject.sweep(connection)

    assert {"young"} == _names(connection, "call", "id")


def test_budgets_go_when_they_are_whole_whatever_the_time_of_day(
    connection: sqlite3.Connection, subject: Sweeper, now: list[float]
) -> None:
    for name, full_at in (("whole", 440.0), ("lately", 441.0), ("spent", 2_000.0)):
        connection.execute("INSERT INTO budget VALUES (?, ?, 80.0)", (name, full_at))
    now[0] = 1e9
    subject.sweep(connection)

    assert {"lately", "spent"} == _names(connection, "budget", "key")


def test_of_too_many_acquaintances_those_go_who_never_came_back(
    connection: sqlite3.Connection, subject: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ACQUAINTANCES", 3)
    for number in range(4):
        _know(connection, f"stranger {number}", 0, 9_000.0 + number)
    _know(connection, "regular", 5, 2_000.0)
    subject.sweep(connection)

    kept = {"stranger 2", "stranger 3", "regular"}
    assert kept == _names(connection, "acquaintance", "network")


def test_of_too_many_entries_and_facts_those_go_that_expire_first(
    connection: sqlite3.Connection, subject: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ENTRIES", 2)
    monkeypatch.setattr(sweeper, "MAX_FACTS", 1)
    for number in range(5):
        connection.execute(
            "INSERT INTO entry VALUES (?, '', '', 0, ?, '')", (f"{number}", 9_000.0 + number)
        )
        connection.execute(
            "INSERT INTO fact VALUES (?, '', 0, ?, '')", (f"{number}", 9_000.0 + number)
        )
    subject.sweep(connection)

    assert {"3", "4"} == _names(connection, "entry", "key")
    assert {"4"} == _names(connection, "fact", "subject")


def test_tables_are_counted_now_and_then(
    connection: sqlite3.Connection,
    subject: Sweeper,
    elapsed: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeper, "MAX_ACQUAINTANCES", 1)
    subject.sweep(connection)
    for number in range(3):
        _know(connection, f"{number}", 0, 9_000.0)
    subject.sweep(connection)

    assert 3 == len(_names(connection, "acquaintance", "network"))

    elapsed[0] += sweeper.COUNT_EVERY_S
    subject.sweep(connection)
    assert 1 == len(_names(connection, "acquaintance", "network"))
