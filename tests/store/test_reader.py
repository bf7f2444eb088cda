"""The thread that reads."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from weakref import ref

import pytest

from ringback.errors import StoreError
from ringback.store.database import prepare
from ringback.store.reader import Reader

PATIENCE_S = 5.0


def _refuse_two(row: sqlite3.Row) -> str:
    if row["name"] == "two":
        raise ValueError("unreadable")
    return str(row["name"])


def _kind_of(row: sqlite3.Row) -> str:
    return str(row["kind"])


class Parsed:
    """A row; unlike a text, one can ask whether it is still there."""


class Held:
    """What a test waits for before it lets a row be read."""

    def __init__(self) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def parse(self, row: sqlite3.Row) -> str:
        self.begun.set()
        assert self.may_go_on.wait(PATIENCE_S)
        return str(row["name"])


class Unclosable(sqlite3.Connection):
    def close(self) -> None:
        super().close()
        raise sqlite3.OperationalError("disk I/O error")


def _open(path: Path, unreadable: list[int]) -> Reader:
    file = prepare(path)
    with closing(file.connect()) as connection:
        connection.execute("INSERT INTO fact VALUES ('a', 'one', 1, 1, ''), ('a', 'two', 1, 1, '')")
    return Reader(file, file.connect(), unreadable.append)


@asynccontextmanager
async def _reading(path: Path, unreadable: list[int] | None = None) -> AsyncIterator[Reader]:
    """A reader, closed at the end. One that tells nobody fails its test, and stops no others."""
    async with asyncio.timeout(PATIENCE_S):
        reader = _open(path, [] if unreadable is None else unreadable)
        yield reader
        await reader.close()


def _threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "ringback-store-reader"]


async def test_a_row_that_cannot_be_read_is_left_out_and_counted(path: Path) -> None:
    unreadable: list[int] = []
    async with _reading(path, unreadable) as reader:
        names = await reader.read("count_facts", _refuse_two)

    assert ["one"] == names
    assert [1] == unreadable


async def test_it_cannot_write(path: Path) -> None:
    async with _reading(path) as reader:
        with pytest.raises(StoreError, match="may not be written"):
            await reader.read("forget_facts", _refuse_two, {"as_recipient": "", "pattern": "a"})


async def test_a_parameter_that_is_not_unicode_is_a_store_error(path: Path) -> None:
    async with _reading(path) as reader:
        with pytest.raises(StoreError, match="surrogates not allowed"):
            await reader.read("load_facts", _refuse_two, {"subject": "\ud800"})


async def test_after_its_end_it_says_so(path: Path) -> None:
    async with _reading(path) as reader:
        await reader.close()
        with pytest.raises(StoreError, match="it was closed"):
            await reader.read("count_facts", _refuse_two)


async def test_what_is_asked_for_meanwhile_is_read_together_and_each_has_his_own(
    path: Path,
) -> None:
    async with _reading(path) as reader:
        asking = [
            asyncio.create_task(reader.read("load_facts", _kind_of, {"subject": subject}))
            for subject in ("a", "b", "\ud800", "a")
        ]
        said = await asyncio.gather(*asking, return_exceptions=True)

    first, none, refused, last = said
    assert ["one", "two"] == first == last
    assert [] == none
    assert isinstance(refused, StoreError)


async def test_who_gives_up_costs_nobody_else_his_answer(path: Path) -> None:
    async with _reading(path) as reader:
        asking = [asyncio.create_task(reader.read("count_facts", _refuse_two)) for _ in range(3)]
        await asyncio.sleep(0)
        asking[0].cancel()
        asking[1].cancel()

        assert ["one"] == await asking[2]


async def test_a_bug_in_what_reads_a_row_reaches_who_asked(path: Path) -> None:
    async with _reading(path) as reader:
        with pytest.raises(IndexError):
            await reader.read("count_facts", lambda row: row["no such column"])

        assert ["one"] == await reader.read("count_facts", _refuse_two)


async def test_at_its_end_it_reads_what_was_asked_for_before(path: Path) -> None:
    async with _reading(path) as reader:
        asking = [asyncio.create_task(reader.read("count_facts", _refuse_two)) for _ in range(2)]
        await asyncio.sleep(0)

    assert [["one"], ["one"]] == [await task for task in asking]


async def test_who_gives_up_closing_leaves_the_end_to_the_next(path: Path) -> None:
    held = Held()
    async with _reading(path) as reader:
        first = asyncio.create_task(reader.read("count_facts", held.parse))
        await asyncio.to_thread(held.begun.wait, PATIENCE_S)
        second = asyncio.create_task(reader.read("count_facts", _refuse_two))
        await asyncio.sleep(0)
        closing_it = asyncio.create_task(reader.close())
        await asyncio.sleep(0)
        closing_it.cancel()
        await asyncio.wait([closing_it])
        held.may_go_on.set()

    assert closing_it.cancelled()
    assert [["one", "two"], ["one"]] == [await first, await second]


async def test_what_was_read_is_not_kept(path: Path) -> None:
    async with _reading(path) as reader:
        rows = await reader.read("count_facts", lambda _: Parsed())
        known = [ref(row) for row in rows]
        rows.clear()
        while True:  # the thread is about to let go of them
            if not any(each() for each in known):
                break
            await asyncio.sleep(0)

    assert 2 == len(known)


async def test_a_file_that_cannot_be_closed_ends_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    connection = sqlite3.connect(path, check_same_thread=False, factory=Unclosable)
    async with asyncio.timeout(PATIENCE_S):
        reader = Reader(prepare(path), connection, list[int]().append)
        (thread,) = _threads()
        await reader.close()
    thread.join(PATIENCE_S)

    assert [sqlite3.OperationalError] == [each.exc_type for each in said]


def test_a_loop_that_ends_before_the_thread_tells_is_its_end_too(path: Path) -> None:
    held = Held()

    async def ask_and_leave() -> None:
        reader = _open(path, [])
        asking = asyncio.create_task(reader.read("count_facts", held.parse))
        await asyncio.to_thread(held.begun.wait, PATIENCE_S)
        asking.cancel()

    asyncio.run(ask_and_leave())
    (thread,) = _threads()
    held.may_go_on.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
