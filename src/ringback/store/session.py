"""Who has the file open, and whether all who had it open took leave: or else bursts start empty.

Each store has a row, and beside the file a marker that it keeps locked (flock). The kernel unlocks it
when its process ends, however that happens: a row whose marker nobody has locked is of one that was
killed, and so is a row without a marker, as in a backup. No process ids: they come again, and differ
from one container to the next.
Not here: what budgets are (rules/pacing.py).
"""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from itertools import count
from pathlib import Path
from typing import IO

from ..values.record import Record
from .budgets import is_readable
from .database import DatabaseFile, explain, transaction, unable
from .queries import QUERIES

# Whoever may open the database must be able to try our lock; there is nothing to read in it.
_MODE = 0o644


class Session(Record, frozen=True, gc=True):
    """The time for which one store has the file open."""

    id: int
    path: Path
    marker: IO[bytes]

    def end(self, connection: sqlite3.Connection) -> None:
        """Take leave: all that was charged is committed. Raises sqlite3.Error."""
        with transaction(connection):
            connection.execute(QUERIES["end_session"], {"id": self.id})
            self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the lock. Whoever did not take leave before counts as killed."""
        self.marker.close()


def begin(
    file: DatabaseFile,
    connection: sqlite3.Connection,
    boot: str,
    elapsed: Callable[[], float],
) -> Session:
    """Sign on, and settle since when bursts are empty. Raises StoreError.

    `boot` names the run of the machine, in which `elapsed` is the same for all.
    """
    try:
        with ExitStack() as undo:
            # The transaction is what keeps any two apart who come or go at once.
            with transaction(connection):
                unclean = _bury_dead(file.path, connection)
                _settle_epoch(connection, boot, elapsed(), unclean)
                session = _sign_on(file.path, connection)
                undo.callback(session.release)
            undo.pop_all()
    except sqlite3.Error as error:
        raise explain(file.path, error) from error
    except OSError as error:
        reason = f"no marker can be made beside it: {error.strerror}"
        raise unable(file.path, reason, "let Ringback's user write to its directory") from error
    return session


def _bury_dead(path: Path, connection: sqlite3.Connection) -> bool:
    """Sign off whoever ended without taking leave, and say whether there was anyone."""
    dead = [number for number in _numbers(connection) if not _is_alive(_marker(path, number))]
    for number in dead:
        connection.execute(QUERIES["end_session"], {"id": number})
        with suppress(OSError):  # another user's: then it stays until it is used again
            _marker(path, number).unlink(missing_ok=True)
    return bool(dead)


def _settle_epoch(connection: sqlite3.Connection, boot: str, elapsed: float, unclean: bool) -> None:
    row = connection.execute(QUERIES["load_epoch"]).fetchone()
    if row is None:
        connection.execute(QUERIES["begin_epoch"], {"boot": boot})
        return
    if row["boot"] != boot:
        # Their instants say nothing in the time of this boot.
        connection.execute(QUERIES["forget_budgets"])
    if unclean or row["boot"] != boot or not is_readable(row):
        connection.execute(QUERIES["empty_bursts"], {"boot": boot, "empty_since": elapsed})


def _sign_on(path: Path, connection: sqlite3.Connection) -> Session:
    """Take the next number whose marker nobody holds; a store that has lost its file may hold one."""
    for number in count(max(_numbers(connection), default=0) + 1):
        marker = _marker(path, number).open("ab")
        try:
            flock(marker, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            marker.close()
            continue
        _marker(path, number).chmod(_MODE)
        connection.execute(QUERIES["begin_session"], {"id": number})
        break
    return Session(number, _marker(path, number), marker)


def _numbers(connection: sqlite3.Connection) -> list[int]:
    return [row["id"] for row in connection.execute(QUERIES["list_sessions"])]


def _marker(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}-open-{number}")


def _is_alive(marker: Path) -> bool:
    try:
        with marker.open("rb") as file:
            flock(file, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # not there, or nothing that we may lock: in doubt it is dead
        return False
    return False
