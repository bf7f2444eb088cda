"""Opening an SQLite store: the file, who has it open, and a connection for each thread that uses it.

Not here: what the threads do (reader.py, writer.py), and making the file (database.py).
"""

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from . import session as sessions
from .database import DatabaseFile, data_version, prepare
from .session import Session


@dataclass(frozen=True, slots=True)
class Opened:
    """A database file and the four connections to it, one a thread."""

    file: DatabaseFile
    session: Session
    writer: sqlite3.Connection
    writer_seen_version: int
    answers: sqlite3.Connection
    surveys: sqlite3.Connection
    checkpoints: sqlite3.Connection

    def close(self) -> None:
        """Let go of a file that no store was made of."""
        with suppress(sqlite3.Error):  # then it counts as killed, which is the safe side
            self.session.end(self.writer)
        self.session.release()
        for connection in (self.writer, self.answers, self.surveys, self.checkpoints):
            connection.close()


def open_file(path: Path, boot: str, elapsed: Callable[[], float]) -> Opened:
    """Open the file, made if need be, for the run of the machine that `boot` names. Raises StoreError."""
    file = prepare(path.absolute())
    with ExitStack() as undo:
        writer, *others = (undo.enter_context(closing(file.connect())) for _ in range(4))
        session = sessions.begin(file, writer, boot, elapsed)
        undo.pop_all()
    writer.execute("PRAGMA wal_autocheckpoint = 0")  # see checkpoints.py
    return Opened(file, session, writer, data_version(writer), *others)
