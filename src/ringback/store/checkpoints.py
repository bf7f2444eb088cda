"""Moving what is committed from the journal (WAL) to where it belongs, in a thread of its own.

SQLite would have it done by who commits, once in a thousand pages, and whatever is spent meanwhile would wait
for the disk. Not here: committing (writer.py).
"""

import sqlite3
import threading
from contextlib import suppress
from queue import SimpleQueue

from .database import data_version

# Rows that have changed. Of budgets and calls, some four share a page of the journal; a verdict with its
# evidence takes one or two.
EVERY_ROWS = 1_000
# Pages of 4 kB. While more are committed behind those that are moved, a journal has no end: beyond this, the
# writer moves the last ones itself.
JOURNAL_PAGES = 3_000
# SQLite has the disk write the database when nothing came meanwhile, which takes longest: that must not be
# left to the writer, so it is tried so often.
MOST_TIMES = 5

_MOVE = "PRAGMA wal_checkpoint(PASSIVE)"  # waits for nobody, and nobody for it


class Checkpointer:
    """Has a connection and a thread of its own. What has no underscore belongs to the writer's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._moved_at = 0  # changes
        self._has_no_end = False  # of the last move, which sets it
        self._bug: BaseException | None = None  # that ended the last move, which sets it
        self._closing = False
        self.is_moving = False  # set before a move, and unset by it
        self._asked: SimpleQueue[bool] = SimpleQueue()  # False: that was the last
        # A daemon: a program that ends without close() must not wait for the disk.
        self._thread = threading.Thread(
            target=self._run, name="ringback-store-checkpoints", daemon=True
        )
        self._thread.start()

    def note(self, writer: sqlite3.Connection) -> BaseException | None:
        """Something may have been committed on the connection `writer`: have it moved when it is much.

        Returns the bug that ended the move before, which nobody else has heard of.
        """
        if self.is_moving:
            return None
        bug, self._bug = self._bug, None
        if self._has_no_end:
            self._has_no_end = False
            with suppress(sqlite3.Error):  # then there is a next time
                writer.execute(_MOVE).fetchone()
        elif writer.total_changes - self._moved_at >= EVERY_ROWS:
            self._moved_at = writer.total_changes
            self.is_moving = True
            self._asked.put(True)
        return bug

    def close(self) -> BaseException | None:
        """End the thread, and let go of the file; return the bug that ended the last move."""
        self._closing = True
        self._asked.put(False)
        self._thread.join()
        self._connection.close()
        return self._bug

    # In the thread.

    def _run(self) -> None:
        while self._asked.get():
            try:
                with suppress(sqlite3.Error):  # whoever saves next is told what is wrong
                    self._has_no_end = self._move_all()
            except BaseException as bug:
                self._bug = bug
            self.is_moving = False

    def _move_all(self) -> bool:
        """Move what there is; False where all was moved, or the journal may well grow on."""
        for _ in range(MOST_TIMES):
            if self._closing:
                return False
            version = data_version(self._connection)
            _, pages, _ = self._connection.execute(_MOVE).fetchone()
            if pages <= JOURNAL_PAGES or version == data_version(self._connection):
                return False
        return True
