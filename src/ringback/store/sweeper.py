"""What has expired goes, and of what is too much, what expires first.

In small portions of one table, some milliseconds each, so that nothing has to wait for them.
Not here: SQL (queries.sql), and the thread that this is done in (writer.py).
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .database import transaction
from .queries import QUERIES

# Rows with a dialogue take a page each, and those that go together lie scattered.
SWEEP_ROWS = 50
SWEEP_EVERY_S = 30.0
# A budget that is whole is as good as none, but a charge that waits for its turn may be as old as this.
RECOVERED_FOR_S = 60.0
# Counting takes some tens of milliseconds in the largest tables.
COUNT_EVERY_S = 600.0
# As many as 24 GB hold, at 2 kB each with its evidence: ten million and more. Callouts are bounded by
# budgets, but not the verdicts that cost none: on domains that do not exist. Mails that wait are bounded
# by rules/waiting.py.
MAX_ENTRIES = 12_000_000
MAX_FACTS = 1_000_000
MAX_ACQUAINTANCES = 1_000_000
# The audit of the last 50 hours at the default budget, whatever time it is to be kept for.
MAX_CALLS = 1_000_000

_SWEEPS = (
    "sweep_entries",
    "sweep_facts",
    "sweep_waits",
    "sweep_acquaintances",
    "sweep_calls",
    "sweep_budgets",
)


@dataclass(slots=True)
class _Trim:
    """What lessens a table that has more than `most` rows. `surplus`: when they were counted last."""

    total: str
    query: str
    most: int
    counted_at: float | None = None  # elapsed
    surplus: int = 0

    def portion(self, connection: sqlite3.Connection, elapsed: float) -> int:
        """How many rows are to go at once."""
        if self.counted_at is None or elapsed - self.counted_at >= COUNT_EVERY_S:
            self.counted_at = elapsed
            self.surplus = connection.execute(QUERIES[self.total]).fetchone()[0] - self.most
        return min(SWEEP_ROWS, max(self.surplus, 0))


class Sweeper:
    """Knows when it is time. `audit_keep_s`: how long calls are kept."""

    def __init__(
        self, clock: Callable[[], float], elapsed: Callable[[], float], audit_keep_s: float
    ) -> None:
        self._clock, self._elapsed, self._audit_keep_s = clock, elapsed, audit_keep_s
        self._began_at: float | None = None  # the last round
        self._left: deque[str | _Trim] = deque()  # of that round
        self._trims = (
            _Trim("weigh_entries", "trim_entries", MAX_ENTRIES),
            _Trim("total_facts", "trim_facts", MAX_FACTS),
            _Trim("count_acquaintances", "trim_acquaintances", MAX_ACQUAINTANCES),
            _Trim("count_calls", "trim_calls", MAX_CALLS),
        )

    @property
    def is_behind(self) -> bool:
        """Whether there is more to sweep than was."""
        return bool(self._left)

    def is_due(self) -> bool:
        # A clock that stepped back must not stop the sweeping until it has caught up.
        passed = self._began_at is None or not 0 <= self._clock() - self._began_at < SWEEP_EVERY_S
        return self.is_behind or passed

    def sweep(self, connection: sqlite3.Connection) -> None:
        """Sweep out one portion of one table. Raises sqlite3.Error, and then is not due for a while."""
        if not self._left:
            self._began_at = self._clock()
        left = self._left or deque((*_SWEEPS, *self._trims))
        self._left = deque()
        duty = left.popleft()
        with transaction(connection):
            swept = self._do(duty, connection)
        if swept == SWEEP_ROWS:
            left.append(duty)
        self._left = left

    def _do(self, duty: str | _Trim, connection: sqlite3.Connection) -> int:
        if isinstance(duty, _Trim):
            most = duty.portion(connection, self._elapsed())
            trimmed = (
                connection.execute(QUERIES[duty.query], {"most": most}).rowcount if most else 0
            )
            duty.surplus -= trimmed
            return trimmed
        now = self._clock()
        parameters = {
            "now": now,
            "audited_until": now - self._audit_keep_s,
            "recovered_until": self._elapsed() - RECOVERED_FOR_S,
            "most": SWEEP_ROWS,
        }
        return connection.execute(QUERIES[duty], parameters).rowcount
