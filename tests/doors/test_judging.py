"""From a question to an action, with an engine that does as it is told."""

import asyncio
from collections.abc import Callable

import pytest

from door_fakes import NOON, FakeVerifier, Verdict
from ringback.doors import judging as judging_module
from ringback.doors.judging import Judge
from ringback.errors import StoreError
from ringback.lab.clock import HandClock
from ringback.rules.actions import DUNNO, Kind
from ringback.values.events import Decided, Event, Trouble
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Mode, Policy, Settings, Smtp
from ringback.values.verdict import Reason

ENFORCE = Settings(policy=Policy(mode=Mode.ENFORCE))
CLIENT = Client("198.51.100.7")


def ask(local: str) -> Query:
    return Query(f"{local}@shop.example", Purpose.SENDER, CLIENT, "bob@ours.example", NOON + 10)


class Bench:
    """A judge and what it told."""

    def __init__(
        self, settings: Settings = ENFORCE, grace_s: float = 1.0, **known: Verdict
    ) -> None:
        self.verifier, self.events = FakeVerifier(**known), list[Event]()
        self.clock = HandClock(NOON)
        hear = self.events.append
        self.judge = Judge(
            "milter", self.verifier, self.clock, hear, settings=settings, grace_s=grace_s
        )

    def troubles(self) -> list[str]:
        return [event.what for event in self.events if isinstance(event, Trouble)]


async def test_what_was_found_and_told_is_an_event() -> None:
    bench = Bench(nobody=Reason.NO_SUCH_MAILBOX)
    ruling = await bench.judge.judge(ask("nobody"))

    (event,) = bench.events
    assert isinstance(event, Decided)
    assert ruling is not None
    assert Kind.REFUSE is ruling.told.kind
    assert ("milter", "sender", "198.51.100.7") == (event.door, event.purpose, event.client)
    assert str(ruling.action) == event.action == event.told
    assert ruling.report == event.report


async def test_observing_concludes_and_tells_nothing() -> None:
    ruling = await Bench(Settings(), nobody=Reason.NO_SUCH_MAILBOX).judge.judge(ask("nobody"))

    assert ruling is not None
    assert (Kind.REFUSE, DUNNO) == (ruling.action.kind, ruling.told)


async def test_observing_counts_no_deferral_that_nobody_was_told_of() -> None:
    bench = Bench(Settings(), grey=Reason.GREYLISTED)
    rulings = [await bench.judge.judge(ask("grey")) for _ in range(5)]

    assert {ruling.action.kind for ruling in rulings if ruling} == {Kind.DEFER_IF_PERMIT}
    assert bench.verifier.deferrals == []
    assert [query.puts_off for query in bench.verifier.queries] == [False] * 5


async def test_enforcing_says_so_to_the_engine() -> None:
    bench = Bench(ENFORCE)
    await bench.judge.judge(ask("ann"))

    assert [query.puts_off for query in bench.verifier.queries] == [True]


async def test_a_mail_that_was_deferred_often_enough_is_let_through() -> None:
    bench = Bench(grey=Reason.GREYLISTED)
    rulings = [await bench.judge.judge(ask("grey")) for _ in range(2)]

    assert [Kind.DEFER_IF_PERMIT, Kind.DUNNO] == [it.told.kind for it in rulings if it]
    mail = ("198.51.100.7", "grey@shop.example", "bob@ours.example")
    assert [mail, mail] == bench.verifier.deferrals


async def test_what_is_known_is_not_asked_again() -> None:
    bench = Bench()
    known = Report("grey@shop.example", Reason.GREYLISTED, False, NOON, "", retry_at=NOON + 300)
    ruling = await bench.judge.judge(ask("grey"), known)

    assert ruling is not None
    assert known is ruling.report
    assert [] == bench.verifier.queries
    assert 1 == len(bench.verifier.deferrals)


async def test_an_operator_who_asks_has_no_client() -> None:
    bench = Bench()
    await bench.judge.judge(Query("ann@shop.example"))

    (event,) = bench.events
    assert isinstance(event, Decided)
    assert "" == event.client


async def test_what_is_recalled_is_not_waited_for() -> None:
    bench = Bench()
    bench.clock.advance(5.0)
    report = await bench.judge.recall(ask("ann"))

    assert report is not None
    assert Reason.ACCEPTED is report.reason
    assert [ask("ann").but(answer_by_at=NOON + 5)] == bench.verifier.queries
    assert [] == bench.events


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (StoreError("the disk is full"), "the disk is full"),
        (KeyError("x"), "KeyError('x')"),
        (RuntimeError("never\nmind"), r"RuntimeError('never\nmind')"),
    ],
)
async def test_our_failure_is_told_and_is_no_verdict(error: Exception, what: str) -> None:
    bench = Bench(cursed=error)

    assert await bench.judge.judge(ask("cursed")) is None
    assert await bench.judge.recall(ask("cursed")) is None
    assert [what, what] == bench.troubles()


class Cancelling(FakeVerifier):
    """Something that it waits for was cancelled by somebody else."""

    async def verify(self, asked: Query, /) -> Report:
        shared = asyncio.get_running_loop().create_future()
        shared.cancel()
        await shared
        raise AssertionError(asked)


async def test_a_cancellation_that_is_not_our_own_is_a_bug_and_not_the_end() -> None:
    bench = Bench()
    bench.judge.adopt(Cancelling(), ENFORCE)

    assert await bench.judge.judge(ask("ann")) is None
    assert ["CancelledError()"] == bench.troubles()


async def test_whoever_is_cancelled_stays_so() -> None:
    bench = Bench(slow=asyncio.Event())
    judging = asyncio.create_task(bench.judge.judge(ask("slow")))
    await asyncio.sleep(0)
    judging.cancel()
    await asyncio.wait({judging})

    assert judging.cancelled()
    assert [] == bench.troubles()


class Waiting:
    """One who waits for a callout."""

    def __init__(self) -> None:
        self.heed: Callable[[], None] | None = None
        self.until_at = 0.0

    def begin(self, heed: Callable[[], None], until_at: float, /) -> None:
        self.heed, self.until_at = heed, until_at

    def leave(self) -> None:
        self.heed = None

    def report(self) -> Report:
        return at_hand(Reason.NO_SUCH_MAILBOX)

    async def wait(self, until_at: float, /) -> Report:
        over = asyncio.Event()
        self.begin(over.set, until_at)
        try:
            await over.wait()
        finally:
            self.leave()
        return self.report()


class Flying(FakeVerifier):
    """All its answers are a callout's to give."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting()

    async def ask(self, query: Query, /) -> Waiting:
        return self.waiting


async def test_who_waits_for_a_callout_is_told_its_news() -> None:
    bench, verifier = Bench(), Flying()
    bench.judge.adopt(verifier, ENFORCE)
    judging = asyncio.create_task(bench.judge.judge(ask("ann")))
    await asyncio.sleep(0)
    assert verifier.waiting.heed is not None
    verifier.waiting.heed()
    ruling = await judging

    assert ruling is not None
    assert Reason.NO_SUCH_MAILBOX is ruling.report.reason
    assert verifier.waiting.heed is None


async def test_who_leaves_does_not_wait_any_more() -> None:
    bench, verifier = Bench(), Flying()
    bench.judge.adopt(verifier, ENFORCE)
    judging = asyncio.create_task(bench.judge.judge(ask("ann")))
    await asyncio.sleep(0)
    judging.cancel()
    await asyncio.wait({judging})

    assert verifier.waiting.heed is None


async def test_who_waits_for_a_callout_is_let_go_though_the_clock_is_set_back() -> None:
    bench, verifier = Bench(grace_s=2.0), Flying()
    bench.judge.adopt(verifier, ENFORCE)
    now = asyncio.get_running_loop().time()
    case = bench.judge.open(ask("ann"))
    bench.clock.step(-3_600.0)
    found = await bench.judge.ask(case)
    assert isinstance(found, Waiting)

    assert bench.judge.wait(case, found, lambda: None)
    assert pytest.approx(now + ENFORCE.smtp.answer_within_s + 2.0, abs=1.0) == (
        verifier.waiting.until_at
    )


async def test_no_answer_takes_less_than_no_time_though_the_clock_is_set_back() -> None:
    bench = Bench()
    case = bench.judge.open(ask("ann"))
    bench.clock.step(-3_600.0)
    await bench.judge.conclude(case, at_hand(Reason.ACCEPTED))

    assert [0.0] == [event.took_s for event in bench.events if isinstance(event, Decided)]


async def test_who_cannot_wait_is_our_trouble() -> None:
    class Cursed(Waiting):
        def begin(self, heed: Callable[[], None], until_at: float, /) -> None:
            raise KeyError("cursed")

    bench, verifier = Bench(), Flying()
    verifier.waiting = Cursed()
    bench.judge.adopt(verifier, ENFORCE)

    assert await bench.judge.judge(ask("ann")) is None
    assert ["KeyError('cursed')"] == bench.troubles()


async def test_without_a_memory_of_deferrals_nobody_is_deferred() -> None:
    bench = Bench(grey=Reason.GREYLISTED)
    bench.verifier.store_failure = StoreError("the store is gone")

    assert await bench.judge.judge(ask("grey")) is None
    assert ["the store is gone"] == bench.troubles()


async def test_an_engine_that_is_stuck_is_not_waited_for() -> None:
    settings = Settings(smtp=Smtp(answer_within_s=1.0))
    bench = Bench(settings, grace_s=-0.99, stuck=asyncio.Event())

    assert await bench.judge.judge(ask("stuck")) is None
    assert ["no verdict within 0.01 s"] == bench.troubles()


async def test_another_engine_and_other_settings_can_take_over() -> None:
    bench = Bench(nobody=Reason.NO_SUCH_MAILBOX)
    bench.judge.adopt(FakeVerifier(), Settings(smtp=Smtp(answer_within_s=3.0)))
    ruling = await bench.judge.judge(ask("nobody"))

    assert ruling is not None
    assert Reason.ACCEPTED is ruling.report.reason
    assert NOON + 3.0 == bench.judge.answer_by_at


async def test_a_reload_meanwhile_does_not_mix_settings() -> None:
    may_answer = asyncio.Event()
    bench = Bench(slow=may_answer, nobody=Reason.NO_SUCH_MAILBOX)
    judging = asyncio.create_task(bench.judge.judge(ask("slow")))
    await asyncio.sleep(0)
    bench.judge.adopt(FakeVerifier(), Settings())
    may_answer.set()
    ruling = await judging

    assert ruling is not None
    assert "slow@shop.example" == ruling.report.address


def at_hand(reason: Reason, local: str = "ann") -> Report:
    retry_at = NOON + 300 if reason is Reason.GREYLISTED else None
    final = retry_at is None
    return Report(f"{local}@shop.example", reason, final, NOON, "a rule", retry_at=retry_at)


async def test_what_is_at_hand_is_ruled_as_what_is_waited_for() -> None:
    bench = Bench(nobody=Reason.NO_SUCH_MAILBOX)
    report = at_hand(Reason.NO_SUCH_MAILBOX, "nobody")
    bench.verifier.at_hand["nobody@shop.example"] = report

    ruled = bench.judge.rule_nowait(ask("nobody"))
    untold = bench.events.copy()
    _, told = await bench.judge.rule(ask("nobody"))

    assert ([], [(told, waited) for waited in bench.events]) == (untold, [ruled])


@pytest.mark.parametrize("reason", [None, Reason.GREYLISTED])
def test_who_takes_a_look_elsewhere_waits(reason: Reason | None) -> None:
    bench = Bench()
    if reason:
        bench.verifier.at_hand["ann@shop.example"] = at_hand(reason)

    assert bench.judge.rule_nowait(ask("ann")) is None
    assert [] == bench.events


class Cursed(FakeVerifier):
    def verify_nowait(self, asked: Query, /) -> Report | None:
        raise KeyError(asked.address)


def test_a_bug_in_what_is_at_hand_is_told_and_costs_nobody_an_answer() -> None:
    bench = Bench()
    bench.judge.adopt(Cursed(), ENFORCE)

    assert bench.judge.rule_nowait(ask("ann")) is None
    assert ["KeyError('ann@shop.example')"] == bench.troubles()


@pytest.mark.parametrize("name", ["choose", "Decided"])
async def test_a_bug_that_is_met_again_is_told_once(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError(name)

    bench = Bench()
    bench.verifier.at_hand["ann@shop.example"] = at_hand(Reason.ACCEPTED)
    monkeypatch.setattr(judging_module, name, fail)
    ruled = bench.judge.rule_nowait(ask("ann"))
    untold = bench.troubles()
    _, told = await bench.judge.rule(ask("ann"))

    assert (None, []) == (ruled, untold)
    assert (DUNNO, [f"KeyError('{name}')"]) == (told, bench.troubles())
