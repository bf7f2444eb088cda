"""One answer of the policy door on its way, with an engine that does as it is told."""

import asyncio
from collections.abc import Callable

import pytest

from door_fakes import NOON, FakeVerifier, Verdict, turns
from ringback.doors.judging import Judge
from ringback.doors.policy_answer import PolicyAnswer
from ringback.lab.clock import HandClock
from ringback.values.events import Decided, Event, Trouble
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Mode, Policy, Settings
from ringback.values.verdict import Reason

ENFORCE = Settings(policy=Policy(mode=Mode.ENFORCE))
CLIENT = Client("198.51.100.7")
DUNNO = b"action=DUNNO\n\n"


def ask(local: str, purpose: Purpose = Purpose.SENDER) -> Query:
    return Query(f"{local}@shop.example", purpose, CLIENT, "bob@ours.example", NOON + 10)


def found(local: str, reason: Reason) -> Report:
    final, retry_at = reason is not Reason.GREYLISTED, NOON + 300
    return Report(f"{local}@shop.example", reason, final, NOON, "a rule", retry_at=retry_at)


class Waiting:
    """One who waits for a callout."""

    def __init__(self) -> None:
        self.heed: Callable[[], None] | None = None
        self.told: Report | None = None
        self.is_cursed, self.until_at = False, 0.0

    def begin(self, heed: Callable[[], None], until_at: float, /) -> None:
        if self.is_cursed:
            raise KeyError("cursed")
        self.heed, self.until_at = heed, until_at

    def leave(self) -> None:
        self.heed = None

    def report(self) -> Report:
        if self.told is None:
            raise KeyError("nothing")
        return self.told

    async def wait(self, until_at: float, /) -> Report:
        raise AssertionError(until_at)  # no task of this door waits


class Flying(FakeVerifier):
    """For some its answer is a callout's to give."""

    def __init__(self, **verdicts: Verdict) -> None:
        super().__init__(**verdicts)
        self.waiting: dict[str, Waiting] = {}

    async def ask(self, query: Query, /) -> Report | Waiting:
        local = query.address.partition("@")[0]
        if local in self.verdicts:
            return await self.verify(query)
        waiting = self.waiting[local] = Waiting()
        waiting.is_cursed = local == "cursed"
        return waiting

    def tell(self, local: str, reason: Reason | None) -> None:
        """End a callout; None: by a bug."""
        waiting = self.waiting.pop(local)
        waiting.told = found(local, reason) if reason else None
        assert waiting.heed is not None
        waiting.heed()


class Bench:
    """An answer that is being worked out."""

    def __init__(self, *queries: Query, **verdicts: Verdict) -> None:
        self.verifier, self.events = Flying(**verdicts), list[Event]()
        judge = Judge("policy", self.verifier, HandClock(NOON), self._sink, settings=ENFORCE)
        self.heard, self.is_cursed = 0, False
        self.limit_at = asyncio.get_running_loop().time() + judge.limit_s
        self.answer = PolicyAnswer(judge, queries, self._heed)

    def _heed(self) -> None:
        self.heard += 1

    def _sink(self, event: Event) -> None:
        if self.is_cursed and isinstance(event, Decided):
            raise KeyError(event.door)
        self.events.append(event)


async def test_no_task_waits_for_a_callout() -> None:
    before = asyncio.all_tasks()
    bench = Bench(ask("ann"))
    await turns()

    assert before == asyncio.all_tasks()
    assert (False, 0) == (bench.answer.is_there, bench.heard)
    bench.verifier.tell("ann", Reason.NO_SUCH_MAILBOX)
    await turns()
    assert (True, 1) == (bench.answer.is_there, bench.heard)
    assert bench.answer.octets().startswith(b"action=550 ")


async def test_what_needs_no_callout_is_there_soon() -> None:
    bench = Bench(ask("ann"), ann=Reason.ACCEPTED)
    await turns()

    assert (True, DUNNO) == (bench.answer.is_there, bench.answer.octets())


async def test_one_question_is_asked_after_the_other_and_the_stricter_answer_holds() -> None:
    bench = Bench(ask("bob", Purpose.RECIPIENT), ask("ann"))
    await turns()
    first = set(bench.verifier.waiting)
    bench.verifier.tell("bob", Reason.ACCEPTED)
    await turns()
    second = set(bench.verifier.waiting)
    bench.verifier.tell("ann", Reason.NO_SUCH_MAILBOX)
    await turns()

    assert ({"bob"}, {"ann"}) == (first, second)
    assert bench.answer.octets().startswith(b"action=550 ")
    assert ["bob@shop.example", "ann@shop.example"] == [
        event.address for event in bench.events if isinstance(event, Decided)
    ]


async def test_who_is_refused_for_the_recipient_is_asked_about_no_more() -> None:
    bench = Bench(ask("bob", Purpose.RECIPIENT), ask("ann"))
    await turns()
    bench.verifier.tell("bob", Reason.NO_SUCH_MAILBOX)
    await turns()

    assert bench.answer.is_there
    assert {} == bench.verifier.waiting


async def test_a_failure_of_ours_lets_the_mail_pass() -> None:
    bench = Bench(ask("ann"), ann=KeyError("x"))
    await turns()

    assert (True, DUNNO) == (bench.answer.is_there, bench.answer.octets())
    assert ["KeyError('x')"] == [event.what for event in bench.events if isinstance(event, Trouble)]


async def test_who_goes_while_a_callout_is_waited_for_is_told_nothing() -> None:
    bench = Bench(ask("ann"))
    await turns()
    bench.answer.cancel()

    assert bench.verifier.waiting["ann"].heed is None
    assert 0 == bench.heard


async def test_who_goes_while_the_engine_is_at_work_ends_that() -> None:
    bench = Bench(ask("ann"), ann=asyncio.Event())
    await turns()
    bench.answer.cancel()
    await turns()

    assert 0 == bench.verifier.under_way
    with pytest.raises(asyncio.CancelledError):
        bench.answer.octets()


async def test_whether_a_mail_is_put_off_once_more_is_looked_up() -> None:
    bench = Bench(ask("bob"), ask("ann"))
    await turns()
    bench.verifier.tell("bob", Reason.GREYLISTED)
    await turns()
    bench.verifier.tell("ann", Reason.ACCEPTED)
    await turns()

    assert bench.answer.octets().startswith(b"action=DEFER_IF_PERMIT ")
    assert 1 == len(bench.verifier.deferrals)


async def test_a_bug_after_a_callout_is_told_once_and_lets_the_mail_pass() -> None:
    bench = Bench(ask("ann"))
    await turns()
    bench.is_cursed = True
    bench.verifier.tell("ann", Reason.NO_SUCH_MAILBOX)
    await turns()

    assert (True, DUNNO) == (bench.answer.is_there, bench.answer.octets())
    assert ["KeyError('policy')"] == [it.what for it in bench.events if isinstance(it, Trouble)]


async def test_a_bug_where_the_news_are_made_is_told_once_and_lets_the_mail_pass() -> None:
    bench = Bench(ask("ann"))
    await turns()
    bench.verifier.tell("ann", None)
    await turns()

    assert (True, DUNNO) == (bench.answer.is_there, bench.answer.octets())
    assert ["KeyError('nothing')"] == [it.what for it in bench.events if isinstance(it, Trouble)]


async def test_who_waits_does_so_until_the_engine_counts_as_stuck() -> None:
    bench = Bench(ask("ann"))
    await turns()

    assert bench.limit_at <= bench.verifier.waiting["ann"].until_at <= bench.limit_at + 5


async def test_who_cannot_wait_lets_the_mail_pass() -> None:
    bench = Bench(ask("cursed"))
    await turns()

    assert (True, DUNNO) == (bench.answer.is_there, bench.answer.octets())
    assert ["KeyError('cursed')"] == [it.what for it in bench.events if isinstance(it, Trouble)]


async def test_who_goes_when_it_is_there_changes_nothing() -> None:
    bench = Bench(ask("ann"))
    await turns()
    bench.verifier.tell("ann", Reason.ACCEPTED)
    bench.answer.cancel()
    await turns()

    assert (True, DUNNO, 1) == (bench.answer.is_there, bench.answer.octets(), bench.heard)
