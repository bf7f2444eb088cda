"""The database file: made, opened, brought up to date, and its failures put into words.

WAL mode with synchronous=NORMAL: what is committed survives the death of this process, whatever the
moment. The last commits before a power failure may be lost, never the file; what is lost then are
verdicts, which cost one callout each to learn again, and charges to budgets, which start empty then.
Not here: what is read and written (reader.py, writer.py).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..errors import StoreError
from ..values.record import Record
from .queries import MIGRATIONS, statements

# How long another process may hold the lock: its writes are batches of milliseconds, a backup or
# a migration may take longer.
BUSY_TIMEOUT_S = 5.0
# The journal shrinks to this after a burst, or it would keep its largest size for ever.
JOURNAL_LIMIT_BYTES = 16 * 1024 * 1024
# Statements that stay prepared: the writer has one for each number of rows (rows.py), of ten queries, and
# some fifty others, which are more than the 128 that Python keeps.
PREPARED = 320
# Two processes that make one new file take turns; each turn waits up to BUSY_TIMEOUT_S.
WAL_ATTEMPTS = 3

APPLICATION_ID = 0x5267426B  # "RgBk", set by the first migration
VERSION = max(MIGRATIONS)

_ELSEWHERE = "name another file in store.url"
_LOCKED = ("another program keeps it locked", "find it with `fuser` and end it")
_NOT_OURS = "move it away, or " + _ELSEWHERE
# What SQLite's primary result codes mean to an operator, and what to do.
_FAILURES = {
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_FULL": ("the disk is full", "make room on it"),
    "SQLITE_IOERR": ("the disk failed to read or write it", "look into the system's log"),
    "SQLITE_CANTOPEN": (
        "it cannot be opened or made",
        "let Ringback's user write to it and to its directory",
    ),
    "SQLITE_READONLY": (
        "it may not be written",
        "let Ringback's user write to it and to its directory",
    ),
    "SQLITE_PERM": ("access is denied", "let Ringback's user read and write it"),
    "SQLITE_CORRUPT": (
        "it is damaged",
        "stop Ringback and move it away, or put a backup in its place",
    ),
    "SQLITE_NOTADB": ("it is not an SQLite database", _NOT_OURS),
}


def unable(path: Path, reason: str, remedy: str) -> StoreError:
    """One line: file, reason, remedy."""
    return StoreError(f"{path}: {reason}", remedy)


def explain(path: Path, error: BaseException) -> StoreError:
    """Put `error` into one line: file, reason, remedy."""
    name = str(getattr(error, "sqlite_errorname", ""))
    primary = "_".join(name.split("_")[:2])
    odd = str(error) or type(error).__name__
    reason, remedy = _FAILURES.get(primary, (odd, "report it, it should not happen"))
    return unable(path, reason, remedy)


def is_locked(error: sqlite3.Error) -> bool:
    """Whether trying again may help, because another connection is at it."""
    return str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def data_version(connection: sqlite3.Connection) -> int:
    """A number that changes when any other connection commits, and only then."""
    return int(_pragma(connection, "data_version"))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. The lock for writing is taken first, so that no statement in it can find it taken."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where the disk was full or failed.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class DatabaseFile(Record, frozen=True):
    """A database that has been brought up to date, and which file on disk it was then."""

    path: Path
    identity: tuple[int, int]

    def ensure_there(self) -> None:
        """Raises StoreError if the file was removed or replaced.

        SQLite would go on reading and writing a file that no longer has a name.
        """
        try:
            there = _identify(self.path) == self.identity
        except OSError:
            there = False
        if not there:
            raise unable(
                self.path, "it was removed or replaced", "restart Ringback to make a new one"
            )

    def connect(self) -> sqlite3.Connection:
        """A connection that any one thread at a time may use. Raises StoreError."""
        try:
            return _connect(self.path)
        except sqlite3.Error as error:
            raise explain(self.path, error) from error


def prepare(path: Path) -> DatabaseFile:
    """Make the file if there is none, and bring it up to date. Raises StoreError."""
    _claim(path)
    try:
        with closing(_connect(path)) as connection:
            _refuse_foreign(path, connection)
            _choose_wal(path, connection)
            _migrate(path, connection)
        return DatabaseFile(path, _identify(path))
    except sqlite3.Error as error:
        raise explain(path, error) from error
    except OSError as error:
        raise unable(path, error.strerror or str(error), _ELSEWHERE) from error


def require_place(path: Path) -> None:
    """Refuse a path where nobody can have a file. Raises StoreError, OSError if it cannot be told."""
    if path.is_dir():
        raise unable(path, "it is a directory", "name a file in it in store.url")
    if not path.parent.is_dir():
        raise unable(path, f"there is no directory {path.parent}", f"make it, or {_ELSEWHERE}")


def _identify(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _claim(path: Path) -> None:
    """Make an empty file that only our user may read: it will tell who writes to whom."""
    user = "let Ringback's user write to it and to its directory"
    try:
        require_place(path)
        # An existing file is not opened here: closing it would drop the locks that another store of
        # this process holds on it (POSIX advisory locks).
        is_new = not path.exists()
        path.touch(mode=0o600, exist_ok=True)
        if is_new and os.geteuid() == 0:
            # Or root's `ringback check`, before the service has ever run, keeps its user out.
            folder = path.parent.stat()
            os.chown(path, folder.st_uid, folder.st_gid)
    except PermissionError as error:
        raise unable(path, "access is denied", user) from error
    except OSError as error:
        raise unable(path, error.strerror or str(error), _ELSEWHERE) from error


def _connect(path: Path) -> sqlite3.Connection:
    # isolation_level=None: transactions begin where we say so, and nowhere else.
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=PREPARED,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA synchronous = NORMAL")
    # What goes is written over where it lies; SQLite as Debian builds it would rewrite each page that has
    # become empty, and cleaning is mostly that.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    value: int | str = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value


def _refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not empty and _pragma(connection, "application_id") != APPLICATION_ID:
        raise unable(path, "it is the database of another program", _NOT_OURS)


def _choose_wal(path: Path, connection: sqlite3.Connection) -> None:
    for attempt in range(1, WAL_ATTEMPTS + 1):
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
            raise unable(path, "its file system cannot share memory", "use a local disk")
        except sqlite3.OperationalError as error:
            if attempt == WAL_ATTEMPTS or not is_locked(error):
                raise
            # SQLite does not wait for the lock in order to change the mode, but it does here.
            with transaction(connection):
                pass


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    if _pragma(connection, "user_version") == VERSION:
        return
    with transaction(connection):
        version = int(_pragma(connection, "user_version"))  # another process may have been faster
        if version > VERSION:
            raise unable(path, "it is from a newer Ringback", f"upgrade, or {_ELSEWHERE}")
        for number, script in MIGRATIONS.items():
            if number > version:
                for statement in statements(script):
                    connection.execute(statement)
