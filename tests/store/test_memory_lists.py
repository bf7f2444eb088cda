"""Lists that end with their process: their bounds. What all lists do is tried in test_lists.py."""

import pytest

from ringback.errors import StoreError
from ringback.store import memory_lists
from ringback.store.memory_lists import MemoryLists
from ringback.values.job import Task

NOW, KEEP_S = 1_000.0, 100.0


def tasks_of(*addresses: str) -> tuple[Task, ...]:
    return tuple(Task.parse(address) for address in addresses)


async def test_a_list_is_forgotten_some_time_after_it_was_worked_on() -> None:
    jobs = MemoryLists()
    made = await jobs.open_list("d1", NOW, KEEP_S)
    await jobs.complete_list(made.number)
    held = await jobs.open_list("held", NOW, KEEP_S)
    await jobs.close_list(made.number)
    late = await jobs.open_list("d1", NOW + KEEP_S, KEEP_S)

    assert made.number < held.number < late.number


async def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_lists, "MAX_JOBS", 3)
    jobs = MemoryLists()
    for digest in ("d1", "d2"):
        await jobs.open_list(digest, NOW, KEEP_S)
    await jobs.add_jobs(1, tasks_of("1@x.example", "2@x.example"))

    with pytest.raises(StoreError, match="a store in memory holds 3 addresses; use an SQLite"):
        await jobs.add_jobs(2, tasks_of("1@x.example", "2@x.example"))


async def test_what_was_put_off_twice_is_due_once() -> None:
    jobs = MemoryLists()
    await jobs.open_list("d1", NOW, KEEP_S)
    await jobs.add_jobs(1, tasks_of("1@x.example"))
    [due] = (await jobs.take_jobs(1, NOW, 9, 9)).due
    for due_at in (NOW + 10, NOW + 30, NOW + 20, NOW + 20):
        jobs.save_job(due.jobs[0].but(due_at=due_at))
    jobs.save_turn(1, "x.example", NOW)

    assert () == (await jobs.take_jobs(1, NOW + 19, 9, 9)).due
    [again] = (await jobs.take_jobs(1, NOW + 50, 9, 9)).due
    assert ["1@x.example"] == [job.key for job in again.jobs]
