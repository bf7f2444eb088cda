"""Courses side by side, on the log's own time."""

from collections.abc import Sequence

import pytest

from replay_scene import START_AT, STRANGER_IP, around, envelope
from ringback.lab.replay import BEHIND_S, LogTime, Replay
from ringback.lab.sim import SimLoop, run
from ringback.rules.envelopes import Ending, Envelope


def take(mail: Sequence[Envelope], *, asks_refused: bool = False) -> Replay:
    loop = SimLoop()
    replay = Replay(around(loop), asks_refused=asks_refused)

    async def work() -> None:
        for one in mail:
            await replay.meet(one, one.at)
        await replay.close()

    run(loop, work())
    return replay


def test_each_course_meets_the_same_mail() -> None:
    replay = take([envelope(), envelope(ip=STRANGER_IP, after_s=60.0, sender="b@shop.example")])

    assert [1, 1, 2, 2] == [lane.tally.calls for lane in replay.lanes]
    assert (START_AT, START_AT + 60.0) == (replay.span.first_at, replay.span.last_at)
    assert 2 == replay.envelopes[Ending.TAKEN]


def test_mail_that_the_site_refused_is_counted_and_asked_about_only_if_wanted() -> None:
    mail = [envelope(ending=Ending.REFUSED)]
    left_out, asked = take(mail), take(mail, asks_refused=True)

    assert [0, 1] == [it.lanes[0].tally.questions for it in (left_out, asked)]
    assert [1, 1] == [it.envelopes[Ending.REFUSED] for it in (left_out, asked)]


def test_time_goes_on_where_a_log_goes_back() -> None:
    replay = take([envelope(after_s=90.0), envelope(), envelope(after_s=30.0)])

    many = take([envelope(after_s=3_600.0), *[envelope()] * 2_000])

    assert 2_001 == many.lanes[0].tally.questions
    assert (START_AT, START_AT + 90.0) == (replay.span.first_at, replay.span.last_at)
    assert 3 == replay.lanes[0].tally.questions


def played(*logged_at: float) -> tuple[list[float], int]:
    """When mail comes that was logged then, and how much of it was out of order."""
    time, now, due = LogTime(), 0.0, []
    for at in logged_at:
        now = max(now, time.due_at(at, now))
        due.append(now)
    return due, time.out_of_order


@pytest.mark.parametrize(
    ("logged_at", "comes_at"),
    [
        # Processes, and hosts whose clocks differ: at once, whatever becomes of it.
        ((0.0, 90.0, 60.0, 91.0), [0.0, 90.0, 90.0, 91.0]),
        ((0.0, 900.0, 1.0, 901.0, 2.0, 902.0), [0.0, 900.0, 900.0, 901.0, 901.0, 902.0]),
        # The hour in autumn that comes twice.
        ((0.0, 3_600.0, 0.0, 300.0, 1_200.0), [0.0, 3_600.0, 3_600.0, 3_600.0, 4_800.0]),
        # One whose clock was a day ahead.
        ((0.0, 86_400.0, 600.0, 1_300.0, 2_000.0), [0.0, 86_400.0, 86_400.0, 87_100.0, 87_800.0]),
        # And further back once more.
        ((9_000.0, 3_000.0, 0.0, 600.0, 700.0), [9_000.0, 9_000.0, 9_000.0, 9_600.0, 9_700.0]),
    ],
)
def test_a_gap_in_the_log_is_one_in_the_replay_even_where_the_log_goes_back(
    logged_at: Sequence[float], comes_at: Sequence[float]
) -> None:
    due, out_of_order = played(*logged_at)

    assert comes_at == due
    assert sum(at < max(logged_at) - BEHIND_S for at in logged_at[2:]) >= out_of_order


def test_budgets_hold_by_the_hour_where_a_log_goes_back() -> None:
    once = [envelope(f"u{n}@shop.example", after_s=610.0 * n) for n in range(60)]
    ahead = [once[0], envelope("x@shop.example", after_s=86_400.0), *once[1:]]
    twice = [*once, *(envelope(f"v{n}@shop.example", after_s=610.0 * n) for n in range(60))]
    told = [take(mail).lanes[0].tally for mail in (once, ahead, twice)]

    assert [(60, 0), (61, 0), (120, 0)] == [(it.calls, it.said["budget"]) for it in told]
    assert [6, 7, 7] == [it.hosts.busiest_hour for it in told]


def test_mail_that_waited_in_a_queue_does_not_move_the_time_of_the_log() -> None:
    loop = SimLoop()
    scene = around(loop)
    replay = Replay(scene)
    at_eight = START_AT + 28_800.0
    queued = [envelope(f"u{n}@shop.example", after_s=3_600.0 * n) for n in range(8)]
    later = envelope(after_s=28_900.0)

    async def work() -> float:
        await replay.meet(envelope(), START_AT)
        await replay.meet(envelope(after_s=28_800.0), at_eight)
        for one in queued:
            await replay.meet(one, at_eight)
        await replay.meet(later, later.at)
        return scene.clock.now()

    assert pytest.approx(later.at, abs=10.0) == run(loop, work())
    assert 0 == replay.time.out_of_order
