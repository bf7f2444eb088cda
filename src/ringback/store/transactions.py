"""What the writer does to the database: each batch in one transaction, and what is spent in another.

Not here: when, and who hears of it (writer.py), SQL (queries.sql), rows (codec.py), budgets (budgets.py).
"""

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..errors import StoreError
from ..rules.pacing import Charge
from .batch import Batch
from .budgets import Budgets
from .database import DatabaseFile, explain, transaction
from .queries import QUERIES


class Transactions:
    """On one connection, in one thread."""

    def __init__(self, file: DatabaseFile, connection: sqlite3.Connection) -> None:
        self.commits = 0
        self._file, self._connection = file, connection

    def write(self, batch: Batch) -> int:
        """Commit `batch`; return how many of its records no row can hold. Raises sqlite3.Error."""
        queries, refused = batch.encode()
        with transaction(self._connection):
            for name, rows in queries.items():
                self._connection.executemany(QUERIES[name], rows)
            refused += self._charge(batch)
        self.commits += 1
        return refused

    def attempt(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `work` returns, or a StoreError."""
        return self._attempt(partial(work, self._connection))

    def share(self, works: Sequence[Callable[[Budgets], Any]]) -> Any:
        """What each of `works` returns, or a StoreError; all in one transaction, or one StoreError."""
        return self._attempt(partial(self._share, works))

    def _share(self, works: Sequence[Callable[[Budgets], Any]]) -> list[Any]:
        with transaction(self._connection):
            budgets = Budgets(self._file.path, self._connection)
            outcomes = [self._attempt_alone(work, budgets) for work in works]
            budgets.post()
        self.commits += 1
        return outcomes

    def _charge(self, batch: Batch) -> int:
        """Charge what has happened; return how many have no budget that could be stored."""
        if not batch.charges:
            return 0
        budgets = Budgets(self._file.path, self._connection)
        outcomes = [
            self._attempt_alone(partial(_charge_one, charge, elapsed), budgets)
            for charge, elapsed in batch.charges
        ]
        budgets.post()
        return len(outcomes) - outcomes.count(None)

    def _attempt(self, work: Callable[[], Any]) -> Any:
        try:
            self._file.ensure_there()
            return work()
        except StoreError as error:
            return error
        except (sqlite3.Error, UnicodeEncodeError) as error:
            return explain(self._file.path, error)

    def _attempt_alone(self, work: Callable[[Budgets], Any], budgets: Budgets) -> Any:
        """Likewise, where the others do not fail with it: it has a text that no row can hold."""
        try:
            return work(budgets)
        except UnicodeEncodeError as error:
            return explain(self._file.path, error)


def _charge_one(charge: Charge, elapsed: float, budgets: Budgets) -> None:
    budgets.charge(charge, elapsed)
