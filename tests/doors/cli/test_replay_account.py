"""The figures of a replay for programs, and the advice that follows from them."""

import json

import pytest

from replay_scene import STRANGER_IP, around, envelope
from ringback.doors.cli.replay_account import Account, Figures, Spans, Switch, advise, encode
from ringback.lab.assumed import Standing
from ringback.lab.kept_dns import KeptDns
from ringback.lab.lane import ALIGNED, ALWAYS, RETRIED, RETRIED_BY_ALL
from ringback.lab.outward import Outward
from ringback.lab.replay import Replay
from ringback.net.resolver import DnsResolver
from ringback.rules.envelopes import Ending, Unread
from ringback.values.settings import CallWhen

COURSES = (ALIGNED, RETRIED, RETRIED_BY_ALL, ALWAYS)


def account(*, failed: int = 0, asked: int | None = 2) -> Account:
    """Of two mails that were taken, and one that was put off and came back."""
    mail = [
        envelope(),
        envelope("b@null.example"),
        envelope("c@shop.example", STRANGER_IP, ending=Ending.PUT_OFF),
        envelope("c@shop.example", STRANGER_IP, after_s=600.0, ending=Ending.TOO_LATE),
    ]
    with Outward() as outward:
        scene = around(outward.loop)
        replay = Replay(scene)
        dns = KeptDns(outward, DnsResolver(("127.0.0.1",))) if asked is not None else None
        if dns and asked:
            dns.asked, dns.failed = asked, failed

        async def work() -> None:
            for one in mail:
                await replay.meet(one, one.at)
            await replay.close()

        outward.run(work())
        return Account.of(
            scene.settings, replay, Unread(1, without_recipient=2), dns, Standing.EXISTS
        )


def test_it_has_all_that_was_counted() -> None:
    told = account()
    yours = figures(told, told.yours)

    assert ("2027-01-15T08:00:00Z", "2027-01-15T08:10:00Z") == (told.since, told.until)
    assert {"taken": 2, "put_off": 1, "refused": 0, "too_late": 1} == told.envelopes
    assert {"without_client": 1, "without_recipient": 2} == {
        what: count for what, count in told.unread.items() if count
    }
    assert ("retried", 60, "deliverable", 2, 0) == (
        told.yours,
        told.budget_per_host,
        told.assumed,
        told.dns_asked,
        told.dns_failed,
    )
    assert [it.name for it in COURSES] == [*told.courses]
    assert {"accepted": 2, "retried": 1, "null_mx": 1} == yours.said
    assert (4, 2, 1, 1) == (
        yours.questions,
        yours.callouts,
        yours.to_unauthorised,
        yours.changes_nothing,
    )
    assert (1, 0, 1, 0) == (
        yours.first_contacts_put_off,
        yours.put_off_though_taken,
        yours.came_back,
        yours.did_not_come_back,
    )
    assert Spans(599.4, 599.4, 599.4) == yours.came_back_after  # what came between took its time
    assert (2, 2, 1) == (yours.senders, yours.senders_at_most, yours.senders_refused)
    assert ({"null_mx": 1}, 1, {"assumed": 2}) == (
        yours.refused_uncalled,
        yours.answered,
        yours.answers_from,
    )


def test_programs_get_the_same() -> None:
    told = json.loads(json.dumps(encode(account())))

    assert 4 == told["courses"]["retried"]["questions"]
    assert {"name": "mx.shop.example", "count": 2, "busiest_hour": 2} == told["courses"]["retried"][
        "busiest_hosts"
    ][0]
    assert {"half_s", "most_s", "last_s"} == set(told["courses"]["retried"]["came_back_after"])
    assert {"switch", "why"} == set(told["advice"])


def test_a_dns_that_mostly_fails_has_shown_nothing() -> None:
    told = account(asked=3, failed=2)

    assert {None} == set(told.courses.values())
    assert Switch.UNSURE is told.advice.switch


def test_without_the_dns_nothing_is_told_of_what_hangs_on_it() -> None:
    told = account(asked=None)
    always = figures(told, "always")

    assert [None] * 3 == [told.courses[it.name] for it in (ALIGNED, RETRIED, RETRIED_BY_ALL)]
    assert (None, None) == (always.to_unauthorised, always.unauthorised_domains)
    assert always.callouts
    assert Switch.UNSURE is told.advice.switch
    assert "DNS" in told.advice.why


def test_a_dns_that_fails_now_and_then_is_of_use() -> None:
    assert None not in account(asked=3, failed=1).courses.values()


@pytest.mark.parametrize(
    ("senders", "at_most", "refused", "callouts", "strangers", "switch", "says"),
    [
        (0, 0, 0, 0, 0, Switch.UNSURE, "no taken mail"),
        (1_000, 9, 9, 9, 0, Switch.OFF, "less than it is worth"),
        (1_000, 10, 9, 10, 0, Switch.UNSURE, "no evidence either way"),
        (1, 1, 0, 1, 0, Switch.UNSURE, "of 1 senders"),
        (1_000, 10, 10, 10, 5, Switch.ON, "5 of 10 callouts"),
        (1_000, 10, 10, 10, 6, Switch.ALIGNED, "innocents"),
        (1_000, 10, 10, 0, 0, Switch.ON, "that of 10 is refused"),
    ],
)
def test_the_advice_is_from_the_most_that_it_could_do_and_what_is_known_of_it(
    senders: int,
    at_most: int,
    refused: int,
    callouts: int,
    strangers: int,
    switch: Switch,
    says: str,
) -> None:
    most = figures(account(), RETRIED_BY_ALL.name).but(
        senders=senders,
        senders_at_most=at_most,
        senders_refused=refused,
        callouts=callouts,
        to_unauthorised=strangers,
    )
    advice = advise(CallWhen.RETRIED, {RETRIED_BY_ALL.name: most})

    assert switch is advice.switch
    assert says in advice.why


def test_other_courses_have_no_bound_above_them() -> None:
    aligned = figures(account(), ALIGNED.name)

    assert Switch.ON is advise(CallWhen.ALIGNED, {ALIGNED.name: aligned}).switch


def figures(told: Account, name: str) -> Figures:
    found = told.courses[name]
    assert found is not None
    return found
