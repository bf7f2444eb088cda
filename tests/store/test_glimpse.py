"""Looking into a store leaves it as it is."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.store.glimpse import Glimpse
from ringback.store.sqlite import SqliteStore

Open = Callable[..., Awaitable[SqliteStore]]


def _octets(path: Path) -> Mapping[str, bytes]:
    """All that is there, but for what SQLite's connections share in memory."""
    return {
        file.name: file.read_bytes() for file in path.parent.iterdir() if file.suffix != ".db-shm"
    }


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def _make_read_only(path: Path) -> None:
    path.chmod(0o400)
    path.parent.chmod(0o500)


def _take_away(path: Path) -> None:
    path.unlink()


async def _make(open_store: Open, *entries: Entry) -> None:
    store = await open_store()
    for entry in entries:
        store.save(entry)
    await store.close()


async def test_what_is_there_is_read_and_nothing_changes(
    open_store: Open, path: Path, entry: Entry
) -> None:
    await _make(open_store, entry)
    before = _octets(path)
    with closing(Glimpse(path)) as glimpse:
        found = [glimpse.load(entry.key), glimpse.load("nobody@example.org")]

        assert [entry, None] == found
        assert before == _octets(path)
    assert before == _octets(path)


@pytest.fixture
def locked(path: Path) -> Iterator[Path]:
    """A folder to which nothing can be added, when somebody has opened it."""
    yield path.parent
    path.parent.chmod(0o700)


async def test_where_nothing_may_be_written_it_can_be_read(
    open_store: Open, path: Path, entry: Entry, locked: Path
) -> None:
    await _make(open_store, entry)
    _make_read_only(path)
    with closing(Glimpse(path)) as glimpse:
        assert entry == glimpse.load(entry.key)


async def test_it_is_read_while_a_service_is_at_it(
    open_store: Open, path: Path, entry: Entry
) -> None:
    store = await open_store()
    store.save(entry)
    await store.flush()
    before = _octets(path)
    with closing(Glimpse(path)) as glimpse:
        found = glimpse.load(entry.key)

    assert entry == found
    assert before == _octets(path)


async def test_a_service_that_starts_meanwhile_is_heard(
    open_store: Open, path: Path, entry: Entry
) -> None:
    await _make(open_store)
    with closing(Glimpse(path)) as glimpse:
        before = glimpse.load(entry.key)
        store = await open_store()
        store.save(entry)
        await store.flush()

        assert (None, entry) == (before, glimpse.load(entry.key))


async def test_a_service_that_came_and_went_meanwhile_is_heard(
    open_store: Open, path: Path, entry: Entry
) -> None:
    await _make(open_store)
    with closing(Glimpse(path)) as glimpse:
        before = glimpse.load(entry.key)
        await _make(open_store, entry)

        assert (None, entry) == (before, glimpse.load(entry.key))


async def test_a_store_that_is_taken_away_is_told(open_store: Open, path: Path) -> None:
    await _make(open_store)
    with closing(Glimpse(path)) as glimpse:
        _take_away(path)

        with pytest.raises(StoreError, match="cannot be opened"):
            glimpse.load("nobody@example.org")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("PRAGMA user_version = 1", "from another version of Ringback"),
        ("PRAGMA application_id = 7", "no store of Ringback"),
    ],
)
async def test_what_another_wrote_is_left_to_it(
    open_store: Open, path: Path, statement: str, says: str
) -> None:
    await _make(open_store)
    _execute(path, statement)
    before = _octets(path)

    with pytest.raises(StoreError, match=says):
        Glimpse(path)
    assert before == _octets(path)


async def test_a_row_that_cannot_be_read_is_as_none(
    open_store: Open, path: Path, entry: Entry
) -> None:
    await _make(open_store, entry)
    _execute(path, "UPDATE entry SET reason = 'of another version'")
    with closing(Glimpse(path)) as glimpse:
        assert glimpse.load(entry.key) is None


async def test_what_fails_is_told(open_store: Open, path: Path) -> None:
    await _make(open_store)
    with closing(Glimpse(path)) as glimpse, pytest.raises(StoreError, match="surrogates"):
        glimpse.load("\udc80@example.org")


def test_what_is_no_store_is_told(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreError, match="not an SQLite database"):
        Glimpse(path)
