"""One transaction for a batch, and one for all that is spent together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.store import transactions
from ringback.store.batch import Batch
from ringback.store.budgets import Budgets
from ringback.store.database import DatabaseFile, prepare
from ringback.store.transactions import Transactions

CHARGE = Charge("host", Rate(8), "callouts at this host")
UNWRITABLE = CHARGE.but(key="\ud800")


@pytest.fixture
def file(path: Path) -> DatabaseFile:
    return prepare(path)


@pytest.fixture
def connection(file: DatabaseFile) -> Iterator[sqlite3.Connection]:
    with closing(file.connect()) as connection:
        connection.execute("INSERT INTO epoch VALUES ('one run', NULL)")
        yield connection


@pytest.fixture
def subject(file: DatabaseFile, connection: sqlite3.Connection) -> Transactions:
    return Transactions(file, connection)


def _count(connection: sqlite3.Connection, table: str) -> int:
    number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def test_a_row_that_no_version_wrote_fails_who_asked_for_it_and_nobody_else(
    subject: Transactions,
) -> None:
    def read(_: sqlite3.Connection) -> None:
        raise ValueError("expected int, got str")

    assert "expected int, got str" in str(subject.attempt(read))


def test_a_batch_is_one_transaction(
    subject: Transactions, connection: sqlite3.Connection, entry: Entry
) -> None:
    batch = Batch()
    batch.entries[entry.key] = entry
    batch.charges.append((CHARGE, 500.0))

    assert (0, []) == subject.write(batch)
    assert (1, 1, 1) == (
        subject.commits,
        _count(connection, "entry"),
        _count(connection, "budget"),
    )


def test_what_no_row_can_hold_is_counted_and_the_rest_is_written(
    subject: Transactions, connection: sqlite3.Connection, entry: Entry
) -> None:
    batch = Batch()
    for key in ("\ud800@example.org", entry.key):
        batch.entries[key] = entry.but(key=key)
    batch.charges.extend([(UNWRITABLE, 500.0), (CHARGE, 500.0)])

    assert (2, []) == subject.write(batch)
    assert (1, 1) == (_count(connection, "entry"), _count(connection, "budget"))


def test_those_who_spend_together_fail_alone(
    subject: Transactions, connection: sqlite3.Connection
) -> None:
    def spend(charge: Charge, budgets: Budgets) -> Charge | None:
        return budgets.spend((charge,), None, 500.0)

    works = [lambda budgets, one=one: spend(one, budgets) for one in (CHARGE, UNWRITABLE, CHARGE)]
    _, (first, second, third) = subject.write(Batch(), works)

    assert (None, None) == (first, third)
    assert isinstance(second, StoreError)
    assert 1 == subject.commits == _count(connection, "budget")


def test_what_cannot_be_spent_takes_no_batch_with_it(
    subject: Transactions, connection: sqlite3.Connection, entry: Entry
) -> None:
    connection.execute("DELETE FROM epoch")
    _, (outcome,) = subject.write(Batch({entry.key: entry}), [_work])

    assert "its budgets are damaged" in str(outcome)
    assert 1 == _count(connection, "entry")


def test_what_fails_is_told_in_words(subject: Transactions, path: Path) -> None:
    failed = subject.attempt(lambda connection: connection.execute("SELECT nonsense"))
    done = subject.attempt(lambda connection: connection.execute("SELECT 7").fetchone()[0])
    path.unlink()
    gone = subject.attempt(lambda connection: connection.execute("SELECT 7"))

    assert 7 == done
    assert isinstance(failed, StoreError)
    assert "removed or replaced" in str(gone)


def _work(budgets: Budgets) -> Charge | None:
    return budgets.spend((CHARGE,), None, 500.0)


def _spend(subject: Transactions) -> Charge | None:
    """What one who spends alone is told."""
    _, (outcome,) = subject.write(Batch(), [_work])
    told: Charge | None = outcome
    return told


def test_what_another_connection_spends_meanwhile_counts(
    file: DatabaseFile, subject: Transactions
) -> None:
    with closing(file.connect()) as foreign:
        other = Transactions(file, foreign)
        outcomes = [_spend(one) for one in (subject, subject, other, subject)]

    assert [None, None, CHARGE, CHARGE] == outcomes


def test_since_when_bursts_are_empty_is_asked_again_when_another_connection_has_written(
    file: DatabaseFile, subject: Transactions, connection: sqlite3.Connection
) -> None:
    said: list[str] = []
    connection.set_trace_callback(said.append)
    subject.write(Batch(), [lambda budgets: budgets.look(CHARGE, 500.0)])
    _spend(subject)
    asked_before = sum("FROM epoch" in each for each in said)
    with closing(file.connect()) as foreign:
        foreign.execute("UPDATE epoch SET empty_since = 490")
    second_of_two = _spend(subject)

    assert 1 == asked_before
    assert CHARGE == second_of_two


def test_what_was_spent_in_a_transaction_that_failed_is_not_spent(
    subject: Transactions, connection: sqlite3.Connection
) -> None:
    _spend(subject)
    connection.set_authorizer(
        lambda action, *_: (
            sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else sqlite3.SQLITE_OK
        )
    )
    with pytest.raises(sqlite3.DatabaseError):
        _spend(subject)
    connection.set_authorizer(None)

    assert (0, [None, CHARGE]) == subject.write(Batch(), [_work, _work])


@pytest.mark.parametrize(("most", "reads"), [(1, 3), (2, 2)])
def test_only_so_many_states_are_remembered(
    subject: Transactions,
    connection: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    reads: int,
) -> None:
    monkeypatch.setattr(transactions, "MAX_STATES", most)
    said: list[str] = []
    connection.set_trace_callback(said.append)

    for key in ("one", "another", "one"):
        charge = CHARGE.but(key=key)
        subject.write(Batch(), [partial(Budgets.look, charge=charge, elapsed=500.0)])

    assert reads == sum("FROM budget" in each for each in said)
