"""What the thread that writes is asked to do, but for saving. Not here: the thread (writer.py)."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import StoreError
from ..rules.pacing import Charge
from ..values.calls import Call
from ..values.record import Record
from .budgets import Budgets
from .codec import encode_call
from .database import transaction
from .memory import SECRET_BYTES
from .pattern import domain_of
from .queries import QUERIES

_FORGETTING = ("forget_entries", "forget_facts", "forget_reports")


class Errand(Record, frozen=True, gc=True):
    """Something to do in the thread. It leads back to who waits for it, once it has failed."""

    work: Callable[[Any], Any]
    done: asyncio.Future[Any]  # belongs to the event loop
    # Works on the budgets, in a transaction with others; else on the connection, when what was saved before
    # is committed.
    shares: bool


def settle_all(outcomes: Iterable[tuple[Errand, Any]]) -> None:
    """Tell those who still wait, in the event loop; the first outcome of an errand counts."""
    for errand, outcome in outcomes:
        if errand.done.done():
            continue
        if isinstance(outcome, StoreError):
            errand.done.set_exception(outcome)
        else:
            errand.done.set_result(outcome)


def spend(
    charges: Sequence[Charge], call: Call | None, elapsed: float, budgets: Budgets
) -> Charge | None:
    """Charge one event to each budget, and keep `call`; or return the charge that is too much."""
    row = None if call is None else encode_call(call)
    return budgets.spend(charges, row, elapsed)


def make_secret(name: str, connection: sqlite3.Connection) -> bytes:
    """The secret of that name, made if there is none."""
    with transaction(connection):
        # Where another process was faster, its secret stays.
        octets = secrets.token_bytes(SECRET_BYTES)
        connection.execute(QUERIES["make_secret"], {"name": name, "octets": octets})
        made: bytes = connection.execute(QUERIES["load_secret"], {"name": name}).fetchone()[0]
    return made


def forget(pattern: Mapping[str, str], connection: sqlite3.Connection) -> int:
    """Drop what was learned of an address or a domain, spelled; return how many records went.

    Lists go on with it as if they had not asked.
    """
    wanted = {**pattern, "domain": domain_of(pattern["pattern"])}
    with transaction(connection):
        gone = [connection.execute(QUERIES[name], wanted).rowcount for name in _FORGETTING]
        if gone[-1]:
            connection.execute(QUERIES["ask_domain_again"], wanted)
    return sum(gone)


def do_nothing(_: sqlite3.Connection) -> None:
    """An errand that is done when what was saved before it is committed."""
