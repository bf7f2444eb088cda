"""The lists of an SQLite store, behind the engine's Jobs protocol.

A list is held by the session that works on it, and is free when that has ended, however it did (session.py).
Not here: the thread that writes (writer.py), what it is asked to do (list_errands.py), lists in memory
(memory_lists.py).
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec

from ..errors import ListInUseError
from ..rules.lists import unreadable
from ..values.job import DomainTally, Job, JobList, Taken, Tally, Task
from ..values.query import Report
from ..values.verdict import Reason
from . import list_errands as errands
from .codec import parse_report
from .errands import do_nothing
from .reader import Parameters, Reader
from .writer import Writer

# Rows in one transaction: some ten milliseconds, after which others get their turn.
DROPPED_AT_ONCE = 1_000

_Count = tuple[str, str, int, int]  # a domain, a reason or "", of how many, and what they have cost


class Lists:
    """Those in one file. `holder` is the number of our session there."""

    def __init__(self, writer: Writer, reader: Reader, holder: int) -> None:
        self._writer, self._reader, self._holder = writer, reader, holder

    async def open_list(self, digest: str, now: float, keep_s: float) -> JobList:
        work = partial(errands.open_list, digest, now, keep_s, self._holder)
        opened = await self._writer.run(work)
        if isinstance(opened, ListInUseError):
            raise opened
        return opened

    async def add_jobs(self, number: int, tasks: Sequence[Task]) -> None:
        await self._writer.run(partial(errands.add_jobs, number, tasks))

    async def complete_list(self, number: int) -> None:
        await self._writer.run(partial(errands.run, "complete_list", number))

    async def close_list(self, number: int) -> None:
        await self._writer.run(partial(errands.run, "let_go_list", number))

    async def forget_list(self, digest: str) -> bool:
        forgotten = await self._writer.run(partial(errands.forget_list, digest))
        if isinstance(forgotten, ListInUseError):
            raise forgotten
        while await self._writer.run(partial(errands.drop_forgotten, DROPPED_AT_ONCE)):
            pass
        return forgotten

    async def set_back(self, number: int, step_s: float) -> None:
        await self._writer.run(partial(errands.set_back, number, step_s))

    async def take_jobs(self, number: int, now: float, domains: int, each: int) -> Taken:
        return await self._writer.run(partial(errands.take_jobs, number, now, domains, each))

    def save_job(self, job: Job) -> None:
        self._writer.save(lambda batch: batch.jobs.update({(job.list, job.key): job}))

    def save_turn(self, number: int, domain: str, due_at: float) -> None:
        self._writer.save(lambda batch: batch.turns.update({(number, domain): due_at}))

    async def end_jobs(self, number: int, most: int, instead: Report) -> int:
        return await self._writer.run(partial(errands.end_jobs, number, most, instead))

    async def load_reports(self, number: int, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Of those that are committed: what was done within the last 50 ms may be missing."""
        pairs = msgspec.json.encode([(one.domain, one.key) for one in tasks]).decode()
        wanted: Parameters = {"list": number, "wanted": pairs}
        found = await self._reader.read("load_done_jobs", _parse_report, wanted)
        return {report.address: report for report in found}

    async def flush(self) -> None:
        await self._writer.run(do_nothing)

    async def tally(self, number: int) -> Tally:
        await self.flush()
        return _tally(await self._reader.read("tally_jobs", _parse_tally, {"list": number}))

    async def tally_domains(self, number: int, most: int) -> tuple[DomainTally, ...]:
        await self.flush()
        wanted: Parameters = {"list": number, "most": max(most, 0)}
        counts: defaultdict[str, list[_Count]] = defaultdict(list)
        for count in await self._reader.read("tally_domains", _parse_domain_tally, wanted):
            counts[count[0]].append(count)
        tallies = ((domain, _tally(some)) for domain, some in counts.items())
        made = [DomainTally(domain, tally.waiting, tally.done) for domain, tally in tallies]
        return tuple(sorted(made, key=lambda one: (-one.total, one.domain)))


def _parse_report(row: sqlite3.Row) -> Report:
    """One that cannot be read is told to be so: rows behind it would wait for it for ever."""
    try:
        return parse_report(row)
    except ValueError:
        return unreadable(str(row["key"]))


def _tally(counts: Iterable[_Count]) -> Tally:
    waiting, cost = 0, 0
    done: dict[Reason, int] = {}
    for _, reason, number, callouts in counts:
        cost += callouts
        if reason:
            done[Reason(reason)] = number
        else:
            waiting = number
    return Tally(waiting, done, cost)


def _parse_tally(row: sqlite3.Row) -> _Count:
    return "", _known(row["name"]), row["number"], row["callouts"]


def _parse_domain_tally(row: sqlite3.Row) -> _Count:
    return row["domain"], _known(row["name"]), row["number"], 0


def _known(reason: str) -> str:
    """Raises ValueError for one from another version."""
    return Reason(reason) if reason else ""
