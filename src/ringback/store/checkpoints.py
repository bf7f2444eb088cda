"""Moving what is committed from the journal (WAL) to where it belongs, in a thread of its own.

SQLite would have it done by who commits, once in a thousand pages, and whatever is spent meanwhile would wait
for the disk. Not here: committing (writer.py).
"""

import sqlite3
import threading
from contextlib import closing, suppress

from .database import data_version

# Rows that have changed; each is one page of the journal, or two.
EVERY_ROWS = 1_000
# Pages of 4 kB. While more are committed behind those that are moved, a journal has no end: beyond this, the
# writer moves the last ones itself.
JOURNAL_PAGES = 3_000
# SQLite has the disk write the database when nothing came meanwhile, which takes longest: that must not be
# left to the writer, so it is tried so often.
MOST_TIMES = 5

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"  # waits for nobody, and nobody for it


class Checkpointer:
    """Has a connection of its own. What has no underscore belongs to the writer's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._moved_at = 0  # changes
        self._is_busy = False
        self._has_no_end = False
        self._closing = False
        self._wake = threading.Event()
        name = "ringback-store-checkpoints"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_moving(self) -> bool:
        """A move is called for, or under way."""
        # In this order: who is woken is busy before the call is cleared.
        return self._thread.is_alive() and (self._wake.is_set() or self._is_busy)

    def note(self, writer: sqlite3.Connection) -> None:
        """Something may have been committed on the connection `writer`."""
        if self._has_no_end:
            self._has_no_end = False
            with suppress(sqlite3.Error):  # then there is a next time
                writer.execute(_MOVE).fetchone()
        elif writer.total_changes - self._moved_at >= EVERY_ROWS:
            self._moved_at = writer.total_changes
            self._wake.set()

    def close(self) -> None:
        """End the thread, and let go of the file."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(self._connection):
            # Asked after the call is cleared, or a call to close could be cleared with it.
            while not self._closing:
                self._wake.wait()
                self._is_busy = True
                self._wake.clear()
                try:
                    with suppress(sqlite3.Error):  # whoever saves next is told what is wrong
                        self._has_no_end = self._move()
                finally:
                    self._is_busy = False

    def _move(self) -> bool:
        """Move what there is; False where all was moved, or the journal may well grow on."""
        for _ in range(MOST_TIMES):
            if self._closing:
                return False
            version = data_version(self._connection)
            _, pages, _ = self._connection.execute(_MOVE).fetchone()
            if pages <= JOURNAL_PAGES or version == data_version(self._connection):
                return False
        return True
