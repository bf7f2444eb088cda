"""Lists and their jobs, on disk and in memory: the same, but for what outlives a process."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ringback.engine.ports import Jobs
from ringback.errors import ListInUseError
from ringback.store.memory import MemoryStore
from ringback.store.sqlite import SqliteStore
from ringback.values.evidence import Exchange
from ringback.values.job import DomainTally, Job, JobList, Taken, Tally, Task
from ringback.values.query import Report
from ringback.values.verdict import Reason

Stored = SqliteStore | MemoryStore
NOW, KEEP_S, MANY = 1_000.0, 100.0, 100


def tasks_of(*addresses: str) -> tuple[Task, ...]:
    return tuple(Task.parse(address) for address in addresses)


def report_of(address: str, reason: Reason = Reason.ACCEPTED) -> Report:
    return Report(address, reason, final=True, checked_at=NOW, rule="it said so")


def done(job: Job, reason: Reason = Reason.ACCEPTED, callouts: int = 1) -> Job:
    return job.but(due_at=None, callouts=callouts, report=report_of(job.key, reason))


def keys_of(taken: Taken) -> list[list[str]]:
    return [[job.key for job in due.jobs] for due in taken.due]


@pytest.fixture(params=["in memory", "on disk"])
async def store(
    request: pytest.FixtureRequest, open_store: Callable[..., Awaitable[SqliteStore]]
) -> Stored:
    return MemoryStore() if request.param == "in memory" else await open_store()


@pytest.fixture
def jobs(store: Stored) -> Jobs:
    return store.jobs


@pytest.fixture
def take(jobs: Jobs) -> Callable[..., Awaitable[Taken]]:
    """Takes from the list that was made first."""

    async def take_some(now: float = NOW, domains: int = MANY, each: int = MANY) -> Taken:
        return await jobs.take_jobs(1, now, domains, each)

    return take_some


Take = Callable[..., Awaitable[Taken]]


async def _make(jobs: Jobs, *addresses: str, digest: str = "d1") -> JobList:
    made = await jobs.open_list(digest, NOW, KEEP_S)
    await jobs.add_jobs(made.number, tasks_of(*addresses))
    await jobs.complete_list(made.number)
    return made


async def test_a_list_is_known_by_its_digest(jobs: Jobs) -> None:
    first = await _make(jobs, "a@x.example")
    other = await jobs.open_list("d2", NOW, KEEP_S)
    await jobs.close_list(first.number)
    again = await jobs.open_list("d1", NOW + 1, KEEP_S)

    assert first.number != other.number
    assert JobList(first.number, "d1", NOW, is_whole=True) == again
    assert not first.is_whole


async def test_two_do_not_work_on_one_list(jobs: Jobs) -> None:
    await _make(jobs, "a@x.example")

    with pytest.raises(ListInUseError, match="another run is working on this very list"):
        await jobs.open_list("d1", NOW, KEEP_S)


async def test_an_address_is_a_job_once(jobs: Jobs, take: Take) -> None:
    made = await _make(jobs, "a@x.example", "a@X.example", "A@x.example", "a@x.example")
    await jobs.add_jobs(made.number, tasks_of("a@x.example"))

    assert [["a@x.example", "A@x.example"]] == keys_of(await take())
    assert Tally(waiting=2) == await jobs.tally(made.number)


async def test_what_is_no_address_is_a_job_too(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "no address", "a\0\ud800b", "")

    assert [[" no address", " a\\x00\\ud800b", " "]] == keys_of(await take())


async def test_domains_are_taken_by_turns_and_not_again_before_they_are_given_back(
    jobs: Jobs, take: Take
) -> None:
    await _make(jobs, "1@x.example", "2@x.example", "1@y.example", "1@z.example")
    first = await take(domains=2, each=1)
    second = await take(domains=2, each=1)
    jobs.save_turn(1, "x.example", NOW)
    third = await take()

    assert [["1@x.example"], ["1@y.example"]] == keys_of(first)
    assert [["1@z.example"]] == keys_of(second)
    assert [["1@x.example", "2@x.example"]] == keys_of(third)


async def test_who_has_waited_longest_is_taken_first(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example", "1@y.example")
    await take()
    jobs.save_turn(1, "x.example", NOW + 2)
    jobs.save_turn(1, "y.example", NOW + 1)

    assert [["1@y.example"]] == keys_of(await take(NOW + 3, domains=1))


async def test_a_domain_that_rests_is_not_taken(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example")
    await take()
    jobs.save_turn(1, "x.example", NOW + 50)

    assert Taken(next_at=NOW + 50) == await take(NOW + 49)
    assert [["1@x.example"]] == keys_of(await take(NOW + 50))


async def test_what_is_given_back_again_is_due_as_was_said_last(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example")
    await take()
    for due_at in (NOW, NOW + 50, NOW, NOW + 50, NOW + 40):
        jobs.save_turn(1, "x.example", due_at)

    assert Taken(next_at=NOW + 40) == await take(NOW + 39)
    assert [["1@x.example"]] == keys_of(await take(NOW + 60))


async def test_one_that_is_done_is_not_taken_and_one_that_sleeps_is_when_it_is_due(
    jobs: Jobs, take: Take
) -> None:
    await _make(jobs, "1@x.example", "2@x.example")
    [due] = (await take()).due
    jobs.save_job(done(due.jobs[0]))
    later = due.jobs[1].but(due_at=NOW + 60, tries=1, report=report_of("2@x.example"))
    jobs.save_job(later)
    jobs.save_turn(1, "x.example", NOW)

    assert Taken(next_at=NOW + 60) == await take(NOW + 59)
    assert (later.but(report=None),) == (await take(NOW + 60)).due[0].jobs


async def test_who_was_told_to_come_back_comes_before_the_new_ones_in_order(
    jobs: Jobs, take: Take
) -> None:
    await _make(jobs, "1@x.example", "2@x.example", "3@x.example", "4@x.example")
    [due] = (await take(each=3)).due
    for job, due_at in zip(due.jobs, (NOW + 20, NOW + 10, NOW + 30), strict=True):
        jobs.save_job(job.but(due_at=due_at))
    jobs.save_job(due.jobs[0].but(due_at=NOW + 25))
    jobs.save_turn(1, "x.example", NOW)

    assert [["2@x.example", "1@x.example"]] == keys_of(await take(NOW + 29, each=2))
    jobs.save_turn(1, "x.example", NOW)
    came_back = ["2@x.example", "1@x.example", "4@x.example"]
    assert [came_back] == keys_of(await take(NOW + 29, each=9))


async def test_when_all_is_done_nothing_is_left_to_take(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example", "1@y.example")
    for due in (await take()).due:
        for job in due.jobs:
            jobs.save_job(done(job))
        jobs.save_turn(1, due.domain, NOW)

    assert Taken() == await take(NOW + 1_000)


async def test_a_domain_without_jobs_that_are_due_waits_for_the_first(
    jobs: Jobs, take: Take
) -> None:
    await _make(jobs, "1@x.example", "1@y.example")
    for due in (await take()).due:  # and then the run is killed
        jobs.save_job(due.jobs[0].but(due_at=NOW + 60 if due.domain == "x.example" else None))
    await jobs.close_list(1)
    await jobs.open_list("d1", NOW, KEEP_S)

    assert Taken() == (await take()).but(next_at=None)
    assert Taken(next_at=NOW + 60) == await take()


async def test_what_was_taken_when_a_run_was_stopped_is_taken_again(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example", "2@x.example")
    [due] = (await take()).due
    jobs.save_job(done(due.jobs[0]))
    await jobs.close_list(1)
    await jobs.open_list("d1", NOW, KEEP_S)

    assert [["2@x.example"]] == keys_of(await take())


async def test_reports_are_loaded_as_they_were_saved(
    store: Stored, take: Take, evidence: tuple[Exchange, ...]
) -> None:
    jobs: Jobs = store.jobs
    await _make(jobs, "1@x.example", "2@x.example", "3@x.example", "jürgen@x.example", "nobody")
    job, waiting, bare, odd = (await take()).due[1].jobs
    report = report_of(job.key).but(because=evidence[1], evidence=evidence, retry_at=5.0, gate="g")
    strange = report_of(odd.key).but(because=Exchange(1.0, evidence[0].stage))
    jobs.save_job(job.but(due_at=None, report=report))
    jobs.save_job(waiting.but(due_at=9.0, report=report_of(waiting.key)))
    jobs.save_job(done(bare))
    jobs.save_job(odd.but(due_at=None, report=strange))
    await store.flush()
    wanted = tasks_of("1@x.example", "2@x.example", "3@x.example", odd.key, "4@x.example", "nobody")

    assert {job.key: report, bare.key: report_of(bare.key), odd.key: strange} == (
        await jobs.load_reports(1, wanted)
    )
    assert {} == await jobs.load_reports(1, ())


async def test_the_tally_counts_what_is_committed_and_what_is_not(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example", "2@x.example", "3@x.example", "1@y.example")
    of_x, of_y = (await take()).due
    jobs.save_job(done(of_x.jobs[0], callouts=2))
    jobs.save_job(done(of_x.jobs[1], Reason.NO_SUCH_MAILBOX))
    jobs.save_job(of_x.jobs[2].but(due_at=9.0, callouts=7, report=report_of("3@x.example")))
    jobs.save_job(done(of_y.jobs[0]))
    tally = await jobs.tally(1)

    assert Tally(1, {Reason.ACCEPTED: 2, Reason.NO_SUCH_MAILBOX: 1}, callouts=4) == tally
    assert 4 == tally.total


async def test_domains_are_told_the_largest_first(jobs: Jobs) -> None:
    await _make(jobs, "1@y.example", "1@x.example", "2@x.example", "1@z.example")
    told = await jobs.tally_domains(1, 2)

    assert ["x.example", "y.example"] == [one.domain for one in told]
    assert [2, 1] == [one.total for one in told]


async def test_what_has_no_report_ends_with_one_instead(store: Stored, take: Take) -> None:
    jobs: Jobs = store.jobs
    await _make(jobs, "1@x.example", "2@x.example", "3@x.example")
    [due] = (await take(each=2)).due
    slept = report_of("1@x.example", Reason.GREYLISTED)
    jobs.save_job(due.jobs[0].but(due_at=NOW + 60, report=slept))
    jobs.save_job(done(due.jobs[1]))
    await store.flush()
    instead = report_of("", Reason.OVER_BUDGET)
    ended = [await jobs.end_jobs(1, 1, instead) for _ in range(3)]
    found = await jobs.load_reports(1, tasks_of("1@x.example", "2@x.example", "3@x.example"))

    assert [1, 1, 0] == ended
    assert slept == found["1@x.example"]
    assert instead.but(address="3@x.example") == found["3@x.example"]
    assert report_of("2@x.example") == found["2@x.example"]


async def test_a_list_that_was_forgotten_begins_anew(jobs: Jobs) -> None:
    made = await _make(jobs, "1@x.example")
    with pytest.raises(ListInUseError):
        await jobs.forget_list("d1")
    await jobs.close_list(made.number)
    forgotten = [await jobs.forget_list("d1") for _ in range(2)]
    again = await jobs.open_list("d1", NOW, KEEP_S)

    assert [True, False] == forgotten
    assert not again.is_whole
    assert Tally() == await jobs.tally(again.number)


async def test_of_one_that_nobody_knows_there_is_nothing_to_forget(jobs: Jobs) -> None:
    await jobs.forget_list("d1")

    assert not (await jobs.open_list("d1", NOW, KEEP_S)).is_whole


async def test_a_list_that_was_never_whole_begins_anew(jobs: Jobs) -> None:
    made = await jobs.open_list("d1", NOW, KEEP_S)
    await jobs.add_jobs(made.number, tasks_of("1@elsewhere.example"))
    await jobs.close_list(made.number)
    again = await jobs.open_list("d1", NOW, KEEP_S)

    assert Tally() == await jobs.tally(again.number)


async def test_a_list_whose_time_is_over_begins_anew(jobs: Jobs) -> None:
    made = await _make(jobs, "1@x.example")
    with pytest.raises(ListInUseError):  # as long as somebody is at work on it, it is not
        await jobs.open_list("d1", NOW + KEEP_S, KEEP_S)
    await jobs.close_list(made.number)
    again = await jobs.open_list("d1", NOW + KEEP_S, KEEP_S)

    assert made.number < again.number
    assert not again.is_whole


@pytest.mark.parametrize("waits", [True, False])
async def test_only_a_list_in_which_somebody_waits_is_kept_the_longer_for_another_run(
    jobs: Jobs, take: Take, waits: bool
) -> None:
    made = await _make(jobs, "1@x.example")
    if not waits:
        [due] = (await take()).due
        jobs.save_job(done(due.jobs[0]))
        jobs.save_turn(made.number, "x.example", NOW)
    await jobs.close_list(made.number)
    opened = []
    for now in (NOW + KEEP_S - 1, NOW + KEEP_S):
        opened.append((await jobs.open_list("d1", now, KEEP_S)).number)
        await jobs.close_list(opened[-1])

    assert [made.number, waits] == [opened[0], opened[1] == made.number]


async def test_where_the_clock_is_set_back_what_waits_is_due_so_much_earlier(
    jobs: Jobs, take: Take
) -> None:
    await _make(jobs, "1@x.example", "2@x.example", "1@y.example", "1@z.example")
    of_x, of_y, _ = (await take()).due
    jobs.save_job(of_x.jobs[0].but(due_at=NOW + 60))
    jobs.save_job(done(of_x.jobs[1]))
    jobs.save_job(of_y.jobs[0].but(due_at=NOW + 10))
    jobs.save_turn(1, "x.example", NOW)
    jobs.save_turn(1, "y.example", NOW + 20)
    await jobs.set_back(1, 900.0)

    assert Taken(next_at=120.0) == await take(119.0)
    assert [["1@y.example"]] == keys_of(await take(120.0))
    [again] = (await take(160.0)).due
    assert (160.0,) == tuple(job.due_at for job in again.jobs)
    await jobs.set_back(1, 9_000.0)
    jobs.save_turn(1, "x.example", 0.0)
    assert [1.0] == [job.due_at for job in (await take(2.0)).due[0].jobs]


@pytest.mark.parametrize("pattern", ["1@X.example", "x.example"])
async def test_what_is_forgotten_of_an_address_is_forgotten_with_lists_and_asked_again(
    store: Stored, take: Take, pattern: str
) -> None:
    jobs: Jobs = store.jobs
    await _make(jobs, "1@x.example", "1@y.example")
    for due in (await take()).due:
        jobs.save_job(done(due.jobs[0]))
        jobs.save_turn(1, due.domain, NOW)

    assert [1, 0] == [await store.forget(pattern) for _ in range(2)]
    assert ["1@y.example"] == [
        *await jobs.load_reports(1, tasks_of("1@x.example", "1@y.example")),
    ]
    assert [["1@x.example"]] == keys_of(await take())


async def test_who_waits_and_is_forgotten_is_asked_again(store: Stored, take: Take) -> None:
    jobs: Jobs = store.jobs
    await _make(jobs, "1@x.example", "2@x.example")
    [due] = (await take(each=1)).due
    slept = due.jobs[0].but(due_at=NOW + 60, tries=2, report=report_of("1@x.example"))
    jobs.save_job(slept)
    jobs.save_turn(1, "x.example", NOW)

    assert 1 == await store.forget("1@x.example")
    assert [[0, 0]] == [[job.tries for job in due.jobs] for due in (await take()).due]


async def test_a_report_that_is_damaged_says_so_and_holds_nobody_up(
    open_store: Callable[..., Awaitable[SqliteStore]], path: Path
) -> None:
    jobs = (await open_store()).jobs
    await _make(jobs, "1@x.example")
    [due] = (await jobs.take_jobs(1, NOW, MANY, 1)).due
    jobs.save_job(done(due.jobs[0]).but(report=report_of("1@x.example").but(rule="\ud800")))
    await jobs.flush()
    found = await jobs.load_reports(1, tasks_of("1@x.example"))

    assert Reason.OUR_TROUBLE is found["1@x.example"].reason
    assert "cannot be read any more" in found["1@x.example"].rule


async def test_lists_are_told_apart(jobs: Jobs) -> None:
    first = await _make(jobs, "1@x.example")
    second = await _make(jobs, "2@x.example", digest="d2")

    assert [["1@x.example"]] == keys_of(await jobs.take_jobs(first.number, NOW, MANY, MANY))
    assert [["2@x.example"]] == keys_of(await jobs.take_jobs(second.number, NOW, MANY, MANY))
    assert ("x.example",) == tuple(one.domain for one in await jobs.tally_domains(2, MANY))


async def test_domain_tallies_tell_what_came_of_it(jobs: Jobs, take: Take) -> None:
    await _make(jobs, "1@x.example", "2@x.example", "3@x.example")
    [due] = (await take()).due
    jobs.save_job(done(due.jobs[0]))
    jobs.save_job(done(due.jobs[1]))

    assert (DomainTally("x.example", 1, {Reason.ACCEPTED: 2}),) == await jobs.tally_domains(1, 9)


async def test_on_disk_it_outlives_its_process_and_another_is_kept_out_until_then(
    open_store: Callable[..., Awaitable[SqliteStore]], path: Path
) -> None:
    first, second = await open_store(), await open_store()
    await _make(first.jobs, "1@x.example", "2@x.example")
    [due] = (await first.jobs.take_jobs(1, NOW, MANY, 1)).due
    first.jobs.save_job(done(due.jobs[0]))
    with pytest.raises(ListInUseError):
        await second.jobs.open_list("d1", NOW, KEEP_S)
    await first.close()
    again = await second.jobs.open_list("d1", NOW, KEEP_S)

    assert again.is_whole
    assert [["2@x.example"]] == keys_of(await second.jobs.take_jobs(1, NOW, MANY, MANY))


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_comes_both_kinds_of_store_do_the_same(
    open_store: Callable[..., Awaitable[SqliteStore]], seed: int
) -> None:
    on_disk, told = await open_store(), []
    for jobs in (MemoryStore().jobs, on_disk.jobs):
        told.append([step async for step in _play(jobs, random.Random(seed))])

    assert told[0] == told[1]


async def _play(jobs: Jobs, chance: random.Random) -> AsyncIterator[object]:
    """Work on a list as runs do that are stopped now and then; tell what was seen."""
    tasks = [Task.parse(f"{chance.randrange(9)}@{chance.randrange(6)}.example") for _ in range(25)]
    now, number = NOW, (await _make(jobs, *(task.key for task in tasks))).number
    for _ in range(40):
        now += chance.random()
        taken = await jobs.take_jobs(number, now, chance.randrange(1, 4), chance.randrange(1, 4))
        yield taken
        for due in taken.due:
            for job in due.jobs[: chance.randrange(4)]:
                jobs.save_job(_answered(job, now, chance))
            if chance.random() < 0.9:
                jobs.save_turn(number, due.domain, now + chance.choice((0.0, chance.random())))
        if chance.random() < 0.1:
            await jobs.close_list(number)
            yield await jobs.open_list("d1", now, KEEP_S)
    yield await jobs.tally(number)
    yield await jobs.end_jobs(number, MANY, report_of(""))
    yield await jobs.tally_domains(number, 3)
    await jobs.flush()
    yield await jobs.load_reports(number, tasks)


def _answered(job: Job, now: float, chance: random.Random) -> Job:
    if chance.random() < 0.5:
        return done(job)
    later = now + 3 * chance.random()
    return job.but(due_at=later, tries=job.tries + 1, report=report_of(job.key, Reason.GREYLISTED))
