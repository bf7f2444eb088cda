"""What the writer does to the database: each batch in one transaction, and what is spent in another.

Not here: when, and who hears of it (writer.py), SQL (queries.sql), rows (codec.py), budgets (budgets.py).
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from ..errors import StoreError
from ..rules.pacing import Charge
from .batch import Batch
from .budgets import Budgets, States
from .database import DatabaseFile, data_version, explain, transaction
from .queries import QUERIES

# States of budgets that are remembered from one transaction to the next, some 300 bytes each.
MAX_STATES = 20_000


class Transactions:
    """On one connection, in one thread."""

    def __init__(self, file: DatabaseFile, connection: sqlite3.Connection) -> None:
        self.commits = 0
        self._file, self._connection = file, connection
        self._states: States = {}  # as of the last transaction
        self._states_version = 0  # when nobody else had written since

    def write(self, batch: Batch) -> int:
        """Commit `batch`; return how many of its records no row can hold. Raises sqlite3.Error."""
        queries, refused = batch.encode()
        with self._transaction():
            for name, rows in queries.items():
                self._connection.executemany(QUERIES[name], rows)
            refused += self._charge(batch)
        return refused

    def attempt(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `work` returns, or a StoreError."""
        return self._attempt(partial(work, self._connection))

    def share(self, works: Sequence[Callable[[Budgets], Any]]) -> Any:
        """What each of `works` returns, or a StoreError; all in one transaction, or one StoreError."""
        return self._attempt(partial(self._share, works))

    def _share(self, works: Sequence[Callable[[Budgets], Any]]) -> list[Any]:
        with self._transaction():
            budgets = self._budgets()
            outcomes = [self._attempt_alone(work, budgets) for work in works]
            budgets.post()
        return outcomes

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._connection):
                yield
        except BaseException:
            self._states.clear()  # what was spent in it is not
            raise
        self.commits += 1

    def _budgets(self) -> Budgets:
        """In a transaction, where nobody else writes."""
        version = data_version(self._connection)
        if version != self._states_version or len(self._states) > MAX_STATES:
            self._states, self._states_version = {}, version
        return Budgets(self._file.path, self._connection, self._states)

    def _charge(self, batch: Batch) -> int:
        """Charge what has happened; return how many have no budget that could be stored."""
        if not batch.charges:
            return 0
        budgets = self._budgets()
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
