"""As many rows as there are, in whatever order they name their columns, by statements that stay prepared."""

import sqlite3
from contextlib import closing

from ringback.store.codec import Row
from ringback.store.database import PREPARED
from ringback.store.queries import MIGRATIONS, QUERIES
from ringback.store.rows import MAX_ROWS, run_for_all


def test_any_number_of_rows_is_written() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(MIGRATIONS.values()))
        for number in (0, 1, MAX_ROWS, 2 * MAX_ROWS + 1):
            rows: list[Row] = [
                {"interval_s": 80.0, "full_at": each, "key": f"{each}"} for each in range(number)
            ]
            run_for_all(connection, "save_budget", rows)
            written = connection.execute("SELECT count(*), max(full_at) FROM budget").fetchone()

            assert (number, max(0, number - 1) if number else None) == written


def test_all_statements_with_any_number_of_rows_stay_prepared() -> None:
    wide = [statement for statement in QUERIES.values() if "VALUES (" in statement]

    assert len(wide) * MAX_ROWS + len(QUERIES) <= PREPARED


def test_rows_that_go_are_named_one_by_one() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(MIGRATIONS.values()))
        connection.executemany("INSERT INTO fact VALUES (?, 'x', 0, 0, '')", [("a",), ("b",)])
        run_for_all(connection, "forget_fact", [{"subject": "a", "kind": "x"}])

        assert [("b",)] == connection.execute("SELECT subject FROM fact").fetchall()
