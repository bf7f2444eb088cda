"""The thread that reads."""

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
