"""Callouts that wait for the same host, asked for in one session: each as if it were alone."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import pytest

from fakes import NO_SUCH_USER, START, FakeHost, FakeOutside, Visitors
from ringback.engine.callout import Callout
from ringback.engine.line import MAX_PER_SESSION
from ringback.engine.outside import Outside
from ringback.engine.sessions import Sessions
from ringback.engine.timekeeper import Due
from ringback.engine.visit import Visit
from ringback.errors import StoreError
from ringback.lab.sim import RESOLUTION_S, SimLoop, run
from ringback.rules.breakers import REFUSAL_PAUSE_S
from ringback.rules.conclude import conclude
from ringback.rules.exemptions import Exemptions
from ringback.rules.gates import Passed
from ringback.rules.pacing import Charge
from ringback.store.memory import MemoryStore
from ringback.values.address import parse_address
from ringback.values.calls import Call
from ringback.values.dns import Mx, RecordType
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.facts import DomainFact, Fact
from ringback.values.query import Purpose, Query
from ringback.values.settings import Budget, Settings, Smtp
from ringback.values.verdict import Reason
from ringback.wire.probe import Probe

# One at a time, so that whoever comes second waits; and enough for all.
ROOMY = Budget(
    per_host=4_000, per_domain=4_000, refused_recipients_per_host=400, concurrent_per_host=1
)
Evidence = tuple[Exchange, ...]


def _people(count: int, domain: str = "shop.example") -> list[str]:
    return [f"a{number}@{domain}" for number in range(count)]


class Counter:
    """A host, `first` at its counter, and others who come while it is being asked about him."""

    def __init__(
        self, world: FakeOutside, host: FakeHost, budget: Budget = ROOMY, **smtp: object
    ) -> None:
        self.world, self.host = world, host
        host.ehlo = "250 mx"  # each command alone, so that it can be held up at any
        world.host("shop.example", host)
        talk = Smtp().but(**smtp)
        self.settings: Settings = world.settings(budget=budget, smtp=talk)
        self.outside: Outside = world.outside(self.settings)
        self.callout = self.open()

    def open(self) -> Callout:
        exemptions = Exemptions.parse(self.settings)
        return Callout(self.settings, self.outside, exemptions, self.world.events.append)

    def ask(
        self, addresses: Iterable[str], purpose: Purpose = Purpose.SENDER
    ) -> list[asyncio.Task[Evidence]]:
        return [
            asyncio.create_task(
                self.callout.run(
                    parse_address(address),
                    Query(address, purpose),
                    Passed(("a gate",)),
                    lambda _: None,
                )
            )
            for address in addresses
        ]

    async def ask_behind(
        self, first: str, others: Iterable[str]
    ) -> tuple[asyncio.Task[Evidence], list[asyncio.Task[Evidence]]]:
        """Let `others` wait while the host is asked for `first`; it may answer from then on."""
        self.host.may_answer = asyncio.Event()
        (leader,) = self.ask([first])
        await _until(self.host.reached.is_set)
        waiting = self.ask(others)
        await _settle()
        return leader, waiting

    def serve(self) -> None:
        assert self.host.may_answer is not None
        self.host.may_answer.set()

    @property
    def patient(self) -> Sequence[Due]:
        """Those who are told when their callout has no time left."""
        return self.callout._sessions._timekeeper._waiting

    async def calls(self) -> Sequence[Call]:
        found = await self.world.store.search_calls("shop.example", 0.0, 1_000)
        return sorted(found, key=lambda call: call.address)


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def _wait_turn(sessions: Sessions, visit: Visit) -> None:
    await (await sessions.line_up(visit))


async def _settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def _reasons(evidence: Iterable[Evidence]) -> list[Reason]:
    return [conclude(said).reason for said in evidence]


async def test_those_who_look_on_see_how_far_each_has_come(world: FakeOutside) -> None:
    counter = Counter(world, FakeHost())
    leader, waiting = await counter.ask_behind("first@shop.example", ["second@shop.example"])
    shown = counter.callout.progress_nowait(9)
    counter.serve()
    await asyncio.gather(leader, *waiting)

    assert [("first@shop.example", Stage.RCPT), ("second@shop.example", None)] == [
        (one.query.address, one.stage) for one in shown
    ]
    assert {"mx1.shop.example"} == {one.host for one in shown}
    assert () == counter.callout.progress_nowait(9)


async def test_who_waits_together_is_asked_for_in_one_session(world: FakeOutside) -> None:
    people = _people(5)
    counter = Counter(world, FakeHost(mailboxes={*people[:4], "first@shop.example"}))
    leader, waiting = await counter.ask_behind("first@shop.example", people)
    counter.host.heard.clear()

    counter.serve()
    evidence = await asyncio.gather(*waiting)

    assert [Reason.ACCEPTED] * 4 + [Reason.NO_SUCH_MAILBOX] == _reasons(evidence)
    assert 2 == len(world.dialer.calls)
    assert conclude(await leader).reason is Reason.ACCEPTED


async def test_each_has_a_transaction_and_evidence_of_its_own(world: FakeOutside) -> None:
    people = _people(3)
    counter = Counter(world, FakeHost(mailboxes=set(people)), control=False)

    evidence = await asyncio.gather(*counter.ask(people))

    assert 1 == len(world.dialer.calls)
    assert counter.host.heard == [
        "EHLO verify.example.net",
        "MAIL FROM:<>",
        "RCPT TO:<a0@shop.example>",
        "RSET",
        "MAIL FROM:<>",
        "RCPT TO:<a1@shop.example>",
        "RSET",
        "MAIL FROM:<>",
        "RCPT TO:<a2@shop.example>",
        "QUIT",
    ]
    stages = [[said.stage for said in one if said.connection] for one in evidence]
    start = [Stage.CONNECT, Stage.GREETING, Stage.EHLO]
    assert stages == [
        [*start, Stage.MAIL, Stage.RCPT],
        [*start, Stage.RSET, Stage.MAIL, Stage.RCPT],
        [*start, Stage.RSET, Stage.MAIL, Stage.RCPT, Stage.QUIT],
    ]
    for person, said in zip(people, evidence, strict=True):
        assert {person} == {one.command[9:-1] for one in said if one.stage is Stage.RCPT}


async def test_each_is_written_down_with_the_session(world: FakeOutside) -> None:
    people = _people(3)
    counter = Counter(world, FakeHost(mailboxes=set(people[:2])))

    await asyncio.gather(*counter.ask(people))

    calls = await counter.calls()
    assert people == [call.address for call in calls]
    assert [calls[0].id] * 3 == [call.session for call in calls]
    assert ["accepted", "accepted", "rejected"] == [call.outcome for call in calls]
    assert all(call.said and call.gates == ("a gate",) for call in calls)


async def test_no_more_than_ten_share_a_session(world: FakeOutside) -> None:
    people = _people(2 * MAX_PER_SESSION + 1)
    counter = Counter(world, FakeHost(mailboxes=set(people)))

    await asyncio.gather(*counter.ask(people))

    sessions = [call.session for call in await counter.calls()]
    assert 3 == len(set(sessions)) == len(world.dialer.calls)
    assert MAX_PER_SESSION == max(sessions.count(session) for session in sessions)


async def test_another_domain_of_the_host_shares_it_under_its_own_names(
    world: FakeOutside,
) -> None:
    counter = Counter(world, FakeHost(mailboxes={"ann@shop.example", "bob@club.example"}))
    world.resolver.say_mx("club.example", Mx(5, "mail.club.example"))
    world.resolver.say("mail.club.example", RecordType.A, "192.0.2.1")

    ann, bob = await asyncio.gather(*counter.ask(["ann@shop.example", "bob@club.example"]))

    assert [Reason.ACCEPTED] * 2 == _reasons([ann, bob])
    assert 1 == len(world.dialer.calls)
    assert {("mail.club.example", 5)} == {(it.host, it.preference) for it in bob if it.connection}
    assert {("mx1.shop.example", 10)} == {(it.host, it.preference) for it in ann if it.connection}


# What ends a session.


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (FakeHost(greeting="554 5.7.1 Your IP address is blocked"), Reason.REFUSES_US),
        (FakeHost(greeting=Fault.TIMEOUT), Reason.UNREACHABLE),
        (FakeHost(mail="550 5.7.1 We do not accept bounces"), Reason.REFUSES_NULL_SENDER),
    ],
)
async def test_what_comes_before_any_mailbox_answers_all(
    world: FakeOutside, host: FakeHost, reason: Reason
) -> None:
    counter = Counter(world, host)

    evidence = await asyncio.gather(*counter.ask(_people(5)))

    assert [reason] * 5 == _reasons(evidence)
    assert 1 == len(world.dialer.calls)
    assert all(call.said and call.outcome for call in await counter.calls())


@pytest.mark.parametrize(
    "broken",
    [Fault.CLOSED, "421 4.3.2 Shutting down", "452 4.5.3 Too many recipients", Fault.TIMEOUT],
)
async def test_who_has_not_been_answered_gets_a_session_of_his_own(
    world: FakeOutside, broken: str | Fault
) -> None:
    people = _people(4)
    once = {"a1@shop.example"}

    def answer(to: str) -> str | Fault:
        if to in once:
            once.discard(to)
            return broken
        return "250 Ok" if to in people else NO_SUCH_USER

    counter = Counter(world, FakeHost(rcpt=answer))

    evidence = await asyncio.gather(*counter.ask(people))

    assert [Reason.ACCEPTED] * 4 == _reasons(evidence)
    assert 4 == len(world.dialer.calls), "of the first session, and one for each left over"
    assert () == await world.store.load_facts("192.0.2.1")


async def test_what_breaks_for_the_first_is_about_the_first(world: FakeOutside) -> None:
    host = FakeHost(
        rcpt=lambda to: Fault.CLOSED if to.startswith("a0") else "250 Ok" if "a1" in to else "550"
    )
    counter = Counter(world, host)

    first, second = await asyncio.gather(*counter.ask(_people(2)))

    assert Reason.UNREACHABLE is conclude(first).reason
    assert Reason.UNREACHABLE is not conclude(second).reason
    assert 2 == len(world.dialer.calls)


async def test_silence_at_the_first_mail_says_nothing_of_the_others(world: FakeOutside) -> None:
    host = FakeHost(mail=Fault.CLOSED)
    counter = Counter(world, host)

    evidence = await asyncio.gather(*counter.ask(_people(2)))

    assert [Reason.UNREACHABLE] * 2 == _reasons(evidence)
    assert 2 == len(world.dialer.calls)


async def test_a_refusal_of_us_ends_it_and_answers_the_rest(world: FakeOutside) -> None:
    host = FakeHost(rcpt=lambda _: "450 4.7.1 Rate limit exceeded")
    counter = Counter(world, host)

    evidence = await asyncio.gather(*counter.ask(_people(4)))

    assert [Reason.RATE_LIMITED] * 4 == _reasons(evidence)
    assert 1 == len(world.dialer.calls)
    assert ["a0@shop.example"] == host.recipients


async def test_one_address_at_a_time_waits_where_newcomers_wait(world: FakeOutside) -> None:
    host = FakeHost(rcpt=lambda _: "450 4.2.0 Greylisted, come back in 300 seconds")
    counter = Counter(world, host)

    evidence = await asyncio.gather(*counter.ask(_people(4)))

    assert [Reason.GREYLISTED] * 4 == _reasons(evidence)
    assert ["a0@shop.example"] == host.recipients


# What one learns spares the others.


async def test_the_control_is_asked_once(world: FakeOutside) -> None:
    people = _people(6)
    counter = Counter(world, FakeHost(mailboxes=set(people)))

    evidence = await asyncio.gather(*counter.ask(people))

    assert [Reason.ACCEPTED] * 6 == _reasons(evidence)
    assert 1 == len([to for to in counter.host.recipients if to not in people])


async def test_nor_is_it_asked_in_two_sessions_at_once(world: FakeOutside) -> None:
    people = _people(3)
    host = FakeHost(mailboxes=set(people), may_answer=asyncio.Event(), ehlo="250 mx")
    world.host("shop.example", host)
    verifier = world.verifier(budget=ROOMY.but(concurrent_per_host=2))
    first = asyncio.create_task(verifier.verify(people[0]))
    await _until(host.reached.is_set)
    others = [asyncio.create_task(verifier.verify(person)) for person in people[1:]]
    await _settle()

    under_way = world.dialer.under_way
    assert host.may_answer is not None
    host.may_answer.set()
    reports = await asyncio.gather(first, *others)

    assert 1 == under_way
    assert [Reason.ACCEPTED] * 3 == [report.reason for report in reports]
    assert 1 == len([to for to in host.recipients if to not in people])


async def test_another_domain_need_not_wait_for_it(world: FakeOutside) -> None:
    counter = Counter(world, FakeHost(), ROOMY.but(concurrent_per_host=2))
    world.resolver.say_mx("club.example", Mx(5, "mx1.shop.example"))

    leader, waiting = await counter.ask_behind("ann@shop.example", ["bob@club.example"])
    under_way = world.dialer.under_way
    counter.serve()
    await asyncio.gather(leader, *waiting)

    assert 2 == under_way


async def test_a_domain_that_accepts_any_is_asked_for_one(world: FakeOutside) -> None:
    host = FakeHost(rcpt=lambda _: "250 Ok")
    counter = Counter(world, host)

    evidence = await asyncio.gather(*counter.ask(_people(5)))

    assert [Reason.ACCEPTS_ANY] * 5 == _reasons(evidence)
    assert 2 == len(host.recipients)


async def test_a_domain_that_takes_no_bounces_is_asked_for_one_and_others_are_asked_all_the_same(
    world: FakeOutside,
) -> None:
    host = FakeHost(
        rcpt=lambda to: "250 Ok" if "bob" in to else "550 5.7.1 We do not accept bounces"
    )
    counter = Counter(world, host)
    world.resolver.say_mx("club.example", Mx(5, "mx1.shop.example"))

    *shop, bob = await asyncio.gather(*counter.ask([*_people(3), "bob@club.example"]))

    assert [Reason.REFUSES_NULL_SENDER] * 3 == _reasons(shop)
    assert "bob@club.example" in host.recipients
    assert 1 == len(world.dialer.calls)
    assert conclude(bob).settled


# Half-open breakers.


async def test_one_tries_a_host_that_refused_us_and_the_others_get_its_last_words(
    world: FakeOutside,
) -> None:
    host = FakeHost(greeting="554 5.7.1 Your IP address is blocked", mailboxes={"a1@shop.example"})
    counter = Counter(world, host)
    await asyncio.gather(*counter.ask(_people(1)))
    world.clock.advance(REFUSAL_PAUSE_S)
    host.greeting = "220 mx"

    first, *others = await asyncio.gather(*counter.ask(["a1@shop.example", *_people(3)[:1]]))
    after = await asyncio.gather(*counter.ask(["a1@shop.example"]))

    assert [Reason.REFUSES_US] == _reasons(others)
    assert [Reason.ACCEPTED] * 2 == _reasons([first, *after])


async def test_a_trial_that_broke_off_may_be_repeated(world: FakeOutside) -> None:
    host = FakeHost(greeting="554 5.7.1 Your IP address is blocked")
    counter = Counter(world, host)
    await asyncio.gather(*counter.ask(_people(1)))
    world.clock.advance(REFUSAL_PAUSE_S)
    host.greeting = Fault.TIMEOUT

    await asyncio.gather(*counter.ask(_people(1)))
    await asyncio.gather(*counter.ask(_people(1)))

    assert 3 == len(world.dialer.calls)


# Who leaves.


async def test_who_leaves_the_line_takes_nobody_along(world: FakeOutside) -> None:
    people = _people(3)
    counter = Counter(world, FakeHost(mailboxes=set(people)))
    leader, (second, third) = await counter.ask_behind(people[0], people[1:])

    second.cancel()
    await _settle()
    patient = len(counter.patient)
    counter.serve()
    evidence = await asyncio.gather(leader, third)

    assert 1 == patient
    assert [Reason.ACCEPTED] * 2 == _reasons(evidence)
    assert second.cancelled()
    assert "a1@shop.example" not in counter.host.recipients


async def test_a_line_that_nobody_is_left_in_wants_no_place(world: FakeOutside) -> None:
    people = _people(2)
    counter = Counter(world, FakeHost(mailboxes=set(people)))
    leader, (second,) = await counter.ask_behind(people[0], people[1:])

    second.cancel()
    await _settle()
    counter.serve()
    await leader
    await _settle()

    assert 1 == len(world.dialer.calls)
    assert not counter.outside.pacer._at_host


@pytest.mark.parametrize("others", [0, 1])
async def test_who_leaves_at_the_moment_of_coming_takes_nobody_along(
    world: FakeOutside, visitors: Visitors, others: int
) -> None:
    counter = Counter(world, FakeHost(mailboxes=set(_people(2))))
    sessions = counter.callout._sessions
    came = [visitors.visit(visitors.walk(person)) for person in _people(1 + others)]
    first, *rest = [asyncio.create_task(_wait_turn(sessions, visit)) for visit in came]
    await asyncio.sleep(0)

    first.cancel()
    await asyncio.gather(first, *rest, return_exceptions=True)
    await _settle()

    assert first.cancelled()
    assert others == len(world.dialer.calls)
    assert not counter.outside.pacer._at_host
    assert not sessions._lines


async def test_who_is_being_asked_for_may_leave_and_the_session_goes_on(
    world: FakeOutside,
) -> None:
    people = _people(2)
    host = FakeHost(mailboxes=set(people))
    counter = Counter(world, host)
    host.may_answer = asyncio.Event()
    first, second = counter.ask(people)
    await _until(lambda: "RCPT TO:<a0@shop.example>" in host.heard or host.reached.is_set())

    first.cancel()
    await _settle()
    counter.serve()
    evidence = await second

    assert first.cancelled()
    assert Reason.ACCEPTED is conclude(evidence).reason
    assert 1 == len(world.dialer.calls)


async def test_who_leaves_before_its_turn_is_not_asked_for(world: FakeOutside) -> None:
    people = _people(3)
    host = FakeHost(mailboxes=set(people))
    counter = Counter(world, host)
    host.may_answer = asyncio.Event()
    first, second, third = counter.ask(people)
    await _until(host.reached.is_set)

    second.cancel()
    await _settle()
    counter.serve()
    await asyncio.gather(first, third)

    assert "a1@shop.example" not in host.recipients


async def test_a_session_that_all_have_left_ends(world: FakeOutside) -> None:
    counter = Counter(world, FakeHost())
    counter.host.may_answer = asyncio.Event()
    tasks = counter.ask(_people(3))
    await _until(counter.host.reached.is_set)

    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert 0 == world.dialer.under_way
    assert not counter.outside.pacer._at_host
    assert 0 == counter.outside.pacer.pledges.of("192.0.2.1")


async def test_a_session_that_is_ended_from_outside_ends_its_callouts(world: FakeOutside) -> None:
    counter = Counter(world, FakeHost())
    before = asyncio.all_tasks()
    counter.host.may_answer = asyncio.Event()
    tasks = counter.ask(_people(2))
    await _until(counter.host.reached.is_set)

    for task in asyncio.all_tasks() - before - set(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert all(task.cancelled() for task in tasks)
    assert not counter.outside.pacer._at_host


async def test_who_waits_too_long_is_over_budget_and_no_longer_in_line(
    world: FakeOutside,
) -> None:
    counter = Counter(world, FakeHost(mailboxes={"a0@shop.example"}), callout_deadline_s=0.02)
    await counter.outside.pacer.wait_slot("192.0.2.1")

    evidence = await asyncio.gather(*counter.ask(_people(2)))

    assert [Reason.OVER_BUDGET] * 2 == _reasons(evidence)
    assert [] == world.dialer.calls


def test_who_got_its_turn_has_as_much_time_as_the_session() -> None:
    async def be_asked_for_longer() -> None:
        counter = Counter(FakeOutside(), FakeHost(mailboxes={"a0@shop.example"}))
        counter.host.may_answer = asyncio.Event()
        loop, pacer = asyncio.get_running_loop(), counter.outside.pacer
        loop.set_exception_handler(lambda _, bug: bugs.append(bug))
        await pacer.wait_slot("192.0.2.1")
        (asking,) = counter.ask(_people(1))
        await _settle()
        patient.append(len(counter.patient))
        pacer.release("192.0.2.1")
        await counter.host.reached.wait()
        patient.append(len(counter.patient))
        loop.call_later(2 * counter.settings.smtp.callout_deadline_s, counter.serve)
        evidence.append(await asking)

    evidence, patient, bugs = list[Evidence](), list[int](), list[dict[str, object]]()
    run(SimLoop(), be_asked_for_longer())

    assert ([1, 0], []) == (patient, bugs)
    assert [Reason.ACCEPTED] == _reasons(evidence)


def test_who_gets_its_turn_as_its_time_ends_has_it() -> None:
    async def be_let_in_at_the_last_moment() -> None:
        counter = Counter(FakeOutside(), FakeHost(mailboxes={"a0@shop.example"}))
        loop, pacer = asyncio.get_running_loop(), counter.outside.pacer
        loop.set_exception_handler(lambda _, bug: bugs.append(bug))
        await pacer.wait_slot("192.0.2.1")
        (asking,) = counter.ask(_people(1))
        await _settle()
        # One instant, but first in it.
        loop.call_at(counter.patient[0].due_at - RESOLUTION_S / 2, pacer.release, "192.0.2.1")
        evidence.append(await asking)

    evidence, bugs = list[Evidence](), list[dict[str, object]]()
    run(SimLoop(), be_let_in_at_the_last_moment())

    assert [] == bugs
    assert [Reason.ACCEPTED] == _reasons(evidence)


async def test_who_is_sent_back_too_late_is_over_budget(world: FakeOutside) -> None:
    counter = Counter(world, FakeHost(rcpt=lambda _: Fault.CLOSED), callout_deadline_s=0.02)
    host = counter.host
    host.may_answer = asyncio.Event()
    tasks = counter.ask(_people(2))
    await _until(host.reached.is_set)
    loop = asyncio.get_running_loop()
    loop.call_later(0.04, counter.serve)

    evidence = await asyncio.gather(*tasks)

    assert [Reason.UNREACHABLE, Reason.OVER_BUDGET] == _reasons(evidence)


@pytest.mark.parametrize(
    ("at_once", "second", "sessions"), [(2, Reason.OVER_BUDGET, 1), (3, Reason.ACCEPTED, 2)]
)
async def test_who_is_sent_back_is_charged_for_the_next_session_too(
    world: FakeOutside, at_once: int, second: Reason, sessions: int
) -> None:
    once = {"a1@shop.example"}

    def answer(to: str) -> str | Fault:
        if to in once:
            once.discard(to)
            return Fault.CLOSED
        return "250 Ok" if to in _people(2) else NO_SUCH_USER

    counter = Counter(world, FakeHost(rcpt=answer), ROOMY.but(per_host=4 * at_once))

    evidence = await asyncio.gather(*counter.ask(_people(2)))

    assert [Reason.ACCEPTED, second] == _reasons(evidence)
    calls = await counter.calls()
    assert ["a0@shop.example", *["a1@shop.example"] * sessions] == [call.address for call in calls]
    assert sessions == len({call.session for call in calls}) == len(world.dialer.calls)


# Budgets and what is ours.


async def test_a_budget_that_ends_in_the_middle_leaves_the_rest_unasked(
    world: FakeOutside,
) -> None:
    counter = Counter(world, FakeHost(), ROOMY.but(per_host=12))  # three at once

    evidence = await asyncio.gather(*counter.ask(_people(5)))

    assert [Reason.NO_SUCH_MAILBOX] * 3 + [Reason.OVER_BUDGET] * 2 == _reasons(evidence)
    assert 1 == len(world.dialer.calls)


async def test_a_session_stops_when_the_host_has_refused_as_many_as_it_may(
    world: FakeOutside,
) -> None:
    few = ROOMY.but(refused_recipients_per_host=12)  # three at once
    counter = Counter(world, FakeHost(), few)

    evidence = await asyncio.gather(*counter.ask(_people(6)))

    assert [Reason.NO_SUCH_MAILBOX] * 3 + [Reason.OVER_BUDGET] * 3 == _reasons(evidence)
    assert 3 == len(counter.host.recipients)


@pytest.mark.parametrize(
    ("mailboxes", "second"),
    [
        (("first@shop.example", "second@shop.example"), Reason.AMBIGUOUS_REPLY),
        ((), Reason.OVER_BUDGET),
    ],
)
async def test_a_second_session_waits_for_what_the_first_may_leave_of_the_refusals(
    world: FakeOutside, mailboxes: tuple[str, ...], second: Reason
) -> None:
    one = ROOMY.but(refused_recipients_per_host=4, concurrent_per_host=2)
    counter = Counter(world, FakeHost(mailboxes=set(mailboxes)), one, control=False)
    leader, waiting = await counter.ask_behind("first@shop.example", ["second@shop.example"])
    waited = not waiting[0].done() and len(world.dialer.calls) == 1
    counter.serve()
    await leader
    (evidence,) = await asyncio.gather(*waiting)

    assert waited
    assert second is conclude(evidence).reason
    assert 0 == counter.outside.pacer.pledges.of("192.0.2.1")


async def test_postmaster_is_not_asked_for_beyond_that_either(world: FakeOutside) -> None:
    one = ROOMY.but(refused_recipients_per_host=4)
    host = FakeHost(rcpt=lambda _: "550 Mailbox unavailable")
    counter = Counter(world, host, one)

    (evidence,) = await asyncio.gather(*counter.ask(_people(1)))

    assert Reason.AMBIGUOUS_REPLY is conclude(evidence).reason
    assert ["a0@shop.example"] == host.recipients


async def test_a_host_of_ours_has_no_budget_and_no_owner_to_ask(world: FakeOutside) -> None:
    least = Budget(per_host=1, per_domain=1, overall=1, refused_recipients_per_host=1)
    counter = Counter(world, FakeHost(), least)

    evidence = await asyncio.gather(*counter.ask(_people(5), Purpose.RECIPIENT))

    assert [Reason.NO_SUCH_MAILBOX] * 5 == _reasons(evidence)
    assert [] == [name for name, kind in world.resolver.asked if kind is RecordType.TXT]
    assert 5 == len(await counter.calls())


# What fails on our side.


class Moody(MemoryStore):
    """A store that cannot be written to for some."""

    def __init__(self, *unlucky: str) -> None:
        super().__init__()
        self._unlucky = unlucky

    async def spend(
        self, charges: Sequence[Charge], call: Call | None, elapsed: float
    ) -> Charge | None:
        if call is not None and call.address in self._unlucky:
            raise StoreError("the disk is full")
        return await super().spend(charges, call, elapsed)


async def test_who_cannot_be_charged_is_not_called_for(world: FakeOutside) -> None:
    people = _people(3)
    world.store = Moody("a0@shop.example", "a2@shop.example")
    counter = Counter(world, FakeHost(mailboxes=set(people)))

    first, second, third = await asyncio.gather(*counter.ask(people), return_exceptions=True)

    assert isinstance(first, StoreError)
    assert isinstance(third, StoreError)
    assert isinstance(second, tuple)
    assert {"a1@shop.example"} == set(people) & set(counter.host.recipients)


async def test_who_has_left_is_not_told_that_he_cannot_be_charged(world: FakeOutside) -> None:
    asked, may_fail = asyncio.Event(), asyncio.Event()

    class Stalling(MemoryStore):
        async def spend(
            self, charges: Sequence[Charge], call: Call | None, elapsed: float
        ) -> Charge | None:
            if call is not None and call.address == "a1@shop.example":
                asked.set()
                await may_fail.wait()
                raise StoreError("the disk is full")
            return await super().spend(charges, call, elapsed)

    world.store = Stalling()
    counter = Counter(world, FakeHost(mailboxes=set(_people(2))))
    stays, leaves = counter.ask(_people(2))
    await asked.wait()
    leaves.cancel()
    await _settle()
    may_fail.set()

    assert Reason.ACCEPTED is conclude(await stays).reason
    assert leaves.cancelled()


async def test_who_has_left_while_another_was_charged_is_not_charged(world: FakeOutside) -> None:
    asked, may_go_on, charged = asyncio.Event(), asyncio.Event(), list[str]()

    class Stalling(MemoryStore):
        async def spend(
            self, charges: Sequence[Charge], call: Call | None, elapsed: float
        ) -> Charge | None:
            if call is not None:
                charged.append(call.address)
                asked.set()
                await may_go_on.wait()
            return await super().spend(charges, call, elapsed)

    world.store = Stalling()
    counter = Counter(world, FakeHost(mailboxes=set(_people(2))))
    stays, leaves = counter.ask(_people(2))
    await asked.wait()
    leaves.cancel()
    await _settle()
    may_go_on.set()

    assert Reason.ACCEPTED is conclude(await stays).reason
    assert ["a0@shop.example"] == charged


async def test_a_bug_is_told_to_all_whom_it_hit(world: FakeOutside) -> None:
    async def call(endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        raise ValueError("a bug")

    counter = Counter(world, FakeHost())
    world.dialer.call = call  # type: ignore[method-assign]

    ends = await asyncio.gather(*counter.ask(_people(3)), return_exceptions=True)

    assert ["a bug"] * 3 == [str(end) for end in ends]
    assert not counter.outside.pacer._at_host


async def test_what_was_learned_of_the_domain_before_its_turn_needs_no_session(
    world: FakeOutside,
) -> None:
    counter = Counter(world, FakeHost())
    leader, waiting = await counter.ask_behind("ann@shop.example", _people(2))
    said = Exchange(START, Stage.MAIL, code=550, text="no bounces")
    world.store.save_fact(
        Fact("shop.example", DomainFact.REFUSES_NULL_SENDER, START, START + 60, (said,))
    )

    counter.serve()
    await asyncio.gather(leader, *waiting)

    assert 1 == len(world.dialer.calls)


async def test_who_is_passed_over_by_others_keeps_its_patience(visitors: Visitors) -> None:
    world, host = visitors.world, FakeHost(ehlo="250 mx", may_answer=asyncio.Event())
    world.host("shop.example", host)
    sessions = Sessions(Smtp(), "me.example", world.dialer, visitors.pacer, visitors.desk.ledger)

    def wait_turn(visit: Visit) -> asyncio.Task[None]:
        return asyncio.create_task(_wait_turn(sessions, visit))

    # The second waits for the control of the first, the third for nobody: its deadline is nearest.
    tasks = [wait_turn(visitors.visit(visitors.walk(who, "no@shop.example"))) for who in _people(1)]
    await _until(host.reached.is_set)
    tasks += [wait_turn(visitors.visit(visitors.walk("b@shop.example", "no@shop.example")))]
    await _settle()
    walk = visitors.walk("c@club.example")
    walk.deadline_at = asyncio.get_running_loop().time() + 0.02
    hurried = wait_turn(visitors.visit(walk))
    await asyncio.sleep(0)
    (line,) = sessions._lines.values()
    line.controlled = frozenset()  # the first session ends at this moment,
    while visitors.pacer.take_slot("192.0.2.1"):
        pass  # and others take its place
    await asyncio.wait({hurried}, timeout=5)

    assert hurried.done()
    assert Fault.OVER_BUDGET is walk.evidence[-1].fault
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
