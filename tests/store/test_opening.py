"""Opening: a connection for each thread, and taking leave of what nobody uses."""

from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.store.opening import open_file
from ringback.store.queries import QUERIES

RUN = "one run"


def test_each_thread_has_a_connection_to_the_one_file(path: Path) -> None:
    opened = open_file(path, RUN, lambda: 1.0)
    opened.writer.execute("INSERT INTO secret VALUES ('a', 'b')")
    seen = [
        connection.execute("SELECT name FROM secret").fetchone()[0]
        for connection in (opened.writer, opened.answers, opened.surveys)
    ]
    opened.close()

    assert ["a"] * 3 == seen
    assert opened.file.path == path


def test_who_lets_go_of_a_file_unused_has_taken_leave(path: Path) -> None:
    open_file(path, RUN, lambda: 1.0).close()
    again = open_file(path, RUN, lambda: 2.0)
    sessions = [row["id"] for row in again.writer.execute(QUERIES["list_sessions"])]
    epoch = again.writer.execute(QUERIES["load_epoch"]).fetchone()
    again.close()

    assert [1] == sessions
    assert epoch["empty_since"] is None  # bursts are what they were


def test_a_file_that_cannot_be_opened_is_left_alone(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreError, match="not an SQLite database"):
        open_file(path, RUN, lambda: 1.0)

    assert b"no database" == path.read_bytes()[:11]
