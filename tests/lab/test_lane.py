"""One course of a log: the real engine and the doors' judge, and what is counted of them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from replay_scene import ANN, OWN_IP, STRANGER_IP, around, envelope
from ringback.engine.ports import Sink
from ringback.lab import lane
from ringback.lab.assumed import Mailboxes, Shown, Source, Standing
from ringback.lab.authorised import Authorised
from ringback.lab.lane import (
    ALIGNED,
    ALWAYS,
    RETRIED,
    RETRIED_BY_ALL,
    Course,
    Lane,
    Surroundings,
)
from ringback.lab.sim import SimLoop, run
from ringback.lab.tally import Busy, Could
from ringback.rules.envelopes import Ending, Envelope
from ringback.values.events import Trouble
from ringback.values.query import Query

PUT_OFF = Ending.PUT_OFF


def take(
    course: Course,
    mail: Sequence[Envelope],
    mailboxes: Mailboxes | None = None,
    *,
    without: str = "",
) -> Lane:
    """Put `mail` to a course, each at its time."""
    loop = SimLoop()
    scene = around(loop, mailboxes)
    made = Lane(course, scene, Authorised(scene.resolver, scene.organisation))

    async def work() -> None:
        for one in mail:
            if (wait_s := one.at - scene.clock.now()) > 0:
                await scene.clock.sleep(wait_s)
            await made.meet(one)
        await made.close()

    run(loop, work())
    return made


def test_a_domain_that_vouches_for_its_client_is_called_once() -> None:
    tally = take(ALIGNED, [envelope(), envelope(after_s=60.0)]).tally

    assert {"accepted": 2} == dict(tally.said)
    assert (2, 1, 0) == (tally.questions, tally.calls, tally.to_unauthorised)
    assert [Busy("mx.shop.example", 1, 1)] == tally.hosts.busiest(10)
    assert [Busy("shop.example", 1, 1)] == tally.domains.busiest(10)
    assert (2, 0) == (tally.answered, tally.refused_called)


def test_strangers_are_called_by_some_courses_only() -> None:
    mail = [envelope(ip=STRANGER_IP)]
    lanes = {it.name: take(it, mail).tally for it in (ALIGNED, RETRIED, RETRIED_BY_ALL, ALWAYS)}

    assert {
        "aligned": {"unaligned": 1},
        "retried": {"retried": 1},
        "retried_all_back": {"retried": 1, "accepted": 1},
        "always": {"accepted": 1},
    } == {name: dict(tally.said) for name, tally in lanes.items()}
    assert [0, 0, 1, 1] == [tally.calls for tally in lanes.values()]
    assert [0, 0, 1, 1] == [tally.to_unauthorised for tally in lanes.values()]
    assert [0, 0, 1, 1] == [len(tally.unauthorised_domains) for tally in lanes.values()]
    assert [0, 0, 1, 1] == [tally.answered for tally in lanes.values()]


def test_what_the_log_shows_coming_back_has_come_back() -> None:
    mail = [
        envelope(ip=STRANGER_IP, ending=PUT_OFF),
        envelope(ip=STRANGER_IP, after_s=30.0, ending=PUT_OFF),
        envelope(ip=STRANGER_IP, after_s=300.0),
        envelope("bot@shop.example", "62.8.8.8", after_s=300.0, ending=PUT_OFF),
        envelope("eve@shop.example", "62.7.7.7", after_s=300.0),
    ]
    put_off = take(RETRIED, mail).tally.put_off

    assert (3, 1, 1, 1) == (put_off.count, put_off.of_taken, put_off.came_back, put_off.gone)
    assert [pytest.approx(300.0, abs=1.0)] == put_off.spans_s


def test_callouts_for_mail_that_the_site_did_not_take_change_nothing() -> None:
    mail = [envelope(ending=Ending.TOO_LATE), envelope("bob@shop.example", ending=PUT_OFF)]
    tally = take(ALIGNED, mail).tally

    assert (2, 2, 0) == (tally.calls, tally.in_vain.count, tally.answered)


def test_a_callout_was_not_in_vain_where_the_mail_was_taken_in_the_end() -> None:
    tally = take(ALIGNED, [envelope(ending=PUT_OFF), envelope(after_s=400.0)]).tally

    assert (1, 0) == (tally.calls, tally.in_vain.count)


def test_senders_are_those_about_whom_a_client_may_be_asked() -> None:
    mail = [
        envelope(),
        envelope(after_s=60.0),
        envelope(""),
        envelope("me@ours.example", login="me"),
        envelope("bob@shop.example", STRANGER_IP),
        envelope("eve@shop.example", ending=Ending.TOO_LATE),
        envelope("a@null.example"),
    ]
    senders = {it.name: take(it, mail).tally.senders for it in (ALIGNED, RETRIED)}

    assert {"aligned": [3, 2, 1], "retried": [3, 3, 1]} == {
        name: [it.count(could) for could in Could] for name, it in senders.items()
    }


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("a@null.example", "null_mx"),
        ("a@nowhere.example", "no_such_domain"),
        ("a b@shop.example", "bad_syntax"),
    ],
)
def test_some_mail_is_refused_without_a_callout(sender: str, reason: str) -> None:
    tally = take(RETRIED, [envelope(sender)]).tally

    assert {reason: 1} == dict(tally.refused_uncalled)
    assert (0, 0) == (tally.calls, tally.answered)


def test_what_is_known_of_a_mailbox_is_counted() -> None:
    mailboxes = Mailboxes(Standing.EXISTS)
    mailboxes.note(ANN, Shown(Standing.MISSING, 0.0))
    mailboxes.note("bob@shop.example", Shown(Standing.EXISTS, 0.0))
    mail = [envelope(), envelope("bob@shop.example"), envelope("carl@shop.example")]
    made = take(ALIGNED, mail, mailboxes)

    tally = made.tally
    assert (3, 1, 1) == (tally.answered, tally.refused_called, tally.known_to_exist)
    assert {Source.LOG: 2, Source.ASSUMED: 1} == dict(made.hosts.told)
    assert [3, 2, 1] == [tally.senders.count(could) for could in Could]


def test_mail_that_waits_for_a_host_to_say_more_is_let_through_in_the_end() -> None:
    tally = take(RETRIED_BY_ALL, [envelope()], Mailboxes(Standing.UNSAID)).tally

    assert tally.questions > 2
    assert 1 == tally.answered
    assert 0 == tally.put_off.count  # of first contacts


def test_mail_that_is_to_come_back_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MAX_WAITING", 1)
    mail = [envelope(f"{name}@shop.example", STRANGER_IP) for name in ("ann", "bob", "carl")]
    tally = take(RETRIED_BY_ALL, mail).tally

    assert {"retried": 3, "accepted": 1} == dict(tally.said)
    assert 2 == tally.taken_as_gone


def test_a_network_that_may_not_be_called_is_not_counted() -> None:
    tally = take(ALWAYS, [envelope("a@inside.example")]).tally

    assert {"forbidden_network": 1} == dict(tally.said)
    assert 0 == tally.calls


def test_an_address_without_a_name_is_its_own_host() -> None:
    tally = take(ALWAYS, [envelope(f"a@[{OWN_IP}]"), envelope(f"a@[{STRANGER_IP}]")]).tally

    assert {OWN_IP: 1, STRANGER_IP: 1} == {one.name: one.count for one in tally.hosts.busiest(9)}
    assert 1 == tally.to_unauthorised


def test_a_bug_of_ours_ends_the_count() -> None:
    class Judges:
        """One that fails, and tells so; then one that fails in silence."""

        def __init__(
            self, door: str, verifier: object, clock: object, sink: Sink, *, settings: object
        ) -> None:
            self._sink = sink

        async def judge(self, query: Query) -> None:
            if query.address == ANN:
                self._sink(Trouble("door", "broken", trace="here"))

    for sender, said in ((ANN, "door: broken\nhere"), ("b@shop.example", "had no answer")):
        loop = SimLoop()
        scene: Surroundings = replace(around(loop), make_judge=Judges)
        made = Lane(ALIGNED, scene, Authorised(scene.resolver, scene.organisation))
        with pytest.raises(RuntimeError, match=said):
            run(loop, made.meet(envelope(sender)))
