"""What has expired goes, and of what is too much, what expires first.

In portions of a millisecond or little more and their commits, each of one duty, so that nothing has to wait
long for them; only counting a large table, once in ten minutes, takes some tens.
Not here: SQL (queries.sql), and the thread that this is done in (writer.py).
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from .database import is_locked, transaction
from .queries import QUERIES

SWEEP_EVERY_S = 30.0
# Who spends waits for one portion at most, and for its commit, which takes as long again. He has the thread
# to himself for the rest of the time.
PORTION_S = 0.001
REST_S = 0.005
# It is done in steps of as many rows as this takes: whoever finds them in memory does some ten, a slow disk
# one. Rows with a dialogue take half a page each, and those that go together lie scattered: behind some that
# are in memory may be others that are not, and take a hundred times as long.
STEP_S = PORTION_S / 4
FIRST_ROWS, MOST_ROWS = 10, 1_000
# A budget that is whole is as good as none, but a charge that waits for its turn may be as old as this.
RECOVERED_FOR_S = 60.0
# Counting takes some tens of milliseconds in the largest tables.
COUNT_EVERY_S = 600.0
# A call that began so long ago is not under way any more, whatever its deadlines: we were stopped in it.
STOPPED_AFTER_S = 3_600.0
# As many as 24 GB hold, at 2 kB each with its evidence: ten million and more. Callouts are bounded by
# budgets, but not the verdicts that cost none: on domains that do not exist. Mails that wait are bounded
# by rules/waiting.py.
MAX_ENTRIES = 12_000_000
MAX_FACTS = 1_000_000
MAX_ACQUAINTANCES = 1_000_000
# The audit of the last 50 hours at the default budget, whatever time it is to be kept for.
MAX_CALLS = 1_000_000

_EXPIRING = (
    "sweep_entries",
    "sweep_facts",
    "sweep_waits",
    "sweep_acquaintances",
    "sweep_calls",
)
# Of a list that is forgotten its jobs go first, so that its number stays taken until they have.
_OF_LISTS = ("sweep_lists", "sweep_jobs", "sweep_list_domains", "drop_lists")
# Calls that were stopped go where the others lie.
_OF_STOPPED = ("keep_stopped_calls", "drop_stopped_calls")

_Work = Callable[[sqlite3.Connection, int], int]


@dataclass(slots=True, eq=False)
class _Duty:
    """Goes through a table: `work` through up to so many rows, and says how many there were."""

    work: _Work
    rows: int = FIRST_ROWS

    def do(self, connection: sqlite3.Connection, elapsed: Callable[[], float]) -> bool:
        """Do one portion, and say whether there may be more."""
        ends_at = elapsed() + PORTION_S
        with transaction(connection):
            while self._step(connection, elapsed):
                if elapsed() >= ends_at:
                    return True
        return False

    def _step(self, connection: sqlite3.Connection, elapsed: Callable[[], float]) -> bool:
        rows, began_at = self.rows, elapsed()
        found = self.work(connection, rows)
        took_s = elapsed() - began_at
        # No faster than by doubling: the next rows may lie elsewhere.
        fitting = int(rows * min(2.0, STEP_S / took_s)) if took_s > 0 else 2 * rows
        if found == rows or fitting < rows:
            self.rows = max(1, min(fitting, MOST_ROWS))
        return found == rows


@dataclass(slots=True)
class _Trim:
    """What lessens a table that has more than `most` rows. `surplus`: when they were counted last."""

    total: str
    query: str
    most: int
    elapsed: Callable[[], float]
    counted_at: float | None = None  # elapsed
    surplus: int = 0

    def lessen(self, connection: sqlite3.Connection, rows: int) -> int:
        now = self.elapsed()
        if self.counted_at is None or now - self.counted_at >= COUNT_EVERY_S:
            self.counted_at = now
            self.surplus = connection.execute(QUERIES[self.total]).fetchone()[0] - self.most
        most = min(rows, self.surplus)
        if most <= 0:
            return 0
        gone = connection.execute(QUERIES[self.query], {"most": most}).rowcount
        self.surplus -= gone
        return gone


@dataclass(slots=True)
class _Passage:
    """What goes through a table that has no index by time, in the order of its keys.

    `seek` finds the next stretch, in which `queries` see to what is as old as `until`.
    """

    seek: str
    queries: Sequence[str]
    until: Callable[[], float]
    after: str = ""

    def sweep(self, connection: sqlite3.Connection, rows: int) -> int:
        sought = {"after": self.after, "most": rows}
        found, last = connection.execute(QUERIES[self.seek], sought).fetchone()
        if found:
            stretch = {"after": self.after, "last": last, "until": self.until()}
            for query in self.queries:
                connection.execute(QUERIES[query], stretch)
        self.after = last if found == rows else ""
        return int(found)


class Sweeper:
    """Knows when it is time. `audit_keep_s`: how long calls are kept."""

    def __init__(
        self, clock: Callable[[], float], elapsed: Callable[[], float], audit_keep_s: float
    ) -> None:
        self._clock, self._elapsed, self._audit_keep_s = clock, elapsed, audit_keep_s
        self._began_at: float | None = None  # the last round
        self._rests_until = 0.0  # elapsed
        self._left: deque[_Duty] = deque()  # of that round
        self._round = [*self._duties()]

    @property
    def is_behind(self) -> bool:
        """Whether there is more to sweep than was."""
        return bool(self._left)

    def is_due(self) -> bool:
        # A clock that stepped back must not stop the sweeping until it has caught up.
        passed = self._began_at is None or not 0 <= self._clock() - self._began_at < SWEEP_EVERY_S
        return (self.is_behind or passed) and self._elapsed() >= self._rests_until

    def sweep(self, connection: sqlite3.Connection) -> None:
        """Do one portion of one duty.

        Raises sqlite3.Error, and then that duty waits for the next round; behind a lock, all do.
        """
        if not self._left:
            self._began_at = self._clock()
            self._left.extend(self._round)
        duty = self._left.popleft()
        try:
            if duty.do(connection, self._elapsed):
                self._left.append(duty)
        except sqlite3.Error as error:
            at = self._round.index(duty)
            self._round[at] = self._duties()[at]  # what it has noted of its way was not done
            if is_locked(error):
                self._left.clear()  # each of the others would wait for the lock as long
            raise
        finally:
            self._rests_until = self._elapsed() + REST_S

    def _duties(self) -> tuple[_Duty, ...]:
        elapsed = self._elapsed
        works: tuple[_Work, ...] = (
            *(partial(self._expire, query) for query in _EXPIRING),
            self._sweep_lists,
            _Passage("seek_budgets", ["sweep_budgets"], lambda: elapsed() - RECOVERED_FOR_S).sweep,
            _Passage("seek_begun", _OF_STOPPED, lambda: self._clock() - STOPPED_AFTER_S).sweep,
            _Trim("weigh_entries", "trim_entries", MAX_ENTRIES, elapsed).lessen,
            _Trim("total_facts", "trim_facts", MAX_FACTS, elapsed).lessen,
            _Trim("count_acquaintances", "trim_acquaintances", MAX_ACQUAINTANCES, elapsed).lessen,
            _Trim("total_calls", "trim_calls", MAX_CALLS, elapsed).lessen,
        )
        return tuple(map(_Duty, works))

    def _expire(self, query: str, connection: sqlite3.Connection, rows: int) -> int:
        now = self._clock()
        parameters = {"now": now, "audited_until": now - self._audit_keep_s, "most": rows}
        return connection.execute(QUERIES[query], parameters).rowcount

    def _sweep_lists(self, connection: sqlite3.Connection, rows: int) -> int:
        return max(self._expire(query, connection, rows) for query in _OF_LISTS)
