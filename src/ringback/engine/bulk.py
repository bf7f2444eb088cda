"""A list → its reports: each address once, those first that may be asked now. Who is killed goes on.

Addresses that wait do so in the store. Only those that are being asked have tasks, so that a list of any
length takes the same memory; and a run that is stopped, however that happens, has lost nothing but what was
under way.
Not here: what an answer leads to (rules/lists.py), where jobs are kept (store/), files (doors/).
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from math import inf
from typing import Protocol

from ..errors import ListInUseError, StoreError
from ..rules.lists import (
    TROUBLE_WAIT_S,
    Then,
    broken_off,
    judge_answer,
    left_s,
    not_an_address,
    out_of_time,
    places_of,
    wait_for,
)
from ..values.events import Trouble
from ..values.job import Due, Job, JobList, Tally, Task
from ..values.query import Purpose, Query, Report
from ..values.record import Record
from ..values.settings import Settings
from .appointments import Appointments
from .lost_hopes import LostHopes
from .patience import Patience
from .places import Places
from .ports import Clock, Jobs, Sink
from .score import Score

# A run ends after that, and with it what has still not had its turn: an answer later than that is of a
# list that has changed meanwhile.
MAX_RUN_S = 7 * 86_400.0
# Who comes for his results after a holiday finds them.
KEEP_S = 14 * 86_400.0
# Written down in one transaction: some ten milliseconds, during which callouts cannot begin.
ADDED_AT_ONCE = 1_000
# Addresses of one domain that are taken together, so that taking costs little beside asking; and domains: all
# of them take some ten milliseconds, too.
TAKEN_TOGETHER, DOMAINS_AT_ONCE = 50, 100
# Domains that are being asked: with what is taken of each, some 20 MB.
MAX_DOMAINS = 1_000
# Places of domains that are worth a look for the next ones: one costs as much as many.
WORTH_A_LOOK = 20
# Answers from memory come faster than a disk takes them, and a store holds only so many that wait for it. Who
# is killed asks again what was answered since: mostly it is remembered of the address.
KEPT_TOGETHER = 1_000
# The clock may be set: so often we look.
MAX_NAP_S = 600.0
# A DNS that fails us passes; whoever is on a block list is to hear of it, and a list is not to sleep over it.
BARRED_S = 3_600.0


class Verifies(Protocol):
    """What is needed of engine/verifier.py."""

    async def verify(self, asked: Query | str) -> Report: ...


class Progress(Record, frozen=True):
    """How far a run has come."""

    tally: Tally
    under_way: int  # addresses that are being asked
    next_at: float | None  # None, or when somebody may be asked again, if nobody is now
    left_s: float | None  # at least; None: it cannot be told yet


class Bulk:
    """Works on lists, one at a time."""

    def __init__(
        self, settings: Settings, verifier: Verifies, jobs: Jobs, clock: Clock, sink: Sink
    ) -> None:
        self._settings, self._verifier, self._clock = settings, verifier, clock
        self.jobs, self._sink = jobs, sink
        self._run: _Run | None = None

    async def open(self, digest: str, tasks: Iterable[Task]) -> JobList:
        """Hold the list that is known by `digest`; `tasks` are read if it is not written down yet.

        Raises ListInUseError and StoreError.
        """
        held = self.jobs.open_list(digest, self._clock.now(), MAX_RUN_S + KEEP_S)
        opening = asyncio.ensure_future(held)
        try:
            opened = await asyncio.shield(opening)
            if not opened.is_whole:
                await self._write_down(opened, tasks)
        except BaseException:
            # Nobody else would let go of it; and what is not whole is never worked on.
            await asyncio.shield(self._let_go(opening))
            raise
        return opened.but(is_whole=True)

    async def _write_down(self, opened: JobList, tasks: Iterable[Task]) -> None:
        for some in _portions(tasks):
            await self.jobs.add_jobs(opened.number, some)
        await self.jobs.complete_list(opened.number)

    async def _let_go(self, opening: Awaitable[JobList]) -> None:
        with suppress(ListInUseError, StoreError):
            await self.close(await opening)

    async def run(self, work: JobList, most_s: float = MAX_RUN_S) -> Report | None:
        """Ask until each address has its report, or for `most_s`. Raises StoreError.

        Returns None; or the answer that says why nobody may be called, and then the rest stays as it is.
        Whoever cancels it may open the list again, and go on.
        """
        self._run = _Run(self._settings, self._verifier, self.jobs, self._clock, self._sink, work)
        return await self._run.go(most_s)

    def progress(self) -> Progress:
        """Of the run that began last."""
        return self._run.progress() if self._run else Progress(Tally(), 0, None, None)

    async def close(self, work: JobList) -> None:
        """Let others work on the list."""
        await self.jobs.close_list(work.number)

    async def forget(self, digest: str) -> bool:
        """Let go of a list, and of all that was answered; say whether there was one.

        Raises ListInUseError and StoreError.
        """
        return await self.jobs.forget_list(digest)


class _Run:
    """One time of working on a list."""

    def __init__(
        self,
        settings: Settings,
        verifier: Verifies,
        jobs: Jobs,
        clock: Clock,
        sink: Sink,
        work: JobList,
    ) -> None:
        self._budget, self._steps = settings.budget, settings.etiquette.recheck_after_s
        self._verifier, self._jobs, self._clock, self._work = verifier, jobs, clock, work
        self._sink = sink
        self._score = Score(jobs, work.number)
        self._appointments = Appointments()
        self._lost_hopes, self._patience = LostHopes(), Patience(clock)
        self._places = Places(self._budget.concurrent)
        self._most = min(self._budget.concurrent, MAX_DOMAINS)
        self._domains = 0  # being asked
        self._under_way = 0  # addresses of theirs
        self._freed = asyncio.Event()
        self._keeping = asyncio.Lock()
        self._unkept = 0  # answers that may not be committed
        self._look_at: float | None = 0.0  # when the next domain is due; None: none is left to take
        self._halted_by: Report | None = None
        self._barred_since = 0.0  # since when nobody may be called; before the first call, ever
        self._began_at = self._clock.elapsed()

    async def go(self, most_s: float) -> Report | None:
        await self._score.begin()
        try:
            async with asyncio.timeout(most_s):
                await self._ask_all()
        except TimeoutError:
            await self._end_rest()
        except ExceptionGroup as failed:
            raise _worst(failed) from None
        await self._score.count()
        if self._halted_by is None and self._score.tally.waiting:
            raise StoreError("some answers could not be kept", "run the same list again")
        return self._halted_by

    def progress(self) -> Progress:
        took_s = self._clock.elapsed() - self._began_at
        booked_s = self._appointments.last_s(self._clock.elapsed())
        next_at = None if self._domains else self._look_at
        left = left_s(self._score.pace(took_s, booked_s))
        return Progress(self._score.tally, self._under_way, next_at, left)

    async def _ask_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._halted_by:
                self._freed.clear()
                if self._has_room:
                    await self._take(group)
                if not self._domains and self._look_at is None:
                    return
                await self._nap()

    @property
    def _has_room(self) -> bool:
        """Whether some more domains may be asked."""
        return self._most - self._domains >= max(1, min(self._most // 4, WORTH_A_LOOK))

    async def _take(self, group: asyncio.TaskGroup) -> None:
        """Begin with what is due."""
        await self._notice_step()
        now = self._clock.now()
        if self._look_at is None or self._look_at > now:
            return
        self._look_at = None  # but for who is given back meanwhile
        room = min(self._most - self._domains, DOMAINS_AT_ONCE)
        taken = await self._patience.insist(
            lambda: self._jobs.take_jobs(self._work.number, now, room, TAKEN_TOGETHER)
        )
        self._look_by(taken.next_at)
        for due in taken.due:
            self._domains += 1
            group.create_task(self._ask_domain(due))

    async def _notice_step(self) -> None:
        """Where the clock was set back, all that waits would wait for so much longer."""
        if step_s := self._patience.step_s():
            await self._patience.insist(lambda: self._jobs.set_back(self._work.number, step_s))
            self._look_at = None if self._look_at is None else self._look_at - step_s
            self._barred_since -= step_s

    def _look_by(self, at: float | None) -> None:
        """Look for what is due at that instant at the latest."""
        if at is not None:
            self._look_at = at if self._look_at is None else min(self._look_at, at)

    async def _nap(self) -> None:
        """Wait until a domain was asked, or the next one is due."""
        nap_s: float | None = None
        if self._has_room and self._look_at is not None:
            nap_s = min(max(0.0, self._look_at - self._clock.now()), MAX_NAP_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(nap_s):
                await self._freed.wait()

    async def _ask_domain(self, due: Due) -> None:
        """Ask some addresses of one domain, no more at a time than one host may be asked."""
        visit = _Visit(due.domain, iter(due.jobs))
        workers = min(self._budget.concurrent_per_host, len(due.jobs))
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._ask_some(visit))
        due_at = max(self._clock.now(), visit.rests_until)
        self._jobs.save_turn(self._work.number, due.domain, due_at)
        self._look_by(due_at)
        self._domains -= 1
        self._freed.set()

    async def _ask_some(self, visit: "_Visit") -> None:
        for job in visit.jobs:
            report = await self._ask(job)
            self._conclude(visit, job, report)
            await self._keep_pace()
            if visit.rests_until or self._halted_by:
                return

    async def _ask(self, job: Job) -> Report:
        if not job.domain:
            return not_an_address(job.key, self._clock.now())
        await self._places.wait_place()
        self._under_way += 1
        try:
            return await self._verifier.verify(Query(job.key, Purpose.BULK))
        except Exception as bug:  # one address is not to end the run for all others, each time anew
            self._sink(Trouble.of_bug("bulk", bug))
            return broken_off(job.key, self._clock.now())
        finally:
            self._under_way -= 1
            self._places.give_back()

    async def _keep_pace(self) -> None:
        """Wait for the store, where answers come faster than it can keep them."""
        self._unkept += 1
        if self._unkept >= KEPT_TOGETHER:
            async with self._keeping:
                await self._patience.insist(self._keep)

    async def _keep(self) -> None:
        if self._unkept >= KEPT_TOGETHER:  # those before may have waited for all
            await self._jobs.flush()
            self._unkept = 0

    def _conclude(self, visit: "_Visit", job: Job, report: Report) -> None:
        now = self._clock.now()
        places = places_of(report, visit.domain)
        tries = len(self._steps) if self._lost_hopes.has_any(places) else job.tries
        judged = judge_answer(report, tries, now, self._steps)
        if report.callouts and judged.then is not Then.HALT:
            self._barred_since = inf
        asked = job.but(callouts=job.callouts + report.callouts, report=report)
        match judged.then:
            case Then.HALT:
                self._bar(visit, report, now)
            case Then.WAIT:
                if report.callouts:
                    self._put_off(asked, report)
                if not visit.rests_until:
                    visit.rests_until = now + self._turn_s(visit, report)
            case Then.DONE:
                self._jobs.save_job(asked.but(due_at=None))
                self._score.note_done(asked, report)
                self._lost_hopes.note(report, places)
            case Then.LATER | Then.REST:
                self._put_off(asked.but(due_at=judged.at, tries=job.tries + 1), report)
        if judged.then in (Then.REST, Then.PAUSE):
            visit.rests_until = max(visit.rests_until, judged.at)

    def _turn_s(self, visit: "_Visit", report: Report) -> float:
        """How long it is until the turn of a domain for which there is no budget."""
        wait = wait_for(report, visit.domain, self._budget)
        self._score.note_bound(visit.domain, wait.spacing_s)
        return self._appointments.book_s(wait, self._clock.elapsed())

    def _bar(self, visit: "_Visit", report: Report, now: float) -> None:
        """Nobody may be called: the run ends; where somebody was before, not until that has lasted."""
        self._barred_since = min(self._barred_since, now)
        if now - self._barred_since < BARRED_S:
            visit.rests_until = now + TROUBLE_WAIT_S
        else:
            self._halted_by = report

    def _put_off(self, job: Job, report: Report) -> None:
        """Keep what it was told, and what that has cost: it was not the last word."""
        self._score.note_later(report)
        self._jobs.save_job(job)

    async def _end_rest(self) -> None:
        """The time of the run is over: what waits ends with its last answer, or with none."""
        instead = out_of_time(self._clock.now())
        while await self._jobs.end_jobs(self._work.number, ADDED_AT_ONCE, instead):
            pass


class _Visit:
    """Addresses of one domain that are asked together."""

    def __init__(self, domain: str, jobs: Iterator[Job]) -> None:
        self.domain, self.jobs = domain, jobs
        self.rests_until = 0.0  # 0: it need not


def _portions(tasks: Iterable[Task]) -> Iterator[tuple[Task, ...]]:
    rest = iter(tasks)
    while some := tuple(islice(rest, ADDED_AT_ONCE)):
        yield some


def _worst(group: ExceptionGroup[Exception]) -> Exception:
    """A bug of ours, if there is one: with a store that fails, all others fail alike."""
    store_failed, bugs = group.split(StoreError)
    worst: Exception = bugs or store_failed or group
    while isinstance(worst, ExceptionGroup):
        worst = worst.exceptions[0]
    return worst
