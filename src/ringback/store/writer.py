"""The one thread that writes: what is saved within a few milliseconds becomes one transaction.

Between transactions it notices what other processes wrote, and sweeps out what has expired.
Not here: SQL (queries.sql), rows (codec.py), what is kept in memory (sqlite.py).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import StoreError
from .batch import Batch
from .complaints import Complaints
from .database import DatabaseFile, data_version, explain, is_locked, transaction
from .queries import QUERIES

T = TypeVar("T")

# What is saved is committed within 50 ms: this long it gathers company, the rest is for the commit.
LINGER_S = 0.02
# How soon we notice that another process has written.
POLL_S = 0.5
# A batch is held in memory until the disk takes it. Callouts make some hundred records a second at
# most, so this many waiting means a disk that has stalled.
MAX_PENDING = 20_000
# Expired records go at this pace, some milliseconds a batch, so that nothing has to wait for them.
SWEEP_ROWS = 500
SWEEP_EVERY_S = 30.0
_SWEEPS = ("sweep_entries", "sweep_facts", "sweep_waits")

_LOST = "saves were lost"
_CLOSED = StoreError("it was closed before them")
_STALLED = StoreError("it cannot keep up with them", "look for what keeps its disk busy")


@dataclass(frozen=True, slots=True)
class _Errand:
    """Something to do in the thread, when all that was saved before is committed."""

    work: Callable[[sqlite3.Connection], Any]
    done: Future[Any]


class Writer:
    """What is saved and what is to be done, in order, in a thread of its own.

    Methods without an underscore belong to the event loop, the others to the thread. What other
    connections commit after `seen_version` is told to `on_foreign_write`, in the event loop.
    """

    def __init__(
        self,
        file: DatabaseFile,
        connection: sqlite3.Connection,
        seen_version: int,
        complaints: Complaints,
        clock: Callable[[], float],
        on_foreign_write: Callable[[], None],
    ) -> None:
        self.commits = 0  # transactions that carried what was saved
        self._file, self._complaints, self._clock = file, complaints, clock
        self._on_foreign_write = on_foreign_write
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._seen_version = seen_version
        self._swept_at: float | None = None
        self._wake = threading.Condition()  # guards the five below
        self._gathering = Batch()
        self._committing = Batch()
        self._errands: list[_Errand] = []
        self._taken: list[_Errand] = []
        self._closing = False
        self._ended: Future[None] = Future()
        self._ended.set_running_or_notify_cancel()  # nobody's impatience may cancel the end
        # A daemon: a program that ends without closing us must not hang. It loses the last 50 ms.
        threading.Thread(target=self._run, name="ringback-store-writer", daemon=True).start()

    def save(self, add: Callable[[Batch], None]) -> None:
        """Let `add` put something into the batch that is committed next."""
        with self._wake:
            if not self._closing and len(self._gathering) < MAX_PENDING:
                idle = not self._gathering
                add(self._gathering)
                if idle:
                    self._wake.notify()
                return
            why = _CLOSED if self._closing else _STALLED
        self._complaints.report(_LOST, f"{self._file.path}: {why.what}", why.remedy)

    def uncommitted(self) -> tuple[Batch, Batch]:
        """What is saved and not committed yet, the newer batch first.

        Whoever looks here before reading from disk misses nothing.
        """
        with self._wake:
            return self._gathering, self._committing

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` when all that was saved before is committed. Raises StoreError if either fails."""
        errand = _Errand(work, Future())
        with self._wake:
            if self._closing:
                raise StoreError(f"{self._file.path}: it was closed")
            self._errands.append(errand)
            self._wake.notify()
        result: T = await asyncio.wrap_future(errand.done)
        return result

    async def close(self) -> None:
        """Commit what is saved, let go of the file, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.wrap_future(self._ended)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._connection.close()
            with self._wake:
                self._closing = True
            closed = StoreError(f"{self._file.path}: it was closed")
            if self._gathering:
                self._complain(_LOST, closed)
            for errand in (*self._taken, *self._errands):
                if not errand.done.done():
                    errand.done.set_exception(closed)
            self._ended.set_result(None)

    def _turn(self) -> bool:
        """Commit what was saved, then do what was asked for; False when that was the last time."""
        closing = self._take()
        failure = self._commit(self._committing)
        self._notice_others()
        for errand in self._taken:
            self._perform(errand, failure)
        if not closing:
            self._sweep()
        return not closing

    def _take(self) -> bool:
        """Wait until there is something to do, and a little longer for its company; say if it is the last."""
        sweeping = self._swept_at is None
        with self._wake:
            self._wake.wait_for(self._is_wanted, LINGER_S if sweeping else POLL_S)
            self._wake.wait_for(self._is_urgent, LINGER_S)
            self._committing, self._gathering = self._gathering, Batch()
            self._taken, self._errands = self._errands, []
            return self._closing

    def _is_wanted(self) -> bool:
        return bool(self._gathering or self._errands or self._closing)

    def _is_urgent(self) -> bool:
        """Somebody waits for it, or there is nothing that could have company."""
        return bool(self._errands or self._closing or not self._gathering)

    def _commit(self, batch: Batch) -> StoreError | None:
        """Commit `batch`, or keep it for later, or report it lost; say what prevented it."""
        failure, kept = None, Batch()
        if batch:
            try:
                self._file.ensure_there()
                self._write(batch)
            except sqlite3.Error as error:
                failure = explain(self._file.path, error)
                kept = batch if is_locked(error) else kept
            except StoreError as error:
                failure = error
        with self._wake:
            self._gathering = kept.followed_by(self._gathering) if kept else self._gathering
            self._committing = Batch()
        if failure is not None:
            self._complain("saves wait" if kept else _LOST, failure)
        return failure

    def _write(self, batch: Batch) -> None:
        queries, refused = batch.encode()
        with transaction(self._connection):
            for name, rows in queries.items():
                self._connection.executemany(QUERIES[name], rows)
        self.commits += 1
        if refused:
            self._complain(_LOST, StoreError(f"{refused} records are not Unicode text"))

    def _perform(self, errand: _Errand, failure: StoreError | None) -> None:
        if not errand.done.set_running_or_notify_cancel():
            return
        try:
            if failure is not None:
                raise failure
            self._file.ensure_there()
            errand.done.set_result(errand.work(self._connection))
        except StoreError as error:
            errand.done.set_exception(error)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            errand.done.set_exception(explain(self._file.path, error))

    def _notice_others(self) -> None:
        try:
            version = data_version(self._connection)
        except sqlite3.Error:
            return  # whoever saves or loads next is told what is wrong
        if version != self._seen_version:
            self._seen_version = version
            self._tell(self._on_foreign_write)

    def _sweep(self) -> None:
        now = self._clock()
        # A clock that stepped back must not stop the sweeping until it has caught up.
        if self._swept_at is not None and 0 <= now - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at = now
        parameters = {"now": now, "most": SWEEP_ROWS}
        try:
            with transaction(self._connection):
                swept = [
                    self._connection.execute(QUERIES[name], parameters).rowcount for name in _SWEEPS
                ]
        except sqlite3.Error as error:
            if not is_locked(error):  # then there is a next time
                self._complain("expired records stay", explain(self._file.path, error))
        else:
            self._swept_at = None if max(swept) == SWEEP_ROWS else now

    def _complain(self, kind: str, failure: StoreError) -> None:
        self._tell(self._complaints.report, kind, failure.what, failure.remedy)

    def _tell(self, listener: Callable[..., None], *arguments: str) -> None:
        # A loop that has been closed has nobody left to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(listener, *arguments)
