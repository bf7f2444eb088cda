"""What is kept of what happened lately, within bounds."""

import pytest

from door_fakes import NOON
from fakes import FakeClock
from ringback.doors.recent import (
    MAX_ANSWERS,
    MAX_GATES,
    MAX_HOSTS,
    MAX_TROUBLES,
    Recent,
    Span,
    total,
)
from ringback.values.events import Answered, CalledOut, Decided, DoorClosed, Lifecycle, Trouble
from ringback.values.evidence import Exchange, Stage
from ringback.values.query import Report
from ringback.values.verdict import Reason, Verdict

MINUTE, HOUR = 60.0, 3_600.0
SAID = Exchange(NOON, Stage.RCPT, 1, "mx.shop.example", "192.0.2.1", code=550)


def report(reason: Reason = Reason.NO_SUCH_MAILBOX, **rest: object) -> Report:
    return Report("ann@shop.example", reason, True, NOON, "a rule", **rest)  # type: ignore[arg-type]


def decided(told: Report, action: str = "550 5.1.1 no") -> Decided:
    return Decided("policy", "sender", told.address, "192.0.2.7", action, action, told, 0.1)


def called(ip: str = "192.0.2.1", connections: int = 1, askers: int = 1) -> CalledOut:
    said = Exchange(NOON, Stage.RCPT, 1, "mx.shop.example", ip, code=250)
    hosts = ("mx.shop.example",)
    about = ("a@shop.example", "sender", connections, hosts, "accepted", "", 1.0, (said,))
    return CalledOut(*about, askers)


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.at = NOON
    return clock


@pytest.fixture
def recent(clock: FakeClock) -> Recent:
    return Recent(clock.now)


def test_answers_are_counted_by_what_came_of_them(recent: Recent) -> None:
    recent.hear(decided(report(because=SAID, callouts=1)))
    recent.hear(decided(report(Reason.ACCEPTED, from_cache=True), "DUNNO"))
    recent.hear(decided(report(Reason.NOT_ASKED, gate="own_domain"), "DUNNO"))
    recent.hear(Answered("http", "sender", "a@b", "", report(Reason.ACCEPTED, callouts=1), 0.1))
    recent.hear(called(connections=2))
    counted = total(recent.steps(Span.HOUR))

    assert (4, 3, 1) == (counted.answers, counted.decisions, counted.changed)
    assert {Verdict.DELIVERABLE: 2, Verdict.UNDELIVERABLE: 1, Verdict.UNKNOWN: 1} == dict(
        counted.verdicts
    )
    assert (1, {"own_domain": 1}, 2) == (counted.remembered, dict(counted.gates), counted.saved)
    assert (1, 2) == (counted.callouts, counted.connections)


def test_an_answer_before_the_control_is_told_from_one_that_came_too_late(recent: Recent) -> None:
    recent.hear(decided(report(Reason.DEADLINE, settled=True, callouts=1), "DUNNO"))
    recent.hear(decided(report(Reason.DEADLINE), "DUNNO"))
    counted = total(recent.steps(Span.HOUR))

    assert (2, 1) == (counted.reasons[Reason.DEADLINE], counted.early)


def test_only_a_word_of_a_host_that_was_called_is_the_work_of_a_callout(recent: Recent) -> None:
    in_dns = Exchange(NOON, Stage.ROUTE, text="no MX")
    recent.hear(decided(report(Reason.NO_MAIL_HOST, because=in_dns)))
    recent.hear(decided(report(Reason.ACCEPTED, because=SAID), "DUNNO"))

    assert 0 == total(recent.steps(Span.DAY)).changed


def test_a_question_that_cost_no_connection_is_saved_once(recent: Recent) -> None:
    for told in (
        report(Reason.OVER_BUDGET, gate="budget"),
        report(Reason.NO_SUCH_DOMAIN),
        report(Reason.BAD_SYNTAX),
        report(Reason.REFUSES_US, gate="breaker", from_cache=True),
    ):
        recent.hear(decided(told))
    counted = total(recent.steps(Span.DAY))

    assert (1, 2, {"budget": 1}) == (counted.remembered, counted.unmade, dict(counted.gates))
    assert 4 == counted.saved == counted.answers


@pytest.mark.parametrize(
    "told",
    [
        report(Reason.OVER_BUDGET, gate="budget", callouts=1),  # the second host of two
        report(Reason.ACCEPTED, from_cache=True, callouts=1),  # of a route whose host is down
        report(Reason.DEADLINE),
        report(Reason.OUR_TROUBLE),
    ],
)
def test_what_cost_a_connection_or_may_yet_is_not_saved(recent: Recent, told: Report) -> None:
    recent.hear(decided(told))

    assert 0 == total(recent.steps(Span.DAY)).saved


@pytest.mark.parametrize(("askers", "shared"), [(0, 0), (1, 0), (3, 2)])
def test_all_who_share_a_callout_but_one_are_saved_theirs(
    recent: Recent, askers: int, shared: int
) -> None:
    recent.hear(called(askers=askers))
    counted = total(recent.steps(Span.DAY))

    assert (1, shared, shared) == (counted.callouts, counted.shared, counted.saved)


def test_a_callout_that_reached_for_nobody_is_none(recent: Recent) -> None:
    recent.hear(called(connections=0, askers=2))
    counted = total(recent.steps(Span.DAY))

    assert (0, 0) == (counted.callouts, counted.saved)
    assert not recent.callouts


def test_a_span_has_all_its_steps_and_ends_now(recent: Recent, clock: FakeClock) -> None:
    recent.hear(called())
    clock.advance(10 * MINUTE)
    recent.hear(called())
    steps = recent.steps(Span.HOUR)

    assert (60, clock.at) == (len(steps), steps[-1].begins_at)
    assert [49, 59] == [at for at, step in enumerate(steps) if step.tally.callouts]
    assert 24 == len(recent.steps(Span.DAY))


def test_to_look_at_it_changes_nothing(recent: Recent, clock: FakeClock) -> None:
    for _ in range(3):
        recent.hear(decided(report(gate="own_domain")))
        clock.advance(MINUTE / 2)
        looked_at = [total(recent.steps(span)) for span in Span]

    assert [(3, {"own_domain": 3})] * 2 == [(it.decisions, dict(it.gates)) for it in looked_at]
    assert [58, 59] == [
        at for at, step in enumerate(recent.steps(Span.HOUR)) if step.tally.decisions
    ]


def test_what_is_older_than_a_span_is_gone(recent: Recent, clock: FakeClock) -> None:
    recent.hear(called())
    clock.advance(2 * HOUR)

    assert [0, 1] == [total(recent.steps(span)).callouts for span in Span]


def test_a_clock_that_is_set_back_loses_nothing(recent: Recent, clock: FakeClock) -> None:
    recent.hear(called())
    clock.step(-5 * MINUTE)
    recent.hear(called())
    clock.step(5 * MINUTE)

    assert 2 == total(recent.steps(Span.HOUR)).callouts


def test_it_stays_small_whatever_happens(recent: Recent) -> None:
    for number in range(300):
        recent.hear(decided(report(gate=f"gate {number}")))
        recent.hear(called(f"192.0.2.{number % 250}"))
        recent.hear(Trouble("store", "gone"))

    assert MAX_ANSWERS == len(recent.answers)
    assert (MAX_TROUBLES, MAX_HOSTS) == (len(recent.troubles), len(recent.hosts))
    assert MAX_GATES == len(total(recent.steps(Span.HOUR)).gates)


def test_the_host_called_last_is_kept_longest(recent: Recent) -> None:
    for number in (1, 2, 1):
        recent.hear(called(f"192.0.2.{number}"))

    assert ["192.0.2.2", "192.0.2.1"] == list(recent.hosts)


def test_news_and_turns_are_told_apart(recent: Recent) -> None:
    recent.hear(DoorClosed("policy", "192.0.2.7", "babble"))
    nothing = (recent.news, recent.turns)
    recent.hear(Trouble("store", "gone"))
    recent.hear(Lifecycle("reloading"))
    recent.hear(Lifecycle("ready"))

    assert (0, 0) == nothing
    assert (3, 1) == (recent.news, recent.turns)
