"""What the thread that writes is asked to do."""

import asyncio
import gc
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.rules.pacing import Charge, Rate
from ringback.store.budgets import Budgets
from ringback.store.database import prepare
from ringback.store.errands import (
    Errand,
    do_nothing,
    forget,
    make_secret,
    settle_all,
    spend,
)
from ringback.store.surveys import spelled
from ringback.values.calls import Call

ONE = Charge("one", Rate(1), "calls")


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(prepare(path).connect()) as connection:
        connection.execute("INSERT INTO epoch VALUES ('one run', NULL)")
        yield connection


def test_of_two_calls_that_one_fits_the_first_is_kept(
    path: Path, connection: sqlite3.Connection, call: Call
) -> None:
    budgets = Budgets(path, connection)
    calls = (call, call.but(id="c2"), None)
    outcomes = [spend((ONE,), each, 50.0, budgets) for each in calls]

    assert [None, ONE, ONE] == outcomes
    assert ["c1"] == [row["id"] for row in budgets.rows()["begin_call"]]


def test_what_no_row_can_hold_is_not_charged(
    path: Path, connection: sqlite3.Connection, call: Call
) -> None:
    budgets = Budgets(path, connection)
    with pytest.raises(UnicodeEncodeError):
        spend((ONE,), call.but(address="\ud800@example.org"), 50.0, budgets)

    assert {"save_budget": [], "begin_call": []} == budgets.rows()


def test_a_secret_is_made_once(connection: sqlite3.Connection) -> None:
    made = [make_secret(name, connection) for name in ("control", "control", "other")]

    assert made[0] == made[1] != made[2]
    assert [32, 32, 32] == [len(octets) for octets in made]


def test_entries_and_facts_are_forgotten_together(connection: sqlite3.Connection) -> None:
    for key in ("a@example.org", "b@example.org", "a@other.example"):
        values = (key, key.partition("@")[2])
        connection.execute("INSERT INTO entry VALUES (?, ?, '', 0, 0, '')", values)
    connection.execute("INSERT INTO fact VALUES ('example.org', 'one', 1, 1, '')")

    assert 3 == forget(spelled("example.org"), connection)
    assert 0 == forget(spelled("example.org"), connection)


def test_nothing_is_done_without_a_transaction(connection: sqlite3.Connection) -> None:
    do_nothing(connection)

    assert not connection.in_transaction


class _Ballast:
    """What somebody holds while he waits."""


async def test_an_errand_that_failed_keeps_nothing_of_who_waited_for_it() -> None:
    held: list[weakref.ref[_Ballast]] = []

    async def wait_for(errand: Errand) -> None:
        ballast = _Ballast()
        held.append(weakref.ref(ballast))
        await errand.done

    async def fail() -> None:
        errand = Errand(do_nothing, asyncio.get_running_loop().create_future(), True)
        settle_all([(errand, StoreError("the disk is full"))])
        with suppress(StoreError):
            await wait_for(errand)

    await fail()
    gc.collect()

    assert [None] == [ballast() for ballast in held]


async def test_each_is_told_the_first_outcome_of_his_errand_if_he_still_waits() -> None:
    loop = asyncio.get_running_loop()
    told, failed, gone = (Errand(do_nothing, loop.create_future(), False) for _ in range(3))
    gone.done.cancel()
    settle_all([(told, 7), (failed, StoreError("closed")), (gone, 7), (told, 8)])

    assert 7 == await told.done
    assert gone.done.cancelled()
    with pytest.raises(StoreError, match="closed"):
        await failed.done
