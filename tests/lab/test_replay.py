"""Courses side by side, on the log's own time."""

from collections.abc import Sequence

from replay_scene import START_AT, STRANGER_IP, around, envelope
from ringback.lab.replay import Replay
from ringback.lab.sim import SimLoop, run
from ringback.rules.envelopes import Ending, Envelope


def take(mail: Sequence[Envelope], *, asks_refused: bool = False) -> Replay:
    loop = SimLoop()
    replay = Replay(around(loop), asks_refused=asks_refused)

    async def work() -> None:
        for one in mail:
            await replay.meet(one)
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
