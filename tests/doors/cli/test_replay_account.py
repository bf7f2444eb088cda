"""The figures of a replay for programs, and the advice that follows from them."""

import json

import pytest

from replay_scene import STRANGER_IP, around, envelope
from ringback.doors.cli.replay_account import Account, Figures, Switch, advise, encode
from ringback.lab.assumed import Standing
from ringback.lab.kept_dns import KeptDns
from ringback.lab.lane import ALIGNED, ALWAYS, RETRIED, RETRIED_BY_ALL
from ringback.lab.outward import Outward
from ringback.lab.replay import Replay
from ringback.net.resolver import DnsResolver
from ringback.rules.envelopes import Ending, Unread
from ringback.values.settings import CallWhen

COURSES = (ALIGNED, RETRIED, RETRIED_BY_ALL, ALWAYS)


def account(*, failed: int = 0, asked: int = 2) -> Account:
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
        dns = KeptDns(outward, DnsResolver(("127.0.0.1",)))
        dns.asked, dns.failed = asked, failed

        async def work() -> None:
            for one in mail:
                await replay.meet(one)
            await replay.close()

        outward.run(work())
        return Account.of(
            scene.settings, replay, Unread(1, without_recipient=2), dns, Standing.EXISTS
        )


def test_it_has_all_that_was_counted() -> None:
    told = account()
    yours = told.course(told.yours)

    assert ("2027-01-15T08:00:00Z", "2027-01-15T08:10:00Z") == (told.since, told.until)
    assert {"taken": 2, "put_off": 1, "refused": 0, "too_late": 1} == told.envelopes
    assert {"without_client": 1, "without_recipient": 2} == {
        what: count for what, count in told.unread.items() if count
    }
    assert ("retried", 60, "deliverable", 2, 0) == (
        told.yours,
        told.per_host,
        told.assumed,
        told.dns_asked,
        told.dns_failed,
    )
    assert [it.name for it in COURSES] == [course.course for course in told.courses]
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
    assert [pytest.approx(600.0, abs=2.0)] * 3 == list(yours.came_back_after_s)
    assert ({"null_mx": 1}, 1, {"assumed": 2}) == (
        yours.refused_uncalled,
        yours.answered,
        yours.answers_from,
    )


def test_programs_get_the_same() -> None:
    told = json.loads(json.dumps(encode(account())))

    assert 4 == told["courses"][1]["questions"]
    assert {"name": "mx.shop.example", "count": 2, "busiest_hour": 2} == told["courses"][1][
        "busiest_hosts"
    ][0]
    assert {"switch", "why"} == set(told["advice"])


def test_a_dns_that_mostly_fails_gives_no_advice() -> None:
    assert Switch.UNSURE is account(asked=3, failed=2).advice.switch
    assert Switch.UNSURE is not account(asked=3, failed=1).advice.switch


@pytest.mark.parametrize(
    ("taken", "answered", "known", "callouts", "strangers", "switch"),
    [
        (0, 0, 0, 0, 0, Switch.UNSURE),
        (1_000, 9, 0, 9, 0, Switch.OFF),
        (1_000, 500, 495, 9, 0, Switch.OFF),
        (1_000, 10, 0, 10, 5, Switch.ON),
        (1_000, 10, 0, 10, 6, Switch.ALIGNED),
        (1_000, 10, 0, 0, 0, Switch.ON),
    ],
)
def test_the_advice_is_from_the_most_that_it_could_do(
    taken: int, answered: int, known: int, callouts: int, strangers: int, switch: Switch
) -> None:
    course = account().course(RETRIED_BY_ALL.name)
    most = _but(course, answered, known, callouts, strangers)
    advice = advise(CallWhen.RETRIED, taken, [most], knows_dns=True)

    assert switch is advice.switch
    assert advice.why


def test_other_courses_have_no_bound_above_them() -> None:
    aligned = _but(account().course(ALIGNED.name), 10, 0, 10, 0)

    assert Switch.ON is advise(CallWhen.ALIGNED, 100, [aligned], knows_dns=True).switch


def _but(course: Figures, answered: int, known: int, callouts: int, strangers: int) -> Figures:
    return course.but(
        answered=answered,
        known_to_exist=known,
        callouts=callouts,
        to_unauthorised=strangers,
        refused_uncalled={},
    )
