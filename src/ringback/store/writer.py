"""The one thread that writes: what is saved within a few milliseconds becomes one transaction.

What is spent waits for no company, but what is saved does, also while others spend: pages that many records
share are written once. What is spent while another transaction is under way becomes the next one. It notices
what other processes wrote, with each transaction and while there are none, and sweeps out between them.
Not here: the transactions themselves (transactions.py), what is kept in memory (recent.py).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ..errors import StoreError
from .batch import Batch
from .budgets import Budgets
from .checkpoints import Checkpointer
from .complaints import Complaints
from .database import DatabaseFile, explain, is_locked
from .errands import Errand, settle_all
from .session import Session
from .sweeper import REST_S, Sweeper
from .transactions import Transactions

T = TypeVar("T")

# What is saved is committed within 50 ms: it gathers company so long, then goes with what is spent next.
LINGER_S = 0.01
# Or alone, when nothing is; the rest is for the commit.
LATEST_S = 0.02
# How soon we notice that another process has written, and commit what a hanging loop's timer has not.
POLL_S = 0.5
# A batch is held in memory until the disk takes it. Callouts make some hundred records a second at
# most, so this many waiting means a disk that has stalled.
MAX_PENDING = 20_000

_LOST = "saves were lost"
_CLOSED = StoreError("it was closed before them")
_STALLED = StoreError("it cannot keep up with them", "look for what keeps its disk busy")


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
        session: Session,
        complaints: Complaints,
        sweeper: Sweeper,
        checkpoints: Checkpointer,
        on_foreign_write: Callable[[], None],
    ) -> None:
        self._file, self._session = file, session
        self._complaints, self._sweeper = complaints, sweeper
        self._checkpoints, self._on_foreign_write = checkpoints, on_foreign_write
        self._loop, self._connection = asyncio.get_running_loop(), connection
        self._transactions = Transactions(file, connection, seen_version)
        self._seen_version = seen_version
        self._has_lost = False  # then what was charged may be among it
        self._is_losing = False  # the last batch was lost
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()  # of the eight below
        self._has_rung = False
        self._gathering = Batch()
        self._gathering_since = 0.0  # by the loop's clock
        self._is_due = False  # it has had time for company
        self._committing = Batch()
        self._errands: list[Errand] = []
        self._taken: list[Errand] = []
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None  # of the event loop
        self._outcomes: list[tuple[Errand, Any]] = []  # of the turn, not told yet
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # A daemon: a program that ends without closing us must not hang. It loses what is not committed yet.
        threading.Thread(target=self._run, name="ringback-store-writer", daemon=True).start()

    @property
    def commits(self) -> int:
        """Transactions that carried what was saved or spent."""
        return self._transactions.commits

    def save(self, add: Callable[[Batch], None]) -> None:
        """Let `add` put something into the batch that is committed next."""
        with self._lock:
            if not self._closing and len(self._gathering) < MAX_PENDING:
                if not self._gathering:
                    self._begin_gathering()
                add(self._gathering)
                return
            self._has_lost = True
            why = _CLOSED if self._closing else _STALLED
        self._complaints.report(_LOST, f"{self._file.path}: {why.what}", why.remedy)

    def _begin_gathering(self) -> None:
        # To wake the thread costs more than a timer.
        self._gathering_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(LATEST_S, self._end_gathering)

    def _end_gathering(self) -> None:
        """Have committed what has had time for company; of a batch that has gone, the next one may not."""
        with self._lock:
            due_at = self._gathering_since + LATEST_S
            self._is_due = bool(self._gathering) and due_at <= self._loop.time()
            waits = self._gathering and not self._is_due
            self._timer = self._loop.call_at(due_at, self._end_gathering) if waits else None
            if self._is_due:
                self._ring()

    def uncommitted(self) -> tuple[Batch, Batch]:
        """What is saved and not committed yet, the newer batch first.

        Whoever looks here before reading from disk misses nothing.
        """
        with self._lock:
            return self._gathering, self._committing

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` when all that was saved before is committed. Raises StoreError if either fails."""
        result: T = await self._run_errand(Errand(work, self._loop.create_future(), shares=False))
        return result

    async def spend(self, work: Callable[[Budgets], T]) -> T:
        """Do `work` in a transaction with others of its kind, in which all that was charged before counts.

        None holds unless all do. It must not fail once it has spent something.
        """
        result: T = await self._run_errand(Errand(work, self._loop.create_future(), shares=True))
        return result

    async def _run_errand(self, errand: Errand) -> Any:
        with self._lock:
            if self._closing:
                raise StoreError(f"{self._file.path}: it was closed")
            self._errands.append(errand)
            if self._gathering and self._gathering_since + LINGER_S <= self._loop.time():
                self._is_due = True
            self._ring()
        return await errand.done

    def _ring(self) -> None:
        """Wake the thread, once for all that comes until it looks. The lock is held."""
        if not self._has_rung:
            self._has_rung = True
            self._bell.put(None)

    async def close(self) -> None:
        """Commit what is saved, let go of the file, and end the thread."""
        with self._lock:
            self._closing = True
            self._ring()
        await asyncio.shield(self._ended)  # nobody's impatience may cancel the end

    def _run(self) -> None:
        with ExitStack() as leaving:  # the last one first, whatever fails
            leaving.callback(self._end)
            leaving.callback(self._session.release)
            leaving.callback(lambda: self._complain_of_move(self._checkpoints.close()))
            leaving.callback(self._connection.close)
            while self._turn():
                pass
            self._take_leave()

    def _end(self) -> None:
        """Tell those who still wait that it was closed."""
        with self._lock:
            self._closing = True
        closed = StoreError(f"{self._file.path}: it was closed")
        if self._gathering:
            self._complain(_LOST, closed)
        left = [(errand, closed) for errand in (*self._taken, *self._errands)]
        self._tell(settle_all, [*self._outcomes, *left])
        self._tell(self._ended.set_result, None)

    def _turn(self) -> bool:
        """Commit what was saved and spent, then do the rest; False when that was the last time."""
        closing = self._take()
        failure = self._commit(self._committing, [one for one in self._taken if one.shares])
        self._tell_of_others()
        self._perform([one for one in self._taken if not one.shares], failure)
        # All at once: to wake the event loop costs more than most errands.
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            self._tell(settle_all, outcomes)
        if not closing:
            self._complain_of_move(self._checkpoints.note(self._connection))
            self._sweep()
        return not closing

    def _take(self) -> bool:
        """Wait until there is something to do; say if it is the last."""
        with suppress(Empty):
            self._bell.get(timeout=REST_S if self._sweeper.is_behind else POLL_S)
        with self._lock:
            self._taken, self._errands = self._errands, []
            self._committing = self._take_batch()
            self._has_rung = self._is_due = False
            return self._closing

    def _take_batch(self) -> Batch:
        """What is to be committed now: all; or, with what is spent, the charges, until the rest is due.

        Not after a loss: a call might still find room to begin where its end does not.
        """
        only_spent = self._taken and all(errand.shares for errand in self._taken)
        if only_spent and not (self._is_due or self._is_losing or self._closing):
            return self._gathering.take_charges()
        taken, self._gathering = self._gathering, Batch()
        return taken

    def _commit(self, batch: Batch, errands: list[Errand]) -> StoreError | None:
        """Commit `batch` and what is spent, or keep it for later, or report it lost; say why."""
        # What nobody waits for any more must not be charged.
        wanted = [errand for errand in errands if not errand.done.cancelled()]
        failure, kept = None, Batch()
        try:
            if batch or wanted:
                self._write(batch, wanted)
            else:
                self._transactions.notice_others()
        except sqlite3.Error as error:
            failure = explain(self._file.path, error)
            kept = batch if is_locked(error) else kept
        except StoreError as error:
            failure = error
        self._settle(batch, kept, failure)
        if failure is not None:
            self._outcomes += [(errand, failure) for errand in wanted]
        return failure if batch else None

    def _write(self, batch: Batch, errands: list[Errand]) -> None:
        self._file.ensure_there()
        refused, outcomes = self._transactions.write(batch, [errand.work for errand in errands])
        self._outcomes += zip(errands, outcomes, strict=True)
        if refused:
            self._complain(_LOST, StoreError(f"{refused} records are not Unicode text"))

    def _settle(self, batch: Batch, kept: Batch, failure: StoreError | None) -> None:
        """Nothing is being committed any more; what is `kept` is tried again."""
        with self._lock:
            if kept:
                self._gathering, self._is_due = kept.followed_by(self._gathering), True
                self._ring()
            self._committing = Batch()
        if batch:
            is_lost = failure is not None and not kept
            # Charges alone may find room where records do not.
            if is_lost or len(batch) > len(batch.charges):
                self._is_losing = is_lost
            self._has_lost |= is_lost
            if failure is not None:
                self._complain("saves wait" if kept else _LOST, failure)

    def _perform(self, errands: list[Errand], failure: StoreError | None) -> None:
        for errand in errands:
            if not errand.done.cancelled():
                outcome = failure or self._transactions.attempt(errand.work)
                self._outcomes.append((errand, outcome))

    def _tell_of_others(self) -> None:
        version = self._transactions.seen_version
        if version != self._seen_version:
            self._seen_version = version
            self._tell(self._on_foreign_write)

    def _complain_of_move(self, bug: BaseException | None) -> None:
        if bug is not None:
            self._complain("its journal was not moved", explain(self._file.path, bug))

    def _sweep(self) -> None:
        # What is swept while others move what was committed, they would not come to the end of.
        if self._checkpoints.is_moving or not self._sweeper.is_due():
            return
        try:
            self._sweeper.sweep(self._connection)
        except sqlite3.Error as error:
            if not is_locked(error):  # then there is a next time
                self._complain("expired records stay", explain(self._file.path, error))

    def _take_leave(self) -> None:
        """Unless something was lost, or cannot be written: then bursts start empty next time."""
        if self._has_lost or self._gathering:
            return
        with suppress(sqlite3.Error, StoreError, OSError):
            self._file.ensure_there()
            self._session.end(self._connection)

    def _complain(self, kind: str, failure: StoreError) -> None:
        self._tell(self._complaints.report, kind, failure.what, failure.remedy)

    def _tell(self, listener: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # a loop that has been closed has nobody left to be told
            self._loop.call_soon_threadsafe(listener, *arguments)
