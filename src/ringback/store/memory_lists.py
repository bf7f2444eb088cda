"""Lists that end with their process. Not here: those that outlive it (lists.py)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count, islice

from ..errors import ListInUseError, StoreError
from ..values.job import DomainTally, Due, Job, JobList, Taken, Tally, Task
from ..values.query import Report
from ..values.verdict import Reason

# Of all lists; with the report of each, at 4 kB, nearly half a gigabyte.
MAX_JOBS = 100_000


class _Domain:
    """The jobs in one domain that are not done, and when it is due itself."""

    def __init__(self) -> None:
        self.due_at: float | None = None  # None: it is being asked
        self.new: dict[str, None] = {}
        self.coming_back: dict[str, float] = {}
        self._by_time: list[
            tuple[float, str]
        ] = []  # of those; also of some that were put off since

    @property
    def is_over(self) -> bool:
        return not (self.new or self.coming_back)

    def set_back(self, step_s: float) -> None:
        self.coming_back = {key: max(at - step_s, 1.0) for key, at in self.coming_back.items()}
        self._by_time = sorted((at, key) for key, at in self.coming_back.items())
        self.due_at = None if self.due_at is None else max(self.due_at - step_s, 0.0)

    def first_at(self) -> float:
        """When the first of its jobs is due."""
        if self.new:
            return 0.0
        self._pass_over_old()
        return self._by_time[0][0]

    def begin(self, key: str) -> None:
        self.coming_back.pop(key, None)
        self.new[key] = None

    def put_off(self, key: str, due_at: float) -> None:
        self.new.pop(key, None)
        if self.coming_back.get(key) != due_at:
            self.coming_back[key] = due_at
            heappush(self._by_time, (due_at, key))

    def end(self, key: str) -> None:
        self.new.pop(key, None)
        self.coming_back.pop(key, None)

    def find(self, now: float, most: int) -> list[str]:
        """Those that are due, who were told to come back first."""
        held: list[tuple[float, str]] = []
        self._pass_over_old()
        while self._by_time and self._by_time[0][0] <= now and len(held) < most:
            held.append(heappop(self._by_time))
            self._pass_over_old()
        for one in held:
            heappush(self._by_time, one)
        return [key for _, key in held] + list(islice(self.new, most - len(held)))

    def _pass_over_old(self) -> None:
        while self._by_time and self.coming_back.get(self._by_time[0][1]) != self._by_time[0][0]:
            heappop(self._by_time)


class _List:
    def __init__(self, known_as: JobList) -> None:
        self.known_as = known_as
        self.keep_until, self.is_held = 0.0, False
        self.jobs: dict[str, Job] = {}
        self.domains: dict[str, _Domain] = {}
        self._turns: list[tuple[float, str]] = []  # of those; also some that are over

    @property
    def _is_done(self) -> bool:
        return self.known_as.is_whole and all(one.is_over for one in self.domains.values())

    def hold(self, keep_until: float) -> None:
        """One that is done is kept no longer for it: run each week, it would never be asked again."""
        self.is_held = True
        if not self._is_done:
            self.keep_until = max(self.keep_until, keep_until)

    def add(self, task: Task) -> None:
        if task.key not in self.jobs:
            self.jobs[task.key] = Job(self.known_as.number, task.key, task.domain)
            self._ask(task.key, task.domain)

    def _ask(self, key: str, name: str) -> None:
        if name not in self.domains:
            self.domains[name] = _Domain()
            self._let(name, 0.0)
        self.domains[name].begin(key)

    def take(self, now: float, domains: int, each: int) -> Taken:
        names: list[str] = []
        while len(names) < domains and (at := self._next_at()) is not None and at <= now:
            names.append(heappop(self._turns)[1])
            self.domains[names[-1]].due_at = None
        due = [Due(name, self._take(name, now, each)) for name in names]
        return Taken(tuple(one for one in due if one.jobs), self._next_at())

    def _next_at(self) -> float | None:
        """When the first domain is due."""
        while self._turns:
            due_at, name = self._turns[0]
            if name in self.domains and self.domains[name].due_at == due_at:
                return due_at
            heappop(self._turns)
        return None

    def _let(self, name: str, due_at: float) -> None:
        self.domains[name].due_at = due_at
        heappush(self._turns, (due_at, name))

    def _take(self, name: str, now: float, each: int) -> tuple[Job, ...]:
        found = self.domains[name].find(now, each)
        if not found:
            self.release(name, now)
        return tuple(self.jobs[key].but(report=None) for key in found)

    def save(self, job: Job) -> None:
        self.jobs[job.key] = job
        domain = self.domains[job.domain]
        if job.due_at is None:
            domain.end(job.key)
        else:
            domain.put_off(job.key, job.due_at)

    def release(self, name: str, due_at: float) -> None:
        domain = self.domains[name]
        if domain.is_over:
            del self.domains[name]
        else:
            self._let(name, max(due_at, domain.first_at()))

    def give_back(self) -> None:
        """What was taken when a run was stopped is due again."""
        for name, domain in self.domains.items():
            if domain.due_at is None:
                self._let(name, 0.0)

    def set_back(self, step_s: float) -> None:
        for domain in self.domains.values():
            domain.set_back(step_s)
            for key, due_at in domain.coming_back.items():
                self.jobs[key] = self.jobs[key].but(due_at=due_at)
        self._turns = sorted(
            (one.due_at, name) for name, one in self.domains.items() if one.due_at is not None
        )

    def forget(self, pattern: str) -> int:
        """Ask anew whoever a domain or an address names; return how many had been told something."""
        told = [
            job for job in self.jobs.values() if job.report and pattern in (job.key, job.domain)
        ]
        for job in told:
            self.jobs[job.key] = job.but(due_at=0.0, tries=0, report=None)
            self._ask(job.key, job.domain)
        return len(told)


class MemoryLists:
    """Dictionaries behind the engine's Jobs protocol."""

    def __init__(self) -> None:
        self._lists: dict[int, _List] = {}
        self._numbers = count(1)

    async def open_list(self, digest: str, now: float, keep_s: float) -> JobList:
        self._forget_old(now)
        found = self._find(digest) or self._make(digest, now)
        if found.is_held:
            raise ListInUseError
        found.hold(now + keep_s)
        found.give_back()
        return found.known_as

    async def add_jobs(self, number: int, tasks: Sequence[Task]) -> None:
        if sum(len(one.jobs) for one in self._lists.values()) + len(tasks) > MAX_JOBS:
            raise StoreError(
                f"a store in memory holds {MAX_JOBS:,} addresses", "use an SQLite store"
            )
        for task in tasks:
            self._lists[number].add(task)

    async def complete_list(self, number: int) -> None:
        found = self._lists[number]
        found.known_as = found.known_as.but(is_whole=True)

    async def close_list(self, number: int) -> None:
        self._lists[number].is_held = False

    async def forget_list(self, digest: str) -> bool:
        found = self._find(digest)
        if found and found.is_held:
            raise ListInUseError
        if found:
            del self._lists[found.known_as.number]
        return found is not None

    async def set_back(self, number: int, step_s: float) -> None:
        self._lists[number].set_back(step_s)

    def forget(self, pattern: str) -> int:
        """Forget what was told about an address or a domain; return how many reports went."""
        return sum(one.forget(pattern) for one in self._lists.values())

    async def take_jobs(self, number: int, now: float, domains: int, each: int) -> Taken:
        return self._lists[number].take(now, domains, each)

    def save_job(self, job: Job) -> None:
        self._lists[job.list].save(job)

    def save_turn(self, number: int, domain: str, due_at: float) -> None:
        self._lists[number].release(domain, due_at)

    async def end_jobs(self, number: int, most: int, instead: Report) -> int:
        found = self._lists[number]
        waiting = [job for job in found.jobs.values() if job.due_at is not None][:most]
        for job in waiting:
            report = job.report or instead.but(address=job.key)
            found.save(job.but(due_at=None, report=report))
        return len(waiting)

    async def load_reports(self, number: int, tasks: Sequence[Task]) -> Mapping[str, Report]:
        jobs = self._lists[number].jobs
        found = (jobs.get(one.key) for one in tasks)
        return {job.key: job.report for job in found if job and job.due_at is None and job.report}

    async def tally(self, number: int) -> Tally:
        jobs = self._lists[number].jobs.values()
        waiting, done = _count(jobs)
        return Tally(waiting, done, sum(job.callouts for job in jobs if job.due_at is None))

    async def tally_domains(self, number: int, most: int) -> tuple[DomainTally, ...]:
        by_domain: defaultdict[str, list[Job]] = defaultdict(list)
        for job in self._lists[number].jobs.values():
            by_domain[job.domain].append(job)
        made = [DomainTally(domain, *_count(jobs)) for domain, jobs in by_domain.items()]
        return tuple(sorted(made, key=lambda one: (-one.total, one.domain))[: max(most, 0)])

    async def flush(self) -> None:
        """Nothing is ever pending."""

    def _find(self, digest: str) -> _List | None:
        for found in self._lists.values():
            if found.known_as.digest == digest:
                return found
        return None

    def _make(self, digest: str, now: float) -> _List:
        number = next(self._numbers)
        made = self._lists[number] = _List(JobList(number, digest, now))
        return made

    def _forget_old(self, now: float) -> None:
        kept = self._lists.items()
        self._lists = {
            number: one
            for number, one in kept
            if one.is_held or (one.keep_until > now and one.known_as.is_whole)
        }


def _count(jobs: Iterable[Job]) -> tuple[int, dict[Reason, int]]:
    """How many wait, and how many are done for what reason."""
    reasons = Counter(job.report.reason for job in jobs if job.due_at is None and job.report)
    return sum(job.due_at is not None for job in jobs), dict(reasons)
