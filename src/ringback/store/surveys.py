"""What people look up in an SQLite store: lists, searches, counts.

They take long in a large store, and have a thread to themselves: not the one that answers wait for.
Not here: what a callout or a mail needs (sqlite.py).
"""

import sqlite3

from ..rules.freshness import Entry
from ..values.calls import Call
from ..values.facts import Fact, FactKind, FactPlace
from ..values.storage import StoreStats
from . import pattern as patterns
from .codec import parse_call, parse_entry, parse_fact
from .reader import Parameters, Reader


class Surveys:
    """Of what is committed. Each raises StoreError."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def list_facts(
        self, kind: FactKind, now: float, limit: int, after: FactPlace
    ) -> tuple[Fact, ...]:
        noted_at, subject = after
        parameters: Parameters = {
            "kind": kind.value,
            "now": now,
            "noted_at": noted_at,
            "subject": subject,
            "most": _most(limit),
        }
        return tuple(await self._reader.read("list_facts", parse_fact, parameters))

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        query, wanted = _call_search(pattern)
        parameters: Parameters = {**wanted, "since_at": since_at, "most": _most(limit)}
        return tuple(await self._reader.read(query, parse_call, parameters))

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        parameters: Parameters = {**spelled(pattern), "most": _most(limit)}
        return tuple(await self._reader.read("search_entries", parse_entry, parameters))

    async def stats(self) -> StoreStats:
        read = self._reader.read
        return StoreStats(
            entries=dict(await read("count_entries", parse_count)),
            facts=dict(await read("count_facts", parse_count)),
            waits=(await read("count_waits", _parse_number))[0],
            size_bytes=(await read("measure_size", _parse_number))[0],
            acquaintances=(await read("count_acquaintances", _parse_number))[0],
            budgets=(await read("count_budgets", _parse_number))[0],
            calls=(await read("count_calls", _parse_number))[0],
        )

    async def close(self) -> None:
        await self._reader.close()


def _most(limit: int) -> int:
    """To SQLite, a negative limit is none."""
    return max(limit, 0)


def _call_search(pattern: str) -> tuple[str, dict[str, str]]:
    """The query that finds the calls about `pattern`, and what it is asked for."""
    if "@" in pattern:
        return "search_calls_by_address", {"address": patterns.parse(pattern)}
    if ip := patterns.parse_ip(pattern):
        return "search_calls_by_ip", {"ip": ip}
    path = patterns.path_of(pattern)
    return "search_calls_by_name", {"path": path, "path_end": patterns.path_end(path)}


def spelled(pattern: str) -> dict[str, str]:
    """An address or a domain, as queries are asked for it."""
    as_sender, as_recipient = patterns.spellings(patterns.parse(pattern))
    return {"pattern": as_sender, "as_recipient": as_recipient}


def parse_count(row: sqlite3.Row) -> tuple[str, int]:
    return row["name"], row["number"]


def _parse_number(row: sqlite3.Row) -> int:
    number: int = row[0]
    return number
