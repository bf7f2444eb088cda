"""Whether all who had the file open took leave, and what becomes of budgets if not."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.store.database import DatabaseFile, prepare
from ringback.store.session import Session, begin

Begin = Callable[..., Session]


@pytest.fixture
def file(path: Path) -> DatabaseFile:
    return prepare(path)


@pytest.fixture
def connection(file: DatabaseFile) -> Iterator[sqlite3.Connection]:
    with closing(file.connect()) as connection:
        yield connection


@pytest.fixture
def sign_on(file: DatabaseFile, connection: sqlite3.Connection) -> Iterator[Begin]:
    begun: list[Session] = []

    def begin_one(elapsed: float, boot: str = "one run") -> Session:
        begun.append(begin(file, connection, boot, lambda: elapsed))
        return begun[-1]

    yield begin_one
    for session in begun:
        session.release()


def _empty_since(connection: sqlite3.Connection) -> float | None:
    rows = connection.execute("SELECT empty_since FROM epoch").fetchall()
    assert 1 == len(rows)
    empty_since: float | None = rows[0][0]
    return empty_since


def _spend(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO budget VALUES ('host', 900, 80)")


def _count(connection: sqlite3.Connection, table: str) -> int:
    number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def _markers(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("*-open-*"))


def test_a_new_file_has_whole_budgets(sign_on: Begin, connection: sqlite3.Connection) -> None:
    sign_on(10.0)

    assert _empty_since(connection) is None


def test_who_took_leave_leaves_no_trace(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    first = sign_on(10.0)
    _spend(connection)
    first.end(connection)
    first.release()

    assert [] == _markers(path)

    sign_on(20.0)

    assert _empty_since(connection) is None
    assert 1 == _count(connection, "budget")


def test_who_did_not_take_leave_leaves_empty_bursts(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    sign_on(10.0).release()
    _spend(connection)
    sign_on(20.0)

    assert 20.0 == _empty_since(connection)
    assert 1 == _count(connection, "budget")
    assert 1 == _count(connection, "session")
    assert 1 == len(_markers(path))


def test_since_when_bursts_are_empty_is_remembered(
    sign_on: Begin, connection: sqlite3.Connection
) -> None:
    sign_on(10.0).release()
    second = sign_on(20.0)
    sign_on(30.0)
    second.end(connection)
    second.release()
    sign_on(40.0)

    assert 20.0 == _empty_since(connection)


def test_another_who_has_it_open_is_no_unclean_stop(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    serving = sign_on(10.0)
    showing = sign_on(20.0)

    assert _empty_since(connection) is None
    assert 2 == len(_markers(path))

    showing.end(connection)
    showing.release()
    sign_on(30.0)
    assert _empty_since(connection) is None
    serving.end(connection)


def test_one_who_was_killed_is_noticed_even_while_another_has_it_open(
    sign_on: Begin, connection: sqlite3.Connection
) -> None:
    serving, _showing = sign_on(10.0), sign_on(20.0)
    serving.release()
    sign_on(30.0)

    assert 30.0 == _empty_since(connection)
    assert 2 == _count(connection, "session")


def test_budgets_of_another_boot_are_dropped(
    sign_on: Begin, connection: sqlite3.Connection
) -> None:
    first = sign_on(5_000.0)
    _spend(connection)
    first.end(connection)
    first.release()
    second = sign_on(7.0, "another run")

    assert 7.0 == _empty_since(connection)
    assert 0 == _count(connection, "budget")

    second.end(connection)
    second.release()
    sign_on(9.0, "another run")
    assert 7.0 == _empty_since(connection)


def test_a_marker_that_is_gone_is_of_one_who_was_killed(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    session = sign_on(10.0)
    session.path.unlink()
    sign_on(20.0)

    assert 20.0 == _empty_since(connection)


def test_a_backup_made_meanwhile_has_empty_bursts(
    sign_on: Begin, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    sign_on(10.0)
    restored = tmp_path / "restored.db"
    with closing(sqlite3.connect(restored)) as copy:
        connection.backup(copy)
    file = prepare(restored)
    with closing(file.connect()) as opened:
        begin(file, opened, "one run", lambda: 30.0).release()

        assert 30.0 == _empty_since(opened)


def test_a_marker_that_somebody_else_holds_is_left_to_him(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    taken = path.with_name(f"{path.name}-open-1")
    with taken.open("wb") as marker:
        flock(marker, LOCK_EX | LOCK_NB)
        session = sign_on(10.0)

        assert 2 == session.id
        assert [(2,)] == [tuple(row) for row in connection.execute("SELECT id FROM session")]


def test_an_epoch_that_cannot_be_read_is_begun_anew(
    sign_on: Begin, connection: sqlite3.Connection
) -> None:
    first = sign_on(10.0)
    connection.execute("UPDATE epoch SET empty_since = 'long ago'")
    first.end(connection)
    first.release()
    sign_on(20.0)

    assert 20.0 == _empty_since(connection)


def test_a_marker_that_cannot_be_made_is_a_store_error(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    path.with_name(f"{path.name}-open-1").mkdir()
    with pytest.raises(StoreError, match="no marker can be made beside it"):
        sign_on(10.0)

    assert 0 == _count(connection, "session")


def test_a_file_that_fails_is_a_store_error(
    sign_on: Begin, connection: sqlite3.Connection, path: Path
) -> None:
    connection.execute("DROP TABLE session")
    with pytest.raises(StoreError, match="no such table: session"):
        sign_on(10.0)

    assert [] == _markers(path)
