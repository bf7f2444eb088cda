"""What has expired goes, and of what is too much, what expires first.

In small portions, some milliseconds each, so that nothing has to wait for them.
Not here: SQL (queries.sql), and the thread that this is done in (writer.py).
"""

import sqlite3
from collections.abc import Callable

from .database import transaction
from .queries import QUERIES

SWEEP_ROWS = 500
SWEEP_EVERY_S = 30.0
# A budget that is whole is as good as none, but a charge that waits for its turn may be as old as this.
RECOVERED_FOR_S = 60.0
# Counting takes some tens of milliseconds in the largest tables.
COUNT_EVERY_S = 600.0
# With dialogues of 3 kB, some 20 GB of disk in all. Callouts are bounded by budgets, but not the verdicts
# that cost none: on domains that do not exist. Mails that wait are bounded by rules/waiting.py.
MAX_ENTRIES = 5_000_000
MAX_FACTS = 1_000_000
MAX_ACQUAINTANCES = 1_000_000

_SWEEPS = (
    "sweep_entries",
    "sweep_facts",
    "sweep_waits",
    "sweep_acquaintances",
    "sweep_calls",
    "sweep_budgets",
)


class Sweeper:
    """Knows when it is time. `audit_keep_s`: how long calls are kept."""

    def __init__(
        self, clock: Callable[[], float], elapsed: Callable[[], float], audit_keep_s: float
    ) -> None:
        self._clock, self._elapsed, self._audit_keep_s = clock, elapsed, audit_keep_s
        self._swept_at: float | None = None
        self._counted_at: float | None = None  # elapsed
        self._surplus: dict[str, int] = {}  # by the query that lessens it

    @property
    def is_behind(self) -> bool:
        """Whether there is more to sweep than one portion."""
        return self._swept_at is None

    def is_due(self) -> bool:
        # A clock that stepped back must not stop the sweeping until it has caught up.
        return self._swept_at is None or not 0 <= self._clock() - self._swept_at < SWEEP_EVERY_S

    def sweep(self, connection: sqlite3.Connection) -> None:
        """Sweep out one portion of each table. Raises sqlite3.Error, and then is not due for a while."""
        now, elapsed = self._clock(), self._elapsed()
        self._swept_at = now
        parameters = {
            "now": now,
            "audited_until": now - self._audit_keep_s,
            "recovered_until": elapsed - RECOVERED_FOR_S,
            "most": SWEEP_ROWS,
        }
        with transaction(connection):
            swept = [connection.execute(QUERIES[name], parameters).rowcount for name in _SWEEPS]
            swept += self._trim(connection, elapsed)
        if max(swept) == SWEEP_ROWS:
            self._swept_at = None

    def _trim(self, connection: sqlite3.Connection, elapsed: float) -> list[int]:
        if self._counted_at is None or elapsed - self._counted_at >= COUNT_EVERY_S:
            self._counted_at = elapsed
            self._surplus = {
                trim: connection.execute(QUERIES[total]).fetchone()[0] - bound
                for total, trim, bound in (
                    ("total_entries", "trim_entries", MAX_ENTRIES),
                    ("total_facts", "trim_facts", MAX_FACTS),
                    ("count_acquaintances", "trim_acquaintances", MAX_ACQUAINTANCES),
                )
            }
        return [self._trim_one(connection, name) for name in self._surplus]

    def _trim_one(self, connection: sqlite3.Connection, name: str) -> int:
        most = min(SWEEP_ROWS, max(self._surplus[name], 0))
        trimmed = connection.execute(QUERIES[name], {"most": most}).rowcount if most else 0
        self._surplus[name] -= trimmed
        return trimmed
