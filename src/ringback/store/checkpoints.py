"""Moving what is committed from the journal (WAL) to where it belongs, in a thread of its own.

SQLite would have it done by who commits, once in a thousand pages, and whatever is spent meanwhile would wait
for the disk. Not here: committing (writer.py).
"""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

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
    """Has a connection and a thread of its own. What has no underscore belongs to the writer's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._moved_at = 0  # changes
        self._has_no_end = False  # of the last move, which sets it
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringback-store-checkpoints")
        # The last move. None yet: that the thread cannot be begun is to show now.
        self._moving: Future[None] = self._thread.submit(lambda: None)

    @property
    def is_moving(self) -> bool:
        return not self._moving.done()

    def note(self, writer: sqlite3.Connection) -> BaseException | None:
        """Something may have been committed on the connection `writer`: have it moved when it is much.

        Returns the bug that ended the move before, which nobody else has heard of.
        """
        if self.is_moving:
            return None
        if self._has_no_end:
            self._has_no_end = False
            with suppress(sqlite3.Error):  # then there is a next time
                writer.execute(_MOVE).fetchone()
        elif writer.total_changes - self._moved_at >= EVERY_ROWS:
            self._moved_at = writer.total_changes
            before, self._moving = self._moving, self._thread.submit(self._move)
            return before.exception()
        return None

    def close(self) -> None:
        """End the thread, and let go of the file."""
        self._closing = True
        self._thread.shutdown()
        self._connection.close()

    # In the thread.

    def _move(self) -> None:
        with suppress(sqlite3.Error):  # whoever saves next is told what is wrong
            self._has_no_end = self._move_all()

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
