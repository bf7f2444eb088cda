"""What the writer does to the database: each batch, with all that is spent meanwhile, in one transaction.

Not here: when, and who hears of it (writer.py), SQL (queries.sql), rows (codec.py), budgets (budgets.py).
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import StoreError
from .batch import Batch
from .budgets import Budgets, States
from .database import DatabaseFile, data_version, explain, transaction
from .rows import run_for_all

# States of budgets that are remembered from one transaction to the next, some 300 bytes each.
MAX_STATES = 20_000


class Transactions:
    """On one connection, in one thread."""

    def __init__(
        self, file: DatabaseFile, connection: sqlite3.Connection, seen_version: int = 0
    ) -> None:
        self.commits = 0
        self.seen_version = seen_version  # changes when others have written; as of the last look
        self._file, self._connection = file, connection
        self._states = States()  # likewise

    def write(
        self, batch: Batch, works: Sequence[Callable[[Budgets], Any]] = ()
    ) -> tuple[int, list[Any]]:
        """Commit `batch`, and with it what each of `works` does.

        Returns how many of its records no row can hold, and what each of `works` returns, or a
        StoreError. Raises sqlite3.Error or StoreError, and then nothing is written.
        """
        queries, refused = batch.encode()
        with self._transaction():
            budgets = Budgets(self._file.path, self._connection, self._states)
            refused += _charge(batch, budgets)
            outcomes = [self._attempt_alone(work, budgets) for work in works]
            for query, rows in (budgets.rows() | queries).items():
                run_for_all(self._connection, query, rows)
        return refused, outcomes

    def notice_others(self) -> None:
        """Forget what others may have changed. Raises sqlite3.Error."""
        version = data_version(self._connection)
        if version != self.seen_version or len(self._states.spent) > MAX_STATES:
            self._states, self.seen_version = States(), version

    def attempt(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `work` returns, or a StoreError."""
        try:
            self._file.ensure_there()
            return work(self._connection)
        except StoreError as error:
            return error
        except (sqlite3.Error, ValueError) as error:  # a row that no version wrote, a text for none
            return explain(self._file.path, error)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._connection):
                self.notice_others()  # nobody else writes while it is open
                yield
        except BaseException:
            self._states = States()  # what was spent in it is not
            raise
        self.commits += 1

    def _attempt_alone(self, work: Callable[[Budgets], Any], budgets: Budgets) -> Any:
        """Likewise, where the others do not fail with it: a text that no row can hold, say."""
        try:
            return work(budgets)
        except StoreError as error:
            return error
        except UnicodeEncodeError as error:
            return explain(self._file.path, error)


def _charge(batch: Batch, budgets: Budgets) -> int:
    """Charge what has happened; return how many have no budget that could be stored."""
    refused = 0
    for charge, elapsed in batch.charges:
        try:
            budgets.charge(charge, elapsed)
        except UnicodeEncodeError:
            refused += 1
    return refused
