"""What a run counts as it goes, against what the store counts."""

from ringback.engine.score import Score
from ringback.rules.lists import Pace
from ringback.store.memory import MemoryStore
from ringback.values.job import Tally, Task
from ringback.values.query import Report
from ringback.values.verdict import Reason

ADDRESSES = ("1@x.example", "2@x.example", "3@x.example", "1@y.example")


def report_of(address: str, callouts: int = 1) -> Report:
    return Report(address, Reason.ACCEPTED, True, 1.0, "so", callouts=callouts)


async def test_it_begins_where_former_runs_ended_and_counts_on() -> None:
    jobs = MemoryStore().jobs
    work = await jobs.open_list("d", 1.0, 9.0)
    await jobs.add_jobs(work.number, [Task.parse(address) for address in ADDRESSES])
    of_x, of_y = (await jobs.take_jobs(work.number, 1.0, 9, 9)).due
    before = of_y.jobs[0].but(due_at=None, callouts=2, report=report_of("1@y.example"))
    jobs.save_job(before)
    subject = Score(jobs, work.number)
    await subject.begin()
    subject.note_done(of_x.jobs[0], report_of("1@x.example", 3))
    subject.note_later(report_of("2@x.example"))

    assert Tally(2, {Reason.ACCEPTED: 2}, callouts=6) == subject.tally
    assert Pace(2, 1, 10.0, booked_s=5.0) == subject.pace(10.0, 5.0)

    subject.note_bound("y.example", 80.0)
    assert 0.0 == subject.pace(10.0, 5.0).bound_s
    subject.note_bound("x.example", 80.0)
    assert 160.0 == subject.pace(10.0, 5.0).bound_s

    await subject.count()
    assert 2 == subject.tally.done[Reason.ACCEPTED] + 1
    assert 0 == subject.pace(10.0, 5.0).done


async def test_an_empty_list_has_no_score() -> None:
    jobs = MemoryStore().jobs
    work = await jobs.open_list("d", 1.0, 9.0)
    subject = Score(jobs, work.number)
    await subject.begin()

    assert Tally() == subject.tally
    assert Pace(0, 0, 1.0) == subject.pace(1.0, 0.0)
