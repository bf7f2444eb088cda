"""Making, opening and upgrading the file, and what is said when that fails."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ringback.errors import StoreError
from ringback.store import database
from ringback.store.database import VERSION, explain, is_locked, prepare, transaction
from ringback.store.queries import MIGRATIONS


def _refusal(path: Path) -> str:
    with pytest.raises(StoreError) as refused:
        prepare(path)

    said = str(refused.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    assert refused.value.remedy
    return said.removeprefix(f"{path}: ")


def _pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(("user", "given"), [(0, 1), (1_000, 0)])
def test_what_root_makes_belongs_to_whom_its_folder_belongs(
    path: Path, monkeypatch: pytest.MonkeyPatch, user: int, given: int
) -> None:
    owners: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "chown", lambda *owner: owners.append(owner))
    prepare(path)
    prepare(path)
    folder = path.parent.stat()

    assert [(path, folder.st_uid, folder.st_gid)] * given == owners


def test_a_new_file_is_ours_alone_and_up_to_date(path: Path) -> None:
    prepare(path)

    assert 0o600 == path.stat().st_mode & 0o777
    assert VERSION == _pragma(path, "user_version")
    assert "wal" == _pragma(path, "journal_mode")


def test_preparing_again_changes_nothing(path: Path) -> None:
    prepare(path)
    before = path.read_bytes()
    prepare(path)

    assert before == path.read_bytes()


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    said = _refusal(tmp_path / "nowhere" / "x.db")

    assert f"there is no directory {tmp_path}/nowhere; make it, or" in said


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "there is no directory" in _refusal(tmp_path / "file" / "x.db")


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    assert "it is a directory; name a file in it" in _refusal(tmp_path)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    assert "too long" in _refusal(tmp_path / ("x" * 300))


def test_another_kind_of_file_is_left_as_it_is(path: Path) -> None:
    path.write_text("Dear diary, " * 100)

    assert "it is not an SQLite database; move it away" in _refusal(path)
    assert path.read_text().startswith("Dear diary")


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE entry (key)")

    assert "another program; move it away" in _refusal(path)
    assert "delete" == _pragma(path, "journal_mode")


def test_a_newer_version_is_left_as_it_is(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    assert "it is from a newer Ringback; upgrade" in _refusal(path)


def test_a_migration_that_fails_leaves_the_older_version(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(path)
    broken = "CREATE TABLE novelty (x);\nSELECT x FROM nowhere;\n"
    monkeypatch.setattr(database, "MIGRATIONS", {VERSION + 1: broken})
    monkeypatch.setattr(database, "VERSION", VERSION + 1)

    assert "no such table: nowhere" in _refusal(path)
    assert VERSION == _pragma(path, "user_version")
    with closing(sqlite3.connect(path)) as connection:
        novelties = connection.execute("SELECT * FROM sqlite_master WHERE name = 'novelty'")

        assert [] == novelties.fetchall()


def test_only_the_migrations_that_are_missing_are_applied(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(path)
    more = f"CREATE TABLE novelty (x);\nPRAGMA user_version = {VERSION + 1};\n"
    monkeypatch.setattr(database, "MIGRATIONS", {**MIGRATIONS, VERSION + 1: more})
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    prepare(path)

    assert VERSION + 1 == _pragma(path, "user_version")


def test_a_lock_that_is_not_let_go_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        assert "another program keeps it locked; find it" in _refusal(path)


def test_a_reader_in_the_way_of_wal_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.01)
    path.touch()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM sqlite_master").fetchall()

        assert "another program keeps it locked; find it" in _refusal(path)


@pytest.fixture
def forbidden(tmp_path: Path) -> Iterator[Path]:
    """A directory that this process may look into and not write to."""
    tmp_path.chmod(0o500)
    if root := os.geteuid() == 0:
        os.seteuid(65_534)  # root may write anywhere
    yield tmp_path
    if root:
        os.seteuid(0)
    tmp_path.chmod(0o700)


def test_a_directory_that_may_not_be_written_is_reported(forbidden: Path) -> None:
    assert "access is denied; let Ringback's user write" in _refusal(forbidden / "x.db")


def test_a_file_that_may_not_be_written_is_reported(path: Path) -> None:
    prepare(path)
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError) as refused,
    ):
        connection.execute("DELETE FROM wait")

    assert "may not be written; let Ringback's user" in str(explain(path, refused.value))


def test_a_full_disk_is_reported(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as refused:
            connection.execute("INSERT INTO secret VALUES ('x', zeroblob(100000))")

    assert "the disk is full; make room on it" in str(explain(path, refused.value))
    assert not is_locked(refused.value)


def test_an_error_of_no_known_kind_keeps_its_words(path: Path) -> None:
    error = explain(path, sqlite3.ProgrammingError("something odd"))

    assert f"{path}: something odd" == error.what


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    with closing(prepare(path).connect()) as connection:
        with pytest.raises(KeyboardInterrupt), transaction(connection):
            connection.execute("INSERT INTO secret VALUES ('x', 'y')")
            raise KeyboardInterrupt

        assert not connection.in_transaction
        assert [] == connection.execute("SELECT * FROM secret").fetchall()


def test_a_file_that_was_removed_or_replaced_is_noticed(path: Path) -> None:
    file = prepare(path)
    file.ensure_there()
    path.rename(path.with_suffix(".away"))
    with pytest.raises(StoreError, match="removed or replaced; restart Ringback"):
        file.ensure_there()

    prepare(path)
    with pytest.raises(StoreError, match="removed or replaced"):
        file.ensure_there()


def test_a_connection_that_cannot_be_had_is_reported(path: Path) -> None:
    made = prepare(path)
    path.unlink()
    path.mkdir()

    with pytest.raises(StoreError, match=str(path)):
        made.connect()


def test_a_file_system_without_wal_is_reported(path: Path) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(StoreError, match="cannot share memory"),
    ):
        database._choose_wal(path, connection)


class _LockedOnce(sqlite3.Connection):
    """Another process changes the mode at the same moment."""

    refusals = 1

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if "journal_mode" in sql and self.refusals:
            self.refusals -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorname = "SQLITE_BUSY"
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(sql, parameters)


def test_a_lock_at_the_moment_of_wal_is_waited_out(path: Path) -> None:
    connected = sqlite3.connect(path, isolation_level=None, factory=_LockedOnce)
    with closing(connected) as connection:
        database._choose_wal(path, connection)

    assert "wal" == _pragma(path, "journal_mode")
