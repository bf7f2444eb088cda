"""The store of a service: one SQLite file behind the engine's Store protocol.

Saves go to memory at once and to disk within 50 ms, through one writer thread, by a timer of 20 ms of the
event loop; if the loop hangs or ends without close(), within about half a second (POLL_S). Loads ask, in this
order: the entries, facts and budgets used last, what is saved and not committed yet, the disk. Several
processes may have the file open; what another one writes or forgets is noticed within about a second, and
what it spends whenever we spend.
Not here: the thread that writes (writer.py), what it is asked to do (errands.py), the threads that read
(reader.py), what is searched and counted (surveys.py), the file (opening.py, database.py).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

from ..errors import StoreError
from ..rules.freshness import Entry
from ..rules.pacing import Charge
from ..rules.waiting import (
    MAX_OF_ALL,
    MAX_OF_NETWORK,
    MAX_OF_WIDE_NETWORK,
    Acquaintance,
    Crowd,
    Wait,
    wide_network,
)
from ..values.calls import Call
from ..values.events import Event
from ..values.facts import FIRST_PLACE, Fact, FactKind, FactPlace
from ..values.storage import StoreStats
from .checkpoints import Checkpointer
from .codec import parse_acquaintance, parse_entry, parse_fact, parse_wait
from .complaints import Complaints
from .errands import do_nothing, forget, make_secret, spend
from .lists import Lists
from .memory import SECRET_BYTES
from .opening import Opened, open_file
from .reader import Parameters, Reader
from .recent import Recent
from .recent_budgets import RecentBudgets
from .recent_facts import RecentFacts
from .surveys import Surveys, parse_count, spelled
from .sweeper import Sweeper
from .writer import Writer


class SqliteStore:
    """What is remembered, on disk. Everything but `save…` raises StoreError when the file fails."""

    def __init__(
        self,
        opened: Opened,
        *,
        memory_entries: int,
        audit_keep_s: float,
        sink: Callable[[Event], None],
        clock: Callable[[], float],
        elapsed: Callable[[], float],
    ) -> None:
        self._file = file = opened.file
        self._recent, self._recent_facts = Recent(memory_entries), RecentFacts()
        self._recent_budgets = RecentBudgets()
        self._complaints = Complaints("store", sink, clock)
        self._answers = Reader(file, opened.answers, self._complain_unreadable)
        surveys = Reader(file, opened.surveys, self._complain_unreadable)
        self._surveys = Surveys(surveys)
        self._writer = Writer(
            file,
            opened.writer,
            opened.writer_seen_version,
            opened.session,
            self._complaints,
            Sweeper(clock, elapsed, audit_keep_s),
            Checkpointer(opened.checkpoints),
            self._forget_recent,
        )
        self.jobs = Lists(self._writer, surveys, opened.session.id)
        self._secrets: dict[str, bytes] = {}

    @classmethod
    async def open(
        cls,
        path: str | Path,
        *,
        memory_entries: int,
        audit_keep_s: float,
        sink: Callable[[Event], None],
        clock: Callable[[], float],
        elapsed: Callable[[], float],
        boot: str,
    ) -> Self:
        """Open the file, made if need be. Raises StoreError with one line: file, reason, remedy.

        `memory_entries` are kept in memory as well, calls for `audit_keep_s` on disk; `sink` is told of
        saves that fail, in the event loop. `clock` (Unix seconds) and `elapsed` (of the run of the
        machine that `boot` names) are also called in other threads.
        """
        opening = asyncio.ensure_future(asyncio.to_thread(open_file, Path(path), boot, elapsed))
        try:
            opened = await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(StoreError):  # nobody else would let go of what the thread opens
                (await opening).close()
            raise
        return cls(
            opened,
            memory_entries=memory_entries,
            audit_keep_s=audit_keep_s,
            sink=sink,
            clock=clock,
            elapsed=elapsed,
        )

    @property
    def commits(self) -> int:
        """How many transactions have carried what was saved or spent."""
        return self._writer.commits

    async def load(self, key: str) -> Entry | None:
        recent = self._recent.find(key)
        if recent is not None:
            return recent
        for batch in self._writer.uncommitted():
            if key in batch.entries:
                return batch.entries[key]
        with self._recent.loading(key) as keep:
            for entry in await self._answers.read("load_entry", parse_entry, {"key": key}):
                keep(entry)
                return entry
        return None

    def load_nowait(self, key: str) -> Entry | None:
        return self._recent.find(key)

    def save(self, entry: Entry) -> None:
        self._recent.save(entry)
        self._writer.save(lambda batch: batch.entries.update({entry.key: entry}))

    async def load_facts(self, *subjects: str) -> tuple[Fact, ...]:
        known = self._recent_facts.find(*subjects)
        if known is None:
            # Together: to go to the reader's thread costs more than to read.
            found = await asyncio.gather(*map(self._load_facts_about, subjects))
            known = tuple(chain.from_iterable(found))
        return known

    async def _load_facts_about(self, subject: str) -> tuple[Fact, ...]:
        known = self._recent_facts.find(subject)
        if known is not None:
            return known
        with self._recent_facts.loading(subject) as keep:
            newer, older = self._writer.uncommitted()
            stored = await self._answers.read("load_facts", parse_fact, {"subject": subject})
            facts: dict[str, Fact | None] = {fact.kind: fact for fact in stored}
            facts.update(older.facts_of(subject))
            facts.update(newer.facts_of(subject))
            known = tuple(fact for fact in facts.values() if fact is not None)
            keep(known)
            return known

    async def list_facts(
        self, kind: FactKind, now: float, limit: int, after: FactPlace = FIRST_PLACE
    ) -> tuple[Fact, ...]:
        await self.flush()
        return await self._surveys.list_facts(kind, now, limit, after)

    def save_fact(self, fact: Fact) -> None:
        self._recent_facts.save(fact)
        self._writer.save(lambda batch: batch.facts.update({(fact.subject, fact.kind): fact}))

    def forget_fact(self, subject: str, kind: str) -> None:
        self._recent_facts.forget(subject, kind)
        self._writer.save(lambda batch: batch.facts.update({(subject, kind): None}))

    async def load_wait(self, key: str) -> Wait | None:
        for batch in self._writer.uncommitted():
            if key in batch.waits:
                return batch.waits[key]
        found = await self._answers.read("load_wait", parse_wait, {"key": key})
        return found[0] if found else None

    def save_wait(self, wait: Wait) -> None:
        self._writer.save(lambda batch: batch.waits.update({wait.key: wait}))

    async def count_waits(self, network: str) -> Crowd:
        """Those that are committed: what a flood adds within 50 ms is one batch."""
        parameters: Parameters = {"network": network, "wide_network": wide_network(network)}
        numbers = dict(await self._answers.read("count_crowd", parse_count, parameters))
        return Crowd(
            of_network=min(numbers.get("network", 0), MAX_OF_NETWORK),
            of_wide_network=min(numbers.get("wide_network", 0), MAX_OF_WIDE_NETWORK),
            of_all=min(numbers.get("all", 0), MAX_OF_ALL),
        )

    async def load_acquaintance(self, network: str) -> Acquaintance | None:
        for batch in self._writer.uncommitted():
            if network in batch.acquaintances:
                return batch.acquaintances[network]
        read, parameters = self._answers.read, {"network": network}
        found = await read("load_acquaintance", parse_acquaintance, parameters)
        return found[0] if found else None

    def save_acquaintance(self, acquaintance: Acquaintance) -> None:
        network = acquaintance.network
        self._writer.save(lambda batch: batch.acquaintances.update({network: acquaintance}))

    async def spend(
        self, charges: Sequence[Charge], call: Call | None, elapsed: float
    ) -> Charge | None:
        self._recent_budgets.forget(charges)
        return await self._writer.spend(partial(spend, charges, call, elapsed))

    def charge(self, charge: Charge, elapsed: float) -> None:
        self._recent_budgets.charge(charge, elapsed)
        self._writer.save(lambda batch: batch.charges.append((charge, elapsed)))

    async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
        look = self._recent_budgets.find(charge.key)
        if look is None:
            with self._recent_budgets.loading(charge.key) as keep:
                look = await self._writer.spend(lambda budgets: budgets.look(charge, elapsed))
                keep(look)
        return look.shows_used_up(charge, elapsed)

    def save_call(self, call: Call) -> None:
        self._writer.save(lambda batch: batch.calls.update({call.id: call}))

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        await self.flush()
        return await self._surveys.search_calls(pattern, since_at, limit)

    async def secret(self, name: str) -> bytes:
        if name not in self._secrets:
            octets = await self._writer.run(partial(make_secret, name))
            if len(octets) != SECRET_BYTES:
                raise StoreError(f"{self._file.path}: its secret {name!r} is damaged")
            self._secrets[name] = octets
        return self._secrets[name]

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        await self.flush()
        return await self._surveys.search(pattern, limit)

    async def forget(self, pattern: str) -> int:
        forgotten = await self._writer.run(partial(forget, spelled(pattern)))
        self._forget_recent()
        return forgotten

    async def stats(self) -> StoreStats:
        await self.flush()
        return await self._surveys.stats()

    async def flush(self) -> None:
        """Return when everything saved so far is committed. Raises StoreError if some of it is lost."""
        await self._writer.run(do_nothing)

    async def close(self) -> None:
        """Commit what is saved and let go of the file. Does not raise; a second time does nothing."""
        await self._writer.close()
        await self._answers.close()
        await self._surveys.close()

    def _forget_recent(self) -> None:
        """What is at hand may be older than what is on disk now."""
        self._recent.clear()
        self._recent_facts.clear()
        self._recent_budgets.clear()

    def _complain_unreadable(self, rows: int) -> None:
        self._complaints.report(
            "records count as missing",
            f"{self._file.path}: {rows} that this version cannot read",
            "upgrade if a newer Ringback wrote them; they are replaced as they are learned again",
        )
