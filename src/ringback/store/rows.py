"""Many rows in one statement. Not here: the statements (queries.sql), and what is in a row (codec.py)."""

import re
import sqlite3
from collections.abc import Sequence
from functools import cache

from .codec import Row
from .queries import QUERIES

_VALUES = "VALUES "
_ROW = re.compile(rf"{_VALUES}\(([^)]*)\)")
_NAME = re.compile(r":(\w+)")

# So many at once: each row of its own would cost a way through the interpreter, and its lock.
MAX_ROWS = 16


def run_for_all(connection: sqlite3.Connection, query: str, rows: Sequence[Row]) -> None:
    """Run a named statement for each of `rows`."""
    if not rows:
        return
    names = _names(query)
    if not names:
        connection.executemany(QUERIES[query], rows)
        return
    for first in range(0, len(rows), MAX_ROWS):
        some = rows[first : first + MAX_ROWS]
        values = [row[name] for row in some for name in names]
        connection.execute(_widened(query, len(some)), values)


@cache
def _names(query: str) -> tuple[str, ...]:
    """The parameters in the row of VALUES that a statement has, if it has one."""
    found = _ROW.search(QUERIES[query])
    return tuple(_NAME.findall(found[1])) if found else ()


@cache
def _widened(query: str, number: int) -> str:
    """The statement that has one row of VALUES, with so many."""

    def repeat(found: re.Match[str]) -> str:
        row = _NAME.sub("?", found[0].removeprefix(_VALUES))
        return _VALUES + ", ".join([row] * number)

    return _ROW.sub(repeat, QUERIES[query])
