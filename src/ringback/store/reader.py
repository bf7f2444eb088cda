"""Reading, on a connection and in a thread of its own, so that neither a long write nor a long search
stalls an answer.

What is asked for while a read is under way is read together next: to go to the thread and back costs more
than most reads. Not here: which rows are wanted (sqlite.py), and what they mean (codec.py).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

from ..errors import StoreError
from ..values.record import Record
from .database import DatabaseFile, explain
from .queries import QUERIES

T = TypeVar("T")
Parameters = Mapping[str, str | float]
_Outcome = list[Any] | BaseException


class _Wish(Record, frozen=True, gc=True):
    """Rows that somebody waits for."""

    statement: str
    parse: Callable[[sqlite3.Row], Any]
    parameters: Parameters
    rows: asyncio.Future[list[Any]]  # belongs to the event loop


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
        self._loop = asyncio.get_running_loop()
        self._wishes: list[_Wish] = []  # for the next read
        self._reading = False
        self._closed = False
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._asked: SimpleQueue[list[_Wish]] = SimpleQueue()  # none: that was the last
        # By hand: what a pool does for each task, and asyncio to await it, takes as long as a read.
        # A daemon: a program that ends without close() must not wait for a search.
        threading.Thread(target=self._run, name="ringback-store-reader", daemon=True).start()

    async def read(
        self, query: str, parse: Callable[[sqlite3.Row], T], parameters: Parameters | None = None
    ) -> list[T]:
        """The rows of a named query; one that cannot be read is left out. Raises StoreError."""
        if self._closed:
            raise StoreError(f"{self._file.path}: it was closed")
        wish = _Wish(QUERIES[query], parse, parameters or {}, self._loop.create_future())
        self._wishes.append(wish)
        if not self._reading:
            self._reading = True
            self._loop.call_soon(self._begin)  # what is asked for at the same time goes along
        rows = await wish.rows
        readable = [row for row in rows if not isinstance(row, ValueError)]
        if len(readable) < len(rows):
            self._on_unreadable(len(rows) - len(readable))
        return readable

    async def close(self) -> None:
        """Read what was asked for before, and let go."""
        if not self._closed:
            self._closed = True
            if not self._reading:
                self._asked.put([])
        await asyncio.shield(self._ended)

    def _begin(self) -> None:
        """Have read what was asked for; when it was closed and nothing was, that is the end."""
        wishes, self._wishes = self._wishes, []
        self._asked.put(wishes)

    def _end(self, wishes: Sequence[_Wish], outcomes: Sequence[_Outcome]) -> None:
        """Tell those who still wait."""
        self._reading = bool(self._wishes)
        if self._reading or self._closed:
            self._begin()
        for wish, outcome in zip(wishes, outcomes, strict=True):
            if wish.rows.done():
                continue
            if isinstance(outcome, BaseException):
                wish.rows.set_exception(outcome)
            else:
                wish.rows.set_result(outcome)

    # In the thread.

    def _run(self) -> None:
        try:
            while wishes := self._asked.get():
                self._tell(self._end, wishes, [self._read(wish) for wish in wishes])
                del wishes  # else their rows would be kept until somebody reads again
            self._connection.close()
        finally:
            self._tell(self._ended.set_result, None)

    def _tell(self, listener: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(listener, *arguments)
        except RuntimeError:  # a loop that has been closed has nobody left to be told, or to ask
            self._asked.put([])

    def _read(self, wish: _Wish) -> _Outcome:
        try:
            self._file.ensure_there()
            rows = self._connection.execute(wish.statement, wish.parameters)
            return [_attempt(wish.parse, row) for row in rows]
        except StoreError as error:
            return error
        except (sqlite3.Error, UnicodeEncodeError) as error:
            return explain(self._file.path, error)
        except BaseException as bug:
            return bug  # who asked is to hear of it


def _attempt(parse: Callable[[sqlite3.Row], T], row: sqlite3.Row) -> T | ValueError:
    try:
        return parse(row)
    except ValueError as error:
        return error
