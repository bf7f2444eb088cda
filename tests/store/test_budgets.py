"""Budgets within one transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.rules.pacing import Charge, Rate, Spent
from ringback.store.budgets import Budgets
from ringback.store.codec import encode_call
from ringback.store.database import prepare
from ringback.store.queries import MIGRATIONS, statements
from ringback.store.rows import run_for_all
from ringback.values.calls import Call

# Eight an hour: two at once, then one every ten minutes.
HOST = Charge("host", Rate(8), "calls to this host")
# The version from which they lie by the words of their keys backwards.
BY_KEY = 4
ONE = Charge("one", Rate(1), "calls")


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        connection.execute("INSERT INTO epoch VALUES ('one run', NULL)")
        yield connection


def _budgets(connection: sqlite3.Connection) -> dict[str, float]:
    return {row["key"]: row["full_at"] for row in connection.execute("SELECT * FROM budget")}


def _post(connection: sqlite3.Connection, budgets: Budgets) -> None:
    for query, rows in budgets.rows().items():
        run_for_all(connection, query, rows)


def _migrate(connection: sqlite3.Connection, keys: list[str]) -> None:
    """Bring a new database to today's version, by way of one that kept budgets of these keys."""
    connection.row_factory = sqlite3.Row
    for number, script in MIGRATIONS.items():
        for statement in statements(script):
            connection.execute(statement)
        if number == BY_KEY - 1:
            rows = [(key, 9_000.0 + each) for each, key in enumerate(keys)]
            connection.executemany("INSERT INTO budget VALUES (?, ?, 80.0)", rows)


def test_what_is_spent_is_seen_before_it_is_written(
    path: Path, connection: sqlite3.Connection
) -> None:
    budgets = Budgets(path, connection)
    outcomes = [budgets.spend((HOST, ONE), None, 50.0) for _ in range(2)]

    assert [None, ONE] == outcomes
    assert {} == _budgets(connection)

    _post(connection, budgets)
    assert {"host": 650.0, "one": 3_651.0} == _budgets(connection)


def test_the_next_transaction_goes_on_where_this_one_ended(
    path: Path, connection: sqlite3.Connection
) -> None:
    outcomes = []
    for _ in range(3):
        budgets = Budgets(path, connection)
        outcomes.append(budgets.spend((HOST,), None, 50.0))
        _post(connection, budgets)

    assert [None, None, HOST] == outcomes
    assert {"host": 1_250.0} == _budgets(connection)


def test_a_call_is_written_if_it_was_paid_for(
    path: Path, connection: sqlite3.Connection, call: Call
) -> None:
    budgets = Budgets(path, connection)
    budgets.spend((ONE,), encode_call(call), 50.0)
    budgets.spend((ONE,), encode_call(call) | {"id": "not paid for"}, 50.0)
    _post(connection, budgets)

    assert [call.id] == [row["id"] for row in connection.execute("SELECT id FROM begun")]


def test_what_is_known_of_earlier_versions_budgets_stays_known(path: Path) -> None:
    keys = ["all", "host 192.0.2.1", "strangers domain a.example", "forged a.example", "net ::/48"]
    charges = [ONE.but(key=key) for key in keys]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection, keys)
        connection.execute("INSERT INTO epoch VALUES ('one run', NULL)")
        budgets = Budgets(path, connection)
        looks = [budgets.look(charge, 50.0).spent for charge in charges]

    assert [Spent(9_000.0 + each, 80.0) for each in range(len(keys))] == looks


@pytest.mark.parametrize("prefix", ["", "strangers "])
def test_earlier_budgets_that_mirror_each_other_keep_no_store_shut(prefix: str) -> None:
    keys = [f"{prefix}domain host", f"{prefix}host domain", f"{prefix}domain a.example"]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _migrate(connection, keys)
        budgets = _budgets(connection)

    assert 2 == len(budgets)
    assert 9_002.0 in budgets.values()


def test_budgets_of_one_host_lie_side_by_side(path: Path, connection: sqlite3.Connection) -> None:
    budgets = Budgets(path, connection)
    for number in range(3):
        for kind in ("host", "strangers host"):
            budgets.charge(ONE.but(key=f"{kind} 192.0.2.{number}"), 50.0)
    _post(connection, budgets)
    kept = [row["key"] for row in connection.execute("SELECT key FROM budget ORDER BY key")]

    assert ["192.0.2.0 host", "192.0.2.0 host strangers"] == kept[:2]


def test_looking_changes_nothing(path: Path, connection: sqlite3.Connection) -> None:
    budgets = Budgets(path, connection)

    assert not budgets.look(ONE, 50.0).shows_used_up(ONE, 50.0)
    budgets.charge(ONE, 50.0)
    assert budgets.look(ONE, 50.0).shows_used_up(ONE, 50.0)
    budgets.charge(ONE, 50.0)
    _post(connection, budgets)
    assert {"one": 50.0 + 2 * 3_601.0} == _budgets(connection)


def test_bursts_that_started_empty_fill_up(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE epoch SET empty_since = 50.0")

    assert HOST == Budgets(path, connection).spend((HOST,), None, 50.0)
    assert Budgets(path, connection).spend((HOST,), None, 50.0 + 600.0) is None


def test_a_row_that_cannot_be_read_is_mended(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO budget VALUES ('host', 'soon', 'long')")
    budgets = Budgets(path, connection)

    assert HOST == budgets.spend((HOST,), None, 50.0)
    _post(connection, budgets)
    assert {"host": 1_250.0} == _budgets(connection)


@pytest.mark.parametrize("damage", ["DELETE FROM epoch", "UPDATE epoch SET empty_since = 'x'"])
def test_without_an_epoch_nothing_is_spent(
    path: Path, connection: sqlite3.Connection, damage: str
) -> None:
    connection.execute(damage)
    with pytest.raises(StoreError, match=r"ringback\.db: its budgets are damaged"):
        Budgets(path, connection).spend((HOST,), None, 50.0)
