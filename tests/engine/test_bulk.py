"""Lists in virtual time: who is asked when, what sleeps, and what a stopped run leaves to the next."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

import pytest

from ringback.engine import bulk as module
from ringback.engine import lost_hopes
from ringback.engine.bulk import KEEP_S, MAX_RUN_S, Bulk, Progress
from ringback.engine.ports import Jobs
from ringback.errors import ListInUseError, StoreError, UsageError
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.store.memory_lists import MemoryLists
from ringback.values.events import Event, Trouble
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.job import Digest, Job, JobList, Taken, Tally, Task
from ringback.values.query import Purpose, Query, Report
from ringback.values.settings import Budget, Etiquette, Settings
from ringback.values.verdict import Reason

T = TypeVar("T")
STEPS = (360.0, 900.0)
BUDGET = Budget(concurrent_per_host=2, concurrent=8)
Say = Callable[["Host", Query], Report]


class Host:
    """Answers as it is told to, after a second, and writes down when it was asked."""

    def __init__(self, clock: SimClock, say: Say) -> None:
        self._clock, self._say = clock, say
        self.asked: list[tuple[float, str]] = []
        self.under_way = 0
        self.most_under_way = 0
        self.most_at_a_domain = 0
        self._at_domain: dict[str, int] = {}

    async def verify(self, asked: Query | str) -> Report:
        assert isinstance(asked, Query)
        domain = asked.address.partition("@")[2]
        self.asked.append((self._clock.elapsed(), asked.address))
        self.under_way += 1
        self._at_domain[domain] = self._at_domain.get(domain, 0) + 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.most_at_a_domain = max(self.most_at_a_domain, self._at_domain[domain])
        try:
            await self._clock.sleep(1.0)
            return self._say(self, asked)
        finally:
            self.under_way -= 1
            self._at_domain[domain] -= 1

    def times(self, address: str) -> list[float]:
        return [at for at, name in self.asked if name == address]

    def now(self) -> float:
        return self._clock.now()


def told(query: Query, reason: Reason = Reason.ACCEPTED, *, callouts: int = 1) -> Report:
    return Report(query.address, reason, True, 1.0, "so", callouts=callouts)


def accepts(_: Host, query: Query) -> Report:
    assert Purpose.BULK is query.purpose
    assert query.answer_by_at is None
    return told(query)


def greylists(host: Host, query: Query) -> Report:
    """Once, for 500 s."""
    if len(host.times(query.address)) > 1:
        return told(query)
    waits = told(query, Reason.GREYLISTED)
    return waits.but(final=False, retry_at=host.now() + 500)


def always(reason: Reason, gate: str = "", callouts: int = 0) -> Say:
    return lambda _, query: told(query, reason, callouts=callouts).but(gate=gate)


def some_an_hour(host: Host, query: Query) -> Report:
    """The first, and after that one each 80 s."""
    earlier = [at for at, _ in host.asked[:-1]]
    passed = sum(1 for at in earlier if at % 80.0 == 0)
    if host.asked[-1][0] >= 80.0 * passed:
        return told(query)
    return told(query, Reason.OVER_BUDGET, callouts=0).but(gate="budget")


class World:
    """A loop, its clock, a store in memory, and a host."""

    def __init__(self, say: Say, budget: Budget = BUDGET, jobs: Jobs | None = None) -> None:
        self.loop = SimLoop()
        self.clock = SimClock(self.loop)
        self.host = Host(self.clock, say)
        self.jobs = jobs or MemoryLists()
        self.settings = Settings(budget=budget, etiquette=Etiquette(recheck_after_s=STEPS))
        self.told: list[Event] = []
        self.bulk = self.anew()

    def anew(self) -> Bulk:
        return Bulk(self.settings, self.host, self.jobs, self.clock, self.told.append)

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        async def doing() -> T:
            return await work()

        return run(self.loop, doing())

    def work_on(self, addresses: Iterable[str], most_s: float = MAX_RUN_S) -> dict[str, Report]:
        """Work on a list to its end, and return its reports."""
        return self.do(lambda: self.finish(addresses, most_s))

    async def finish(
        self, addresses: Iterable[str], most_s: float = MAX_RUN_S
    ) -> dict[str, Report]:
        tasks = [Task.parse(address) for address in addresses]
        work = await self.open(tasks)
        assert await self.bulk.run(work, most_s) is None
        return dict(await self.jobs.load_reports(work.number, tasks))

    async def open(self, tasks: Iterable[Task]) -> JobList:
        listed, digest = list(tasks), Digest()
        for task in listed:
            digest.add(task)
        return await self.bulk.open(digest.hex(), listed)


def reasons_of(found: dict[str, Report]) -> dict[str, Reason]:
    return {key: report.reason for key, report in found.items()}


def test_each_address_is_asked_once_and_has_its_report() -> None:
    world = World(accepts)
    addresses = ["a@x.example", "b@x.example", "a@X.example", "a@y.example"]
    found = world.work_on(addresses)

    assert dict.fromkeys(("a@x.example", "b@x.example", "a@y.example"), Reason.ACCEPTED) == (
        reasons_of(found)
    )
    assert 3 == len(world.host.asked)
    done = Tally(0, {Reason.ACCEPTED: 3}, callouts=3)
    assert Progress(done, 0, None, 0.0) == world.bulk.progress()


def test_an_empty_list_is_done() -> None:
    assert {} == World(accepts).work_on([])


def test_what_is_no_address_is_answered_without_asking() -> None:
    world = World(accepts)
    found = world.work_on(["nobody", '"a\0b"@x.example'])

    assert {Reason.BAD_SYNTAX} == set(reasons_of(found).values())
    assert "no local part and domain around an @" == found[" nobody"].rule
    assert "characters that no address can have" in found[' "a\\x00b"@x.example'].rule
    assert [] == world.host.asked


def test_a_domain_is_asked_by_as_many_at_a_time_as_a_host_may_be() -> None:
    world = World(accepts)
    world.work_on(f"{number}@x.example" for number in range(200))

    assert 2 == world.host.most_at_a_domain
    assert 100.0 == world.clock.elapsed()


def test_all_together_are_no_more_than_may_be_connected() -> None:
    world = World(accepts)
    world.work_on(f"{number}@{domain}.example" for number in range(3) for domain in range(30))

    assert 8 == world.host.most_under_way


def test_a_large_domain_does_not_keep_the_others_waiting() -> None:
    world = World(accepts)
    large = [f"{number}@large.example" for number in range(300)]
    world.work_on([*large, *(f"a@{number}.example" for number in range(20))])

    last = max(at for at, address in world.host.asked if not address.endswith("@large.example"))
    assert last < 10.0


def test_one_that_is_told_to_come_back_sleeps_until_then() -> None:
    world = World(greylists)
    found = world.work_on(["a@x.example", "b@y.example"])

    assert {Reason.ACCEPTED} == set(reasons_of(found).values())
    assert [0.0, 501.0] == world.host.times("a@x.example")
    assert 2 * 2 == world.bulk.progress().tally.callouts


def test_it_is_told_so_as_often_as_the_settings_say() -> None:
    def for_ever(host: Host, query: Query) -> Report:
        waits = told(query, Reason.GREYLISTED)
        return waits.but(final=False, retry_at=host.now() + 100)

    world = World(for_ever)
    found = world.work_on(["a@x.example"])

    assert {"a@x.example": Reason.GREYLISTED} == reasons_of(found)
    assert [0.0, 101.0, 202.0] == world.host.times("a@x.example")


def test_where_a_budget_is_used_up_its_domain_waits_for_its_turns() -> None:
    world = World(some_an_hour, Budget(concurrent_per_host=1))
    found = world.work_on(f"{number}@x.example" for number in range(5))

    assert {Reason.ACCEPTED} == set(reasons_of(found).values())
    # One that passes, and the next one that finds the budget used up again.
    assert len(world.host.asked) <= 2 * 5
    assert world.clock.elapsed() < 5 * 83.0


def test_domains_that_wait_for_one_budget_come_one_after_the_other() -> None:
    because = Exchange(1.0, Stage.CONNECT, ip="192.0.2.1", fault=Fault.OVER_BUDGET)
    over = always(Reason.OVER_BUDGET, "budget")
    world = World(
        lambda host, query: (
            over(host, query).but(because=because) if len(host.asked) <= 3 else told(query)
        )
    )
    world.work_on(f"a@{number}.example" for number in range(3))

    assert [81.0, 161.0, 241.0] == sorted(at for at, _ in world.host.asked)[3:]


def test_what_a_callout_cost_that_ended_for_want_of_budget_counts() -> None:
    costly = always(Reason.OVER_BUDGET, "budget", callouts=1)
    world = World(lambda host, query: (costly if len(host.asked) == 1 else accepts)(host, query))
    world.work_on(["a@x.example"])

    assert 2 == world.bulk.progress().tally.callouts


def test_a_host_that_has_too_much_of_us_is_left_alone_and_not_for_ever() -> None:
    world = World(always(Reason.RATE_LIMITED), Budget(concurrent_per_host=1))
    found = world.work_on(f"{number}@x.example" for number in range(4))

    assert {Reason.RATE_LIMITED} == set(reasons_of(found).values())
    # The first one comes back twice, an hour after; then the others are answered without a rest.
    assert [0.0, 3_601.0, 7_202.0] == world.host.times("0@x.example")
    assert world.clock.elapsed() < 3 * 3_600


def behind(ip: str) -> Exchange:
    return Exchange(1.0, Stage.RCPT, 1, "mx.example", ip, code=451)


def test_where_a_host_makes_us_wait_for_ever_one_of_its_domains_does() -> None:
    def for_ever(host: Host, query: Query) -> Report:
        waits = told(query, Reason.GREYLISTED).but(because=behind("192.0.2.1"))
        waits = waits.but(final=False, retry_at=host.now() + 1_000)
        return waits if query.address == "a@0.example" else waits.but(callouts=0, gate="greylist")

    world = World(for_ever)
    found = world.work_on(f"a@{number}.example" for number in range(9))

    assert {Reason.GREYLISTED} == set(reasons_of(found).values())
    assert [0.0, 1_001.0, 2_002.0] == world.host.times("a@0.example")
    assert world.clock.elapsed() < 3_100.0


def test_one_that_answers_is_waited_for_again() -> None:
    def for_ever_one(host: Host, query: Query) -> Report:
        if query.address == "bad@a.example" or len(host.times(query.address)) == 1:
            waits = told(query, Reason.GREYLISTED).but(because=behind("192.0.2.1"))
            return waits.but(final=False, retry_at=host.now() + 100)
        return told(query).but(because=behind("192.0.2.1"))

    world = World(for_ever_one)
    late = [f"late{number}@b.example" for number in range(2)]
    early = [f"a@{number}.example" for number in range(3)]
    found = world.work_on(["bad@a.example", *early, *late])

    assert Reason.GREYLISTED is found.pop("bad@a.example").reason
    assert {Reason.ACCEPTED} == set(reasons_of(found).values())


def test_domains_that_were_given_up_are_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_hopes, "MAX_GIVEN_UP", 0)
    world = World(always(Reason.RATE_LIMITED), Budget(concurrent_per_host=1))
    world.work_on(f"{number}@x.example" for number in range(2))

    assert world.clock.elapsed() > 4 * 3_600


def test_where_nobody_may_be_called_the_run_ends_and_the_rest_stays() -> None:
    world = World(always(Reason.IDENTITY_UNFIT, "identity"))

    async def work() -> tuple[Report | None, Tally]:
        opened = await world.open(Task.parse(f"a@{number}.example") for number in range(50))
        return await world.bulk.run(opened), await world.jobs.tally(opened.number)

    said, tally = world.do(work)

    assert said and Reason.IDENTITY_UNFIT is said.reason
    assert Tally(waiting=50) == tally
    assert len(world.host.asked) <= 8


@pytest.mark.parametrize(("unfit_s", "ends"), [(3_000.0, True), (9_000.0, False)])
def test_where_it_may_not_any_more_the_run_waits_for_an_hour(unfit_s: float, ends: bool) -> None:
    def unfit_for_a_while(host: Host, query: Query) -> Report:
        if 10.0 < host.asked[-1][0] < unfit_s:
            return told(query, Reason.IDENTITY_UNFIT, callouts=0).but(gate="identity")
        return told(query)

    world = World(unfit_for_a_while, Budget(concurrent_per_host=1))

    async def work() -> tuple[Report | None, int]:
        opened = await world.open(Task.parse(f"{number}@x.example") for number in range(20))
        said = await world.bulk.run(opened)
        return said, (await world.jobs.tally(opened.number)).waiting

    said, waiting = world.do(work)

    assert (ends, not ends) == (said is None, waiting > 0)
    assert world.clock.elapsed() < 10.0 + module.BARRED_S + 2 * 600.0


def test_a_call_that_finds_that_nobody_may_be_called_is_none_that_was_let_through() -> None:
    world = World(always(Reason.IDENTITY_UNFIT, "identity", callouts=1))

    async def work() -> Report | None:
        return await world.bulk.run(await world.open([Task.parse("a@x.example")]))

    assert world.do(work) is not None
    assert 1.0 == world.clock.elapsed()


def test_when_its_time_is_over_the_rest_ends_as_what_it_is() -> None:
    def slow(host: Host, query: Query) -> Report:
        if query.address.startswith("new"):
            return told(query, Reason.OVER_BUDGET).but(gate="budget")
        waits = told(query, Reason.GREYLISTED)
        return waits.but(final=False, retry_at=host.now() + 9_999)

    world = World(slow)
    found = world.work_on(["new@x.example", "grey@y.example", "bad"], most_s=500.0)

    assert 500.0 == world.clock.elapsed()
    assert Reason.GREYLISTED is found["grey@y.example"].reason
    assert Reason.OVER_BUDGET is found["new@x.example"].reason
    assert 0 == world.bulk.progress().tally.waiting


def test_a_short_unfitness_after_somebody_was_called_does_not_end_the_run() -> None:
    def unfit_for_a_moment(host: Host, query: Query) -> Report:
        if len(host.times(query.address)) == 1:
            waits = told(query, Reason.GREYLISTED)
            return waits.but(final=False, retry_at=host.now() + 500)
        if host.asked[-1][0] < 510.0:
            return told(query, Reason.IDENTITY_UNFIT, callouts=0).but(gate="identity")
        return told(query)

    found = World(unfit_for_a_moment).work_on(["a@x.example", "b@y.example"])

    assert {Reason.ACCEPTED} == set(reasons_of(found).values())


@pytest.mark.parametrize("step_s", [3_600.0, 30 * 86_400.0])
def test_a_clock_that_is_set_back_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    world = World(greylists, Budget(concurrent_per_host=1))
    now = SimClock.now

    async def work() -> None:
        running = asyncio.create_task(world.finish(f"{number}@x.example" for number in range(3)))
        await world.clock.sleep(100.0)
        monkeypatch.setattr(SimClock, "now", lambda clock: now(clock) - step_s)
        await running

    world.do(work)

    assert 6 == len(world.host.asked)
    assert world.clock.elapsed() < 504.0 + module.MAX_NAP_S


def one_each_80_s() -> Say:
    passed_at = [-80.0]

    def say(host: Host, query: Query) -> Report:
        at = host.asked[-1][0]
        if at < passed_at[-1] + 80.0:
            return told(query, Reason.OVER_BUDGET, callouts=0).but(gate="budget")
        passed_at.append(at)
        return told(query)

    return say


@pytest.mark.parametrize("back_s", [0.0, 86_400.0])
def test_nor_those_who_wait_for_their_turns(monkeypatch: pytest.MonkeyPatch, back_s: float) -> None:
    world = World(one_each_80_s(), Budget(concurrent_per_host=1))
    now = SimClock.now

    async def work() -> None:
        running = asyncio.create_task(world.finish(f"{number}@x.example" for number in range(9)))
        await world.clock.sleep(100.5)
        monkeypatch.setattr(SimClock, "now", lambda clock: now(clock) - back_s)
        await running

    world.do(work)

    assert world.clock.elapsed() < 9 * 83.0 + 80.0


def test_a_bug_at_one_address_is_told_and_costs_no_other() -> None:
    def breaks(_: Host, query: Query) -> Report:
        if query.address == "bad@x.example":
            raise ValueError("nobody foresaw this")
        return told(query)

    world = World(breaks)
    found = world.work_on(["bad@x.example", "a@x.example", "a@y.example"])

    assert Reason.OUR_TROUBLE is found.pop("bad@x.example").reason
    assert {Reason.ACCEPTED} == set(reasons_of(found).values())
    (event, *_) = world.told
    assert isinstance(event, Trouble)
    assert ("bulk", "ValueError('nobody foresaw this')") == (event.where, event.what)


def test_slow_domains_leave_their_places_to_others() -> None:
    class Slow(Host):
        async def verify(self, asked: Query | str) -> Report:
            assert isinstance(asked, Query)
            if asked.address.endswith(".slow.example"):
                await self._clock.sleep(180.0)
            return await super().verify(asked)

    world = World(accepts, Budget(concurrent_per_host=1, concurrent=100))
    world.host = Slow(world.clock, accepts)
    world.bulk = world.anew()
    slow = [f"{number}@{number % 78}.slow.example" for number in range(780)]
    world.work_on([*slow, *(f"a@{number}.example" for number in range(300))])
    fast = [at for at, address in world.host.asked if not address.endswith(".slow.example")]

    assert max(fast) < 180.0


def test_for_one_place_that_is_free_the_store_is_not_looked_into() -> None:
    def answer_s(address: str) -> float:
        return 0.0 if address == "a@0.example" else 100.0

    class Uneven(Host):
        async def verify(self, asked: Query | str) -> Report:
            assert isinstance(asked, Query)
            await self._clock.sleep(answer_s(asked.address))
            return await super().verify(asked)

    world = World(accepts, Budget(concurrent_per_host=1, concurrent=8))
    world.host = Uneven(world.clock, accepts)
    world.bulk = world.anew()
    world.work_on(f"a@{number}.example" for number in range(9))

    assert [0.0, *[100.0] * 7, 201.0] == [at for at, _ in world.host.asked]


def test_two_at_once_that_find_a_budget_used_up_wait_for_one_turn() -> None:
    def first_nobody(host: Host, query: Query) -> Report:
        if len(host.asked) > 2:
            return told(query)
        return told(query, Reason.OVER_BUDGET, callouts=0).but(gate="budget")

    world = World(first_nobody, BUDGET.but(per_host=36, per_domain=36))
    found = world.work_on(["a@x.example", "b@x.example"])

    assert {Reason.ACCEPTED} == set(reasons_of(found).values())
    assert 2 == len({at for at, _ in world.host.asked})


def test_a_run_that_was_stopped_is_gone_on_with() -> None:
    world = World(accepts)
    addresses = [f"{number}@{domain}.example" for number in range(20) for domain in range(3)]

    async def work() -> dict[str, Report]:
        tasks = [Task.parse(address) for address in addresses]
        opened = await world.open(tasks)
        running = asyncio.create_task(world.bulk.run(opened))
        await world.clock.sleep(5.5)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(ListInUseError):
            await world.anew().open(opened.digest, ())
        await world.bulk.close(opened)
        return await world.finish(addresses)

    found = world.do(work)

    assert dict.fromkeys(addresses, Reason.ACCEPTED) == reasons_of(found)
    under_way = 3 * 2
    assert 60 + under_way == len(world.host.asked)


def test_one_that_was_killed_while_it_was_written_down_is_written_down_again() -> None:
    world = World(accepts)

    async def work() -> dict[str, Report]:
        half = await world.jobs.open_list(_digest("a@x.example", "b@x.example"), 0.0, 9e9)
        await world.jobs.add_jobs(half.number, [Task.parse("a@x.example")])
        await world.jobs.close_list(half.number)
        return await world.finish(["a@x.example", "b@x.example"])

    assert 2 == len(world.do(work))


def _digest(*addresses: str) -> str:
    digest = Digest()
    for address in addresses:
        digest.add(Task.parse(address))
    return digest.hex()


class Unlucky(MemoryLists):
    """Takes its time to open a list, and cannot let go of it until `breaks` is over."""

    def __init__(self) -> None:
        super().__init__()
        self.opens = asyncio.Event()

    async def open_list(self, digest: str, now: float, keep_s: float) -> JobList:
        opened = await super().open_list(digest, now, keep_s)
        await self.opens.wait()
        return opened


def test_who_gives_up_while_a_list_is_opened_does_not_hold_it() -> None:
    jobs = Unlucky()
    world = World(accepts, jobs=jobs)

    async def work() -> JobList:
        opening = asyncio.create_task(world.bulk.open("d1", ()))
        await asyncio.sleep(0)
        opening.cancel()
        await asyncio.sleep(0)
        jobs.opens.set()
        with pytest.raises(asyncio.CancelledError):
            await opening
        return await world.bulk.open("d1", ())

    assert world.do(work).is_whole


def test_of_a_list_that_changes_while_it_is_written_down_nobody_is_asked() -> None:
    world = World(accepts)
    right = [f"{number}@right.example" for number in range(3)]

    def changed() -> Iterator[Task]:
        for number in range(2 * module.ADDED_AT_ONCE):
            yield Task.parse(f"{number}@wrong.example")
        raise UsageError("it changed while it was read")

    async def work() -> dict[str, Report]:
        with pytest.raises(UsageError, match="it changed while it was read"):
            await world.bulk.open(_digest(*right), changed())
        return await world.finish(right)

    assert dict.fromkeys(right, Reason.ACCEPTED) == reasons_of(world.do(work))
    assert 3 == len(world.host.asked)


def test_one_that_is_held_by_somebody_stays_so() -> None:
    world = World(accepts)

    async def work() -> None:
        await world.bulk.open("d1", ())
        for _ in range(2):
            with pytest.raises(ListInUseError):
                await world.anew().open("d1", ())
        with pytest.raises(ListInUseError):
            await world.bulk.forget("d1")

    world.do(work)


def test_one_that_is_done_is_not_asked_again_unless_it_is_forgotten() -> None:
    world = World(accepts)

    async def work() -> list[int]:
        asked = []
        for forgets in (False, True, False):
            await world.finish(["a@x.example"])
            asked.append(len(world.host.asked))
            await world.bulk.close(JobList(1 + len(asked) // 3, "", 0.0))
            if forgets:
                await world.bulk.forget(_digest("a@x.example"))
        return asked

    assert [1, 1, 2] == world.do(work)


def test_a_run_tells_how_far_it_has_come() -> None:
    world = World(greylists)
    before = world.bulk.progress()

    async def work() -> list[Progress]:
        opened = await world.open(Task.parse(f"{number}@x.example") for number in range(2))
        async with asyncio.TaskGroup() as group:
            group.create_task(world.bulk.run(opened))
            await world.clock.sleep(0.5)
            busy = world.bulk.progress()
            await world.clock.sleep(100)
            return [busy, world.bulk.progress()]

    busy, asleep = world.do(work)

    assert Progress(Tally(), 0, None, None) == before
    assert (2, None) == (busy.under_way, busy.next_at)
    assert (0, world.clock.now() - world.clock.elapsed() + 501) == (
        asleep.under_way,
        asleep.next_at,
    )
    assert (2, 2) == (asleep.tally.waiting, asleep.tally.callouts)


def test_answers_that_were_lost_are_complained_of() -> None:
    class Forgetful(MemoryLists):
        def save_job(self, job: Job) -> None: ...

        def save_turn(self, number: int, domain: str, due_at: float) -> None: ...

    world = World(accepts, jobs=Forgetful())

    with pytest.raises(StoreError, match="some answers could not be kept"):
        world.work_on(["a@x.example"])


def test_a_store_that_fails_ends_the_run() -> None:
    class Full(MemoryLists):
        async def flush(self) -> None:
            raise StoreError("the disk is full")

    world = World(accepts, jobs=Full())

    with pytest.raises(StoreError, match="the disk is full"):
        world.work_on(f"{number}@x.example" for number in range(2 * module.KEPT_TOGETHER))


def test_a_store_that_fails_for_a_while_is_waited_for() -> None:
    class Locked(MemoryLists):
        async def take_jobs(self, number: int, now: float, domains: int, each: int) -> Taken:
            if world.clock.elapsed() < 200.0:
                raise StoreError("another program keeps it locked")
            return await super().take_jobs(number, now, domains, each)

    world = World(accepts, jobs=Locked())
    found = world.work_on(["a@x.example"])

    assert {"a@x.example": Reason.ACCEPTED} == reasons_of(found)
    assert 200.0 <= world.clock.elapsed() < 220.0


def test_a_bug_is_told_before_what_it_does_to_the_store() -> None:
    class Broken(MemoryLists):
        failed = False

        def save_job(self, job: Job) -> None:
            Broken.failed = True
            raise KeyError("a bug")

        async def take_jobs(self, number: int, now: float, domains: int, each: int) -> Taken:
            if Broken.failed:
                raise StoreError("it was closed")
            return await super().take_jobs(number, now, domains, each)

    world = World(accepts, jobs=Broken())

    with pytest.raises(KeyError, match="a bug"):
        world.work_on(["a@x.example", "a@y.example"])


def test_the_store_is_waited_for_where_answers_come_faster_than_it_keeps_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Counting(MemoryLists):
        flushes = 0

        async def flush(self) -> None:
            Counting.flushes += 1
            await asyncio.sleep(1.0)

    monkeypatch.setattr(module, "KEPT_TOGETHER", 10)
    world = World(accepts, jobs=Counting())
    world.work_on(f"{number}@{number % 7}.example" for number in range(100))

    assert 5 <= Counting.flushes <= 10


def test_who_was_told_to_come_back_later_than_a_nap_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_NAP_S", 60.0)
    world = World(greylists)
    world.work_on(["a@x.example"])

    assert [0.0, 501.0] == world.host.times("a@x.example")


def test_a_list_is_kept_for_some_time_after_its_last_run() -> None:
    world = World(accepts)

    async def work() -> tuple[int, int, int]:
        first = await world.open([Task.parse("a@x.example")])
        await world.bulk.close(first)
        await world.clock.sleep(MAX_RUN_S + KEEP_S - 1)
        again = await world.open([Task.parse("a@x.example")])
        await world.bulk.close(again)
        await world.clock.sleep(MAX_RUN_S + KEEP_S)
        anew = await world.open([Task.parse("a@x.example")])
        return first.number, again.number, anew.number

    first, again, anew = world.do(work)

    assert first == again != anew
