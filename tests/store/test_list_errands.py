"""What is done to lists on disk, on a connection of its own. What all lists do: see test_lists.py."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringback.errors import ListInUseError
from ringback.store.codec import encode_job
from ringback.store.database import prepare
from ringback.store.list_errands import (
    add_jobs,
    drop_forgotten,
    end_jobs,
    forget_list,
    open_list,
    run,
    take_jobs,
)
from ringback.store.queries import QUERIES
from ringback.values.job import Job, JobList, Taken, Task
from ringback.values.query import Report
from ringback.values.verdict import Reason

NOW, KEEP_S, US, OTHERS = 1_000.0, 100.0, 1, 2
REPORT = Report("1@x.example", Reason.GREYLISTED, False, NOW, "so")


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        for session in (US, OTHERS):
            connection.execute(QUERIES["begin_session"], {"id": session})
        yield connection


def _make(connection: sqlite3.Connection, *addresses: str) -> JobList:
    made = open_list("d1", NOW, KEEP_S, US, connection)
    assert isinstance(made, JobList)
    add_jobs(made.number, [Task.parse(address) for address in addresses], connection)
    return made


def _keys(taken: Taken) -> list[str]:
    return [job.key for due in taken.due for job in due.jobs]


def test_a_list_is_held_until_its_session_ends(connection: sqlite3.Connection) -> None:
    _make(connection)

    assert isinstance(open_list("d1", NOW, KEEP_S, OTHERS, connection), ListInUseError)
    assert isinstance(open_list("d1", NOW, KEEP_S, US, connection), ListInUseError)

    connection.execute(QUERIES["end_session"], {"id": US})
    assert isinstance(open_list("d1", NOW, KEEP_S, OTHERS, connection), JobList)


def test_one_that_is_opened_again_is_kept_the_longer_time(connection: sqlite3.Connection) -> None:
    _make(connection, "1@x.example")
    run("complete_list", 1, connection)
    for now, keep_s in ((NOW + 50, KEEP_S), (NOW + 60, 1.0)):
        run("let_go_list", 1, connection)
        open_list("d1", now, keep_s, US, connection)
    [row] = connection.execute("SELECT made_at, keep_until FROM list").fetchall()

    assert (NOW, NOW + 50 + KEEP_S) == tuple(row)


def test_a_domain_that_is_over_leaves_nothing(connection: sqlite3.Connection) -> None:
    _make(connection, "1@x.example")
    connection.execute("UPDATE job SET due_at = NULL")

    assert Taken(next_at=0.0) == take_jobs(1, NOW, 0, 9, connection)
    assert Taken() == take_jobs(1, NOW, 9, 9, connection)
    assert [] == connection.execute("SELECT * FROM list_domain").fetchall()


def test_a_job_is_taken_without_its_report(
    connection: sqlite3.Connection,
) -> None:
    made = _make(connection, "1@x.example")
    slept = Job(made.number, "1@x.example", "x.example", 5.0, 2, 3, REPORT)
    connection.execute(QUERIES["save_job"], encode_job(slept))
    [due] = take_jobs(made.number, NOW, 9, 9, connection).due

    assert (slept.but(report=None),) == due.jobs


@pytest.mark.parametrize("damaged", ["tries = 'many'", "callouts = x'00'", "key = x'00'"])
def test_one_whose_columns_are_damaged_is_done_and_says_so(
    connection: sqlite3.Connection, damaged: str
) -> None:
    made = _make(connection, "1@x.example", "2@x.example", "1@y.example")
    connection.execute(f"UPDATE job SET {damaged} WHERE key LIKE '1%'")

    assert ["2@x.example"] == _keys(take_jobs(made.number, NOW, 9, 9, connection))
    ended = connection.execute("SELECT tries, reason, callouts FROM job WHERE due_at IS NULL")
    assert [(0, Reason.OUR_TROUBLE, 0)] * 2 == [tuple(row) for row in ended]


def test_a_domain_of_which_only_damaged_ones_were_taken_is_due_again(
    connection: sqlite3.Connection,
) -> None:
    made = _make(connection, "1@x.example", "2@x.example")
    connection.execute("UPDATE job SET tries = 'many' WHERE key LIKE '1%'")

    assert Taken(next_at=NOW) == take_jobs(made.number, NOW, 9, 1, connection)
    assert ["2@x.example"] == _keys(take_jobs(made.number, NOW, 9, 1, connection))


def test_what_is_forgotten_goes_in_portions_and_nothing_else_does(
    connection: sqlite3.Connection,
) -> None:
    made = _make(connection, "1@x.example", "2@x.example", "1@y.example")
    other = open_list("d2", NOW, KEEP_S, US, connection)
    assert isinstance(other, JobList)
    add_jobs(other.number, [Task.parse("1@x.example")], connection)

    assert isinstance(forget_list("d1", connection), ListInUseError)
    run("let_go_list", made.number, connection)
    assert [True, False] == [forget_list("d1", connection) for _ in range(2)]
    portions = [drop_forgotten(2, connection) for _ in range(3)]
    left = [
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("list", "list_domain", "job")
    ]

    assert [True, True, False] == portions
    assert [1, 1, 1] == left


def test_only_so_many_are_ended_at_once(connection: sqlite3.Connection) -> None:
    made = _make(connection, "1@x.example", "2@x.example", "1@y.example")

    assert [2, 1, 0] == [end_jobs(made.number, 2, REPORT, connection) for _ in range(3)]


def test_the_first_of_the_list_are_taken_first(connection: sqlite3.Connection) -> None:
    made = _make(connection, "9@x.example", "1@x.example", "5@x.example")

    assert ["9@x.example", "1@x.example"] == _keys(take_jobs(made.number, NOW, 1, 2, connection))
