"""What becomes of an address of a list, by its answer."""

import pytest

from ringback.rules.lists import (
    MIN_DONE,
    MIN_WAIT_S,
    PLACE_WAIT_S,
    TROUBLE_WAIT_S,
    Judgement,
    Pace,
    Then,
    Wait,
    broken_off,
    is_given_up,
    judge_answer,
    left_s,
    not_an_address,
    out_of_time,
    places_of,
    unreadable,
    wait_for,
)
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.query import Report
from ringback.values.settings import Budget
from ringback.values.verdict import Reason

NOW, STEPS, KEY = 1_000.0, (360.0, 900.0), "a@x.example"
BUDGET = Budget(
    per_host=120,
    per_domain=60,
    overall=1_000,
    refused_recipients_per_host=20,
    concurrent_per_host=3,
)


def told(
    reason: Reason, *, final: bool = True, retry_at: float | None = None, gate: str = ""
) -> Report:
    return Report("a@x.example", reason, final, NOW, "so", retry_at=retry_at, gate=gate)


def over_budget(gate: str, text: str = "callouts at this host", ip: str = "192.0.2.1") -> Report:
    because = Exchange(NOW, Stage.CONNECT, ip=ip, text=text, rule=gate, fault=Fault.OVER_BUDGET)
    return told(Reason.OVER_BUDGET, gate=gate).but(because=because)


def in_trouble(stage: Stage) -> Report:
    because = Exchange(NOW, stage, 1, "mx.x.example", "192.0.2.1", code=421)
    return told(Reason.PEER_TROUBLE, final=False, retry_at=NOW + 99).but(because=because)


@pytest.mark.parametrize(
    ("report", "tries", "judgement"),
    [
        (told(Reason.ACCEPTED), 0, Judgement(Then.DONE)),
        (told(Reason.ACCEPTS_ANY), 0, Judgement(Then.DONE)),
        (told(Reason.REFUSES_US, gate="breaker"), 0, Judgement(Then.DONE)),
        (told(Reason.PEER_TROUBLE, final=False), 0, Judgement(Then.DONE)),
        (
            told(Reason.GREYLISTED, final=False, retry_at=NOW + 99),
            0,
            Judgement(Then.LATER, NOW + 99),
        ),
        (
            told(Reason.DNS_FAILURE, final=False, retry_at=NOW - 99),
            1,
            Judgement(Then.REST, NOW + MIN_WAIT_S),
        ),
        (
            told(Reason.UNREACHABLE, final=False, retry_at=NOW + 99),
            0,
            Judgement(Then.REST, NOW + 99),
        ),
        (in_trouble(Stage.GREETING), 0, Judgement(Then.REST, NOW + 99)),
        (in_trouble(Stage.RCPT), 0, Judgement(Then.LATER, NOW + 99)),
        (told(Reason.GREYLISTED, final=False, retry_at=NOW + 99), 2, Judgement(Then.DONE)),
        (
            told(Reason.GREYLISTED, final=False, retry_at=NOW + 86_400),
            1,
            Judgement(Then.LATER, NOW + 14_400),
        ),
        (
            told(Reason.GREYLISTED, final=False, retry_at=NOW + 99, gate="greylist"),
            1,
            Judgement(Then.PAUSE, NOW + 99),
        ),
        (
            told(Reason.GREYLISTED, final=False, retry_at=NOW + 99, gate="greylist"),
            2,
            Judgement(Then.DONE),
        ),
        (told(Reason.OUR_TROUBLE), 0, Judgement(Then.LATER, NOW + TROUBLE_WAIT_S)),
        (told(Reason.OUR_TROUBLE), 2, Judgement(Then.DONE)),
        (
            told(Reason.NOT_ASKED, gate="opt_out_unknown"),
            1,
            Judgement(Then.LATER, NOW + STEPS[1]),
        ),
        (told(Reason.NOT_ASKED, gate="postmaster"), 0, Judgement(Then.DONE)),
        (told(Reason.RATE_LIMITED), 0, Judgement(Then.REST, NOW + 3_600)),
        (told(Reason.RATE_LIMITED), 2, Judgement(Then.DONE)),
        (told(Reason.OVER_BUDGET), 9, Judgement(Then.WAIT)),
        (told(Reason.DEADLINE, final=False), 0, Judgement(Then.WAIT)),
        (told(Reason.IDENTITY_UNFIT, gate="identity"), 9, Judgement(Then.HALT)),
        (told(Reason.NOT_ASKED, gate="no_consent"), 0, Judgement(Then.HALT)),
    ],
)
def test_an_answer_is_the_last_word_or_not(
    report: Report, tries: int, judgement: Judgement
) -> None:
    assert judgement == judge_answer(report, tries, NOW, STEPS)


def test_without_steps_nobody_is_told_to_come_back() -> None:
    waits = told(Reason.GREYLISTED, final=False, retry_at=NOW + 99)

    assert Judgement(Then.DONE) == judge_answer(waits, 0, NOW, ())


@pytest.mark.parametrize(
    ("report", "all_others"),
    [
        (told(Reason.GREYLISTED), True),
        (told(Reason.RATE_LIMITED), True),
        (told(Reason.PEER_IS_VERIFYING), True),
        (told(Reason.UNREACHABLE), True),
        (told(Reason.DNS_FAILURE), True),
        (in_trouble(Stage.GREETING), True),
        (in_trouble(Stage.RCPT), False),
        (told(Reason.PEER_TROUBLE), False),
        (told(Reason.NO_SUCH_MAILBOX), False),
    ],
)
def test_one_that_waited_in_vain_may_do_so_for_all_others_there(
    report: Report, all_others: bool
) -> None:
    assert all_others is is_given_up(report)


def test_an_answer_is_that_of_its_domain_and_of_the_host_that_decided() -> None:
    assert ("x.example", "192.0.2.1") == places_of(in_trouble(Stage.GREETING), "x.example")
    assert ("x.example",) == places_of(told(Reason.DNS_FAILURE), "x.example")
    assert ("x.example",) == places_of(over_budget("budget", ip=""), "x.example")


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("nobody", "no local part and domain around an @"),
        ('"a\\x00b"@x.example', "it has characters that no address can have"),
    ],
)
def test_what_is_no_address_is_told_why(key: str, rule: str) -> None:
    report = not_an_address(f" {key}", NOW)

    assert (key, Reason.BAD_SYNTAX, True, rule) == (
        report.address,
        report.reason,
        report.final,
        report.rule,
    )


def test_who_had_no_turn_was_over_budget() -> None:
    report = out_of_time(NOW)

    assert (Reason.OVER_BUDGET, "budget", NOW) == (report.reason, report.gate, report.checked_at)


@pytest.mark.parametrize("report", [broken_off(KEY, NOW), unreadable(KEY)])
def test_what_went_wrong_with_us_says_nothing_of_the_address(report: Report) -> None:
    assert (KEY, Reason.OUR_TROUBLE, True) == (report.address, report.reason, report.final)


@pytest.mark.parametrize(
    ("report", "wait"),
    [
        (over_budget("budget"), Wait("host 192.0.2.1", 40.0)),
        (over_budget("budget", "callouts in its network"), Wait("host 192.0.2.1", 10.0)),
        (
            over_budget("budget", "callouts at the organisation of this host"),
            Wait("host 192.0.2.1", 80.0),
        ),
        (over_budget("budget", "callouts for this domain"), Wait("domain x.example", 80.0)),
        (over_budget("budget", "callouts that x.example allows"), Wait("host 192.0.2.1", 80.0)),
        (over_budget("refused_recipients"), Wait("refused 192.0.2.1", 240.0)),
        (over_budget("connections"), Wait("places 192.0.2.1", PLACE_WAIT_S / 3)),
        (over_budget("budget", "callouts overall"), Wait("all", 4.8)),
        (over_budget("budget", ip=""), Wait("host x.example", 40.0)),
        (told(Reason.OVER_BUDGET, gate="budget"), Wait("host x.example", 80.0)),
        (told(Reason.OVER_BUDGET, gate="connections"), Wait("places x.example", PLACE_WAIT_S / 3)),
    ],
)
def test_who_waits_for_a_budget_waits_as_long_as_it_takes_to_fill(
    report: Report, wait: Wait
) -> None:
    assert wait == wait_for(report, "x.example", BUDGET)


@pytest.mark.parametrize(
    ("pace", "left"),
    [
        (Pace(0, 0, 0.0), 0.0),
        (Pace(100, MIN_DONE - 1, 10.0), None),
        (Pace(100, 50, 10.0), 20.0),
        (Pace(100, 50, 10.0, bound_s=7_200.0), 7_200.0),
        (Pace(100, 50, 10.0, booked_s=80.0), 80.0),
        (Pace(100, 50, 0.0), 0.0),
    ],
)
def test_the_rest_takes_as_long_as_the_slowest_of_it(pace: Pace, left: float | None) -> None:
    assert left == left_s(pace)
