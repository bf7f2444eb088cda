"""The thread that reads."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.store.database import prepare
from ringback.store.reader import Reader


def _refuse_two(row: sqlite3.Row) -> str:
    if row["name"] == "two":
        raise ValueError("unreadable")
    return str(row["name"])


def _kind_of(row: sqlite3.Row) -> str:
    return str(row["kind"])


def _reader(path: Path, unreadable: list[int]) -> Reader:
    file = prepare(path)
    with closing(file.connect()) as connection:
        connection.execute("INSERT INTO fact VALUES ('a', 'one', 1, 1, ''), ('a', 'two', 1, 1, '')")
    return Reader(file, file.connect(), unreadable.append)


async def test_a_row_that_cannot_be_read_is_left_out_and_counted(path: Path) -> None:
    unreadable: list[int] = []
    reader = _reader(path, unreadable)

    names = await reader.read("count_facts", _refuse_two)
    await reader.close()

    assert ["one"] == names
    assert [1] == unreadable


async def test_it_cannot_write(path: Path) -> None:
    reader = _reader(path, [])
    with pytest.raises(StoreError, match="may not be written"):
        await reader.read("forget_facts", _refuse_two, {"as_recipient": "", "pattern": "a"})
    await reader.close()


async def test_a_parameter_that_is_not_unicode_is_a_store_error(path: Path) -> None:
    reader = _reader(path, [])
    with pytest.raises(StoreError, match="surrogates not allowed"):
        await reader.read("load_facts", _refuse_two, {"subject": "\ud800"})
    await reader.close()


async def test_after_its_end_it_says_so(path: Path) -> None:
    reader = _reader(path, [])
    await reader.close()
    await reader.close()
    with pytest.raises(StoreError, match="it was closed"):
        await reader.read("count_facts", _refuse_two)


async def test_what_is_asked_for_meanwhile_is_read_together_and_each_has_his_own(
    path: Path,
) -> None:
    reader = _reader(path, [])
    asking = [
        asyncio.create_task(reader.read("load_facts", _kind_of, {"subject": subject}))
        for subject in ("a", "b", "\ud800", "a")
    ]
    said = await asyncio.gather(*asking, return_exceptions=True)
    await reader.close()

    first, none, refused, last = said
    assert ["one", "two"] == first == last
    assert [] == none
    assert isinstance(refused, StoreError)


async def test_who_gives_up_costs_nobody_else_his_answer(path: Path) -> None:
    reader = _reader(path, [])
    asking = [asyncio.create_task(reader.read("count_facts", _refuse_two)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[1].cancel()

    assert ["one"] == await asking[2]
    await reader.close()


async def test_a_bug_in_what_reads_a_row_reaches_who_asked(path: Path) -> None:
    reader = _reader(path, [])
    with pytest.raises(IndexError):
        await reader.read("count_facts", lambda row: row["no such column"])

    assert ["one"] == await reader.read("count_facts", _refuse_two)
    await reader.close()


async def test_at_its_end_it_reads_what_was_asked_for_before(path: Path) -> None:
    reader = _reader(path, [])
    asking = [asyncio.create_task(reader.read("count_facts", _refuse_two)) for _ in range(2)]
    await asyncio.sleep(0)
    await reader.close()

    assert [["one"], ["one"]] == [await task for task in asking]
