"""The budgets, while one transaction is open: whoever has it open is the only one who may spend.

Not here: the arithmetic (rules/pacing.py), and the transaction (transactions.py).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from ..rules.pacing import Charge, Spent, spend_all, spend_beyond
from .codec import Row
from .database import unable
from .queries import QUERIES
from .recent_budgets import Look


@dataclass(slots=True)
class States:
    """What is known of the budgets, which holds until somebody else writes."""

    spent: dict[str, Spent | None] = field(default_factory=dict)  # by key; None: nothing of it
    epoch: tuple[float | None] | None = None  # since when bursts are empty, once it is read


class Budgets:
    """Reads each state once, and says in `rows` what became of it.

    `states` are known from before, and are kept as they are after what was spent here.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, states: States | None = None
    ) -> None:
        self._path, self._connection = path, connection
        self._states = states or States()
        self._changed: dict[str, Spent] = {}
        self._calls: list[Row] = []

    def spend(self, charges: Sequence[Charge], call: Row | None, elapsed: float) -> Charge | None:
        """Charge one event to each budget, and keep `call`; or return the charge that is too much."""
        for charge in charges:
            self._load(charge, elapsed)
        spent = spend_all(charges, self._states.spent, elapsed, self._empty_since())
        if isinstance(spent, Charge):
            return spent
        self._note(spent)
        if call is not None:
            self._calls.append(call)
        return None

    def charge(self, charge: Charge, elapsed: float) -> None:
        """Charge an event that has happened."""
        state = self._load(charge, elapsed)
        self._note({charge.key: spend_beyond(charge, state, elapsed, self._empty_since())})

    def look(self, charge: Charge, elapsed: float) -> Look:
        """The state of a budget, which nothing is spent of."""
        return Look(self._load(charge, elapsed), self._empty_since())

    def rows(self) -> dict[str, list[Row]]:
        """What has changed: the rows of each query that saves it."""
        changed: list[Row] = [
            {"key": _row_key(key), "full_at": spent.full_at, "interval_s": spent.interval_s}
            for key, spent in self._changed.items()
        ]
        return {"save_budget": changed, "begin_call": self._calls}

    def _note(self, spent: dict[str, Spent]) -> None:
        self._states.spent |= spent
        self._changed |= spent

    def _load(self, charge: Charge, elapsed: float) -> Spent | None:
        key, known = charge.key, self._states.spent
        if key not in known:
            sought = {"key": _row_key(key)}
            row = self._connection.execute(QUERIES["load_budget"], sought).fetchone()
            known[key] = row and (_parse(row) or self._mend(charge, elapsed))
        return known[key]

    def _mend(self, charge: Charge, elapsed: float) -> Spent:
        """Who knows what was spent of a budget that cannot be read: it is used up from now on."""
        rate = charge.rate
        spent = Spent(elapsed + rate.burst * rate.interval_s, rate.interval_s)
        self._changed[charge.key] = spent
        return spent

    def _empty_since(self) -> float | None:
        """When bursts started empty. Raises StoreError if the file does not say."""
        if self._states.epoch is None:
            row = self._connection.execute(QUERIES["load_epoch"]).fetchone()
            if row is None or not is_readable(row):
                raise unable(self._path, "its budgets are damaged", "restart Ringback")
            self._states.epoch = (row["empty_since"],)
        return self._states.epoch[0]


def _row_key(key: str) -> str:
    """The words backwards, whom it is of first: what one callout is charged to lies in two or three pages."""
    return " ".join(reversed(key.split(" ")))


def is_readable(epoch: sqlite3.Row) -> bool:
    """Whether an epoch says since when bursts are empty, or that they are not."""
    return epoch["empty_since"] is None or _is_number(epoch["empty_since"])


def _parse(row: sqlite3.Row) -> Spent | None:
    full_at, interval_s = row["full_at"], row["interval_s"]
    readable = _is_number(full_at) and _is_number(interval_s) and interval_s > 0
    return Spent(full_at, interval_s) if readable else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)
