"""Reading, on a connection and in a thread of its own, so that neither a long write nor a long search
stalls an answer.

Not here: which rows are wanted (sqlite.py), and what they mean (codec.py).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ..errors import StoreError
from .database import DatabaseFile, explain
from .queries import QUERIES

T = TypeVar("T")
Parameters = Mapping[str, str | float]


class Reader:
    """One connection that only reads. `on_unreadable` is told how many rows no version of ours wrote."""

    def __init__(
        self,
        file: DatabaseFile,
        connection: sqlite3.Connection,
        on_unreadable: Callable[[int], None],
    ) -> None:
        self._file, self._connection, self._on_unreadable = file, connection, on_unreadable
        connection.execute("PRAGMA query_only = ON")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ringback-store-reader")
        self._closed = False

    async def read(
        self, query: str, parse: Callable[[sqlite3.Row], T], parameters: Parameters | None = None
    ) -> list[T]:
        """The rows of a named query; one that cannot be read is left out. Raises StoreError."""
        if self._closed:
            raise StoreError(f"{self._file.path}: it was closed")
        work = partial(self._read, QUERIES[query], parse, parameters or {})
        rows = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        readable = [row for row in rows if not isinstance(row, ValueError)]
        if len(readable) < len(rows):
            self._on_unreadable(len(rows) - len(readable))
        return readable

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._connection.close)
            self._thread.shutdown(wait=False)

    def _read(
        self, statement: str, parse: Callable[[sqlite3.Row], T], parameters: Parameters
    ) -> list[T | ValueError]:
        self._file.ensure_there()
        try:
            return [_attempt(parse, row) for row in self._connection.execute(statement, parameters)]
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise explain(self._file.path, error) from error


def _attempt(parse: Callable[[sqlite3.Row], T], row: sqlite3.Row) -> T | ValueError:
    try:
        return parse(row)
    except ValueError as error:
        return error
