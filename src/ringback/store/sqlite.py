"""The store of a service: one SQLite file behind the engine's Store protocol.

Saves go to memory at once and to disk within 50 ms, through one writer thread. Loads ask, in this
order: the entries used last, what is saved and not committed yet, the disk. Several processes may have
the file open; what another one writes or forgets is noticed within about a second.
Not here: the thread that writes (writer.py), those that read (reader.py), the file (database.py).
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from ..errors import StoreError
from ..rules.freshness import Entry
from ..rules.waiting import Wait
from ..values.events import Event
from ..values.facts import Fact
from ..values.storage import StoreStats
from . import pattern as patterns
from .codec import parse_entry, parse_fact, parse_wait
from .complaints import Complaints
from .database import DatabaseFile, data_version, prepare, transaction
from .lru import Lru
from .memory import SECRET_BYTES
from .queries import QUERIES
from .reader import Parameters, Reader
from .writer import Writer


@dataclass(frozen=True, slots=True)
class Opened:
    """A database file and the three connections to it, one a thread."""

    file: DatabaseFile
    writer: sqlite3.Connection
    writer_seen_version: int
    answers: sqlite3.Connection
    surveys: sqlite3.Connection


class SqliteStore:
    """What is remembered, on disk. Everything but `save…` raises StoreError when the file fails."""

    def __init__(
        self,
        opened: Opened,
        *,
        memory_entries: int,
        sink: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._file = file = opened.file
        self._complaints = Complaints("store", sink, clock)
        self._answers = Reader(file, opened.answers, self._complain_unreadable)
        # Searching and counting take long in a large store: not in the thread that answers wait for.
        self._surveys = Reader(file, opened.surveys, self._complain_unreadable)
        self._writer = Writer(
            file,
            opened.writer,
            opened.writer_seen_version,
            self._complaints,
            clock,
            self._forget_memory,
        )
        self._recent: Lru[str, Entry] = Lru(memory_entries)
        # The newest load from disk of each key. One that was overtaken by a save or by another
        # process is struck out, so that its older entry does not get into `_recent`.
        self._loading: dict[str, object] = {}
        self._secrets: dict[str, bytes] = {}

    @classmethod
    async def open(
        cls,
        path: str | Path,
        *,
        memory_entries: int,
        sink: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> Self:
        """Open the file, made if need be. Raises StoreError with one line: file, reason, remedy.

        `memory_entries` are kept in memory as well; `sink` is told of saves that fail, in the event
        loop; `clock` (Unix seconds) is also called in other threads.
        """
        opened = await asyncio.to_thread(_open, Path(path))
        return cls(opened, memory_entries=memory_entries, sink=sink, clock=clock)

    @property
    def commits(self) -> int:
        """How many transactions have carried what was saved."""
        return self._writer.commits

    async def load(self, key: str) -> Entry | None:
        recent = self._recent.find(key)
        if recent is not None:
            return recent
        for batch in self._writer.uncommitted():
            if key in batch.entries:
                return batch.entries[key]
        return await self._load_from_disk(key)

    async def _load_from_disk(self, key: str) -> Entry | None:
        ticket = self._loading[key] = object()
        try:
            for entry in await self._answers.read("load_entry", parse_entry, {"key": key}):
                if self._loading.get(key) is ticket:
                    self._recent.keep(key, entry)
                return entry
            return None
        finally:
            if self._loading.get(key) is ticket:
                del self._loading[key]

    def save(self, entry: Entry) -> None:
        self._loading.pop(entry.key, None)
        self._recent.keep(entry.key, entry)
        self._writer.save(lambda batch: batch.entries.update({entry.key: entry}))

    async def load_facts(self, subject: str) -> tuple[Fact, ...]:
        newer, older = self._writer.uncommitted()
        stored = await self._answers.read("load_facts", parse_fact, {"subject": subject})
        facts: dict[str, Fact | None] = {fact.kind: fact for fact in stored}
        facts.update(older.facts_of(subject))
        facts.update(newer.facts_of(subject))
        return tuple(fact for fact in facts.values() if fact is not None)

    def save_fact(self, fact: Fact) -> None:
        self._writer.save(lambda batch: batch.facts.update({(fact.subject, fact.kind): fact}))

    def forget_fact(self, subject: str, kind: str) -> None:
        self._writer.save(lambda batch: batch.facts.update({(subject, kind): None}))

    async def load_wait(self, key: str) -> Wait | None:
        for batch in self._writer.uncommitted():
            if key in batch.waits:
                return batch.waits[key]
        found = await self._answers.read("load_wait", parse_wait, {"key": key})
        return found[0] if found else None

    def save_wait(self, wait: Wait) -> None:
        self._writer.save(lambda batch: batch.waits.update({wait.key: wait}))

    async def secret(self, name: str) -> bytes:
        if name not in self._secrets:
            octets = await self._writer.run(partial(_make_secret, name))
            if len(octets) != SECRET_BYTES:
                raise StoreError(f"{self._file.path}: its secret {name!r} is damaged")
            self._secrets[name] = octets
        return self._secrets[name]

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        await self.flush()
        # To SQLite, a negative limit is none.
        parameters: Parameters = {"pattern": patterns.parse(pattern), "most": max(limit, 0)}
        return tuple(await self._surveys.read("search_entries", parse_entry, parameters))

    async def forget(self, pattern: str) -> int:
        forgotten = await self._writer.run(partial(_forget, patterns.parse(pattern)))
        self._forget_memory()
        return forgotten

    async def stats(self) -> StoreStats:
        await self.flush()
        read = self._surveys.read
        return StoreStats(
            entries=dict(await read("count_entries", _parse_count)),
            facts=dict(await read("count_facts", _parse_count)),
            waits=(await read("count_waits", _parse_number))[0],
            size_bytes=(await read("measure_size", _parse_number))[0],
        )

    async def flush(self) -> None:
        """Return when everything saved so far is committed. Raises StoreError if some of it is lost."""
        await self._writer.run(_do_nothing)

    async def close(self) -> None:
        """Commit what is saved and let go of the file. Does not raise; a second time does nothing."""
        await self._writer.close()
        await self._answers.close()
        await self._surveys.close()

    def _forget_memory(self) -> None:
        self._recent.clear()
        self._loading.clear()

    def _complain_unreadable(self, rows: int) -> None:
        self._complaints.report(
            "records count as missing",
            f"{self._file.path}: {rows} that this version cannot read",
            "upgrade if a newer Ringback wrote them; they are replaced as they are learned again",
        )


def _open(path: Path) -> Opened:
    file = prepare(path.absolute())
    writer = file.connect()
    return Opened(file, writer, data_version(writer), file.connect(), file.connect())


def _make_secret(name: str, connection: sqlite3.Connection) -> bytes:
    with transaction(connection):
        # Where another process was faster, its secret stays.
        octets = secrets.token_bytes(SECRET_BYTES)
        connection.execute(QUERIES["make_secret"], {"name": name, "octets": octets})
        made: bytes = connection.execute(QUERIES["load_secret"], {"name": name}).fetchone()[0]
    return made


def _forget(pattern: str, connection: sqlite3.Connection) -> int:
    parameters = {"pattern": pattern}
    with transaction(connection):
        return sum(
            connection.execute(QUERIES[name], parameters).rowcount
            for name in ("forget_entries", "forget_facts")
        )


def _do_nothing(_: sqlite3.Connection) -> None:
    """An errand that is done when what was saved before it is committed."""


def _parse_count(row: sqlite3.Row) -> tuple[str, int]:
    return row["name"], row["number"]


def _parse_number(row: sqlite3.Row) -> int:
    number: int = row[0]
    return number
