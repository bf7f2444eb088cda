"""A store that is looked into and stays as it is: nothing is made, migrated, signed or written.

For what is not the service: that may be running, and who looks may have no right to write.
Not here: the store that works (sqlite.py).
"""

import sqlite3
from pathlib import Path

from ..rules.freshness import Entry
from .codec import parse_entry
from .database import APPLICATION_ID, BUSY_TIMEOUT_S, VERSION, explain, unable
from .queries import QUERIES


class Glimpse:
    """Loads entries, in the thread of who asks: a row takes some 20 µs."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError with one line: file, reason, remedy."""
        self._path, self._journal = path.absolute(), Path(f"{path.absolute()}-wal")
        self._connection = self._look_anew()

    def load(self, key: str) -> Entry | None:
        """What is committed, and this version can read. Raises StoreError."""
        try:
            self._notice_others()
            for row in self._connection.execute(QUERIES["load_entry"], {"key": key}):
                return parse_entry(row)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise explain(self._path, error) from error
        except ValueError:  # a row of a neighbouring version
            return None
        return None

    def close(self) -> None:
        self._connection.close()

    def _notice_others(self) -> None:
        """A service may start meanwhile, write and end, between two looks: then the file has changed."""
        if self._is_still and (self._journal.exists() or self._state != self._state_now()):
            self.close()
            self._connection = self._look_anew()

    def _look_anew(self) -> sqlite3.Connection:
        # Its state first: what changes from here on is noticed.
        self._state, self._is_still = self._state_now(), not self._journal.exists()
        return self._open()

    def _state_now(self) -> tuple[int, ...] | None:
        """What is another once somebody has written; None where there is no file, as SQLite will say."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _open(self) -> sqlite3.Connection:
        # Who opens a database with a journal to come would make the journal's files; while nobody has it
        # open there are none, and "immutable" is what makes none.
        options = "mode=ro&immutable=1" if self._is_still else "mode=ro"
        try:
            connection = sqlite3.connect(
                f"{self._path.as_uri()}?{options}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,
            )
            connection.row_factory = sqlite3.Row
            self._require_ours(connection)
        except sqlite3.Error as error:
            raise explain(self._path, error) from error
        return connection

    def _require_ours(self, connection: sqlite3.Connection) -> None:
        found = tuple(
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        )
        if found == (APPLICATION_ID, VERSION):
            return
        connection.close()
        if found[0] != APPLICATION_ID:
            raise unable(self._path, "it is no store of Ringback", "name another in store.url")
        raise unable(
            self._path,
            "it is from another version of Ringback, and is not changed here",
            "start the service of this version first, or do without the store",
        )
