"""Rows in their order, as they are done."""

from pathlib import Path

import pytest

from ringback.assemble import flag_lists
from ringback.doors.lists import delivery as delivery_module
from ringback.doors.lists.delivery import Delivery
from ringback.doors.lists.listing import Form
from ringback.doors.lists.output import Output
from ringback.doors.lists.writing import writer_of
from ringback.errors import UsageError
from ringback.rules.reports import Heading, unasked
from ringback.store.memory_lists import MemoryLists
from ringback.values.job import Job, JobList, Task
from ringback.values.verdict import Reason

from .conftest import Lists

LIST = b"# ours\nann@a.example\nbob@b.example\nann@a.example\nAnn@A.example\nno address\n"


async def hold(jobs: MemoryLists, *addresses: str) -> JobList:
    work = await jobs.open_list("digest", 0.0, 3_600.0)
    await jobs.add_jobs(work.number, [Task.parse(text) for text in addresses])
    return work


def finish(jobs: MemoryLists, work: JobList, text: str) -> None:
    task = Task.parse(text)
    report = unasked(Heading(task.key, 1_800_000_000.0), Reason.NOT_ASKED, "a rule")
    jobs.save_job(Job(work.number, task.key, task.domain, due_at=None, report=report))


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 100])
async def test_a_row_waits_for_all_before_it(
    lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
) -> None:
    monkeypatch.setattr(delivery_module, "ROWS_AT_ONCE", rows_at_once)
    jobs, listing, path = MemoryLists(), lists(LIST), tmp_path / "out.txt"
    work = await hold(jobs, *listing.addresses())
    steps: list[list[str]] = []

    with Output(str(path)) as output:
        writer = writer_of(listing, Form.TEXT, flag_lists())
        delivery = Delivery(listing, writer, output, jobs, work)
        for done in ("", "no address", "ann@a.example", "bob@b.example", "Ann@A.example"):
            if done:
                finish(jobs, work, done)
            await delivery.go_on()
            steps.append([line.split("\t")[0] for line in path.read_text().splitlines()])

    first, whole = ["# ours", "ann@a.example"], ["bob@b.example", "ann@a.example"]
    last = ["Ann@A.example", "no address"]
    assert [["# ours"], ["# ours"], first, first + whole, first + whole + last] == steps
    assert (6, 1, True) == (delivery.rows, delivery.without_address, delivery.is_complete)


async def test_a_list_that_changes_meanwhile_is_not_gone_on_with(
    lists: Lists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "ROWS_AT_ONCE", 1)
    jobs, listing, path = MemoryLists(), lists(LIST), tmp_path / "out.txt"
    work = await hold(jobs, *listing.addresses())

    with Output(str(path)) as output:
        writer = writer_of(listing, Form.TEXT, flag_lists())
        delivery = Delivery(listing, writer, output, jobs, work)
        await delivery.go_on()
        (tmp_path / "list.txt").write_bytes(LIST + b"eve@a.example\n")
        finish(jobs, work, "ann@a.example")
        with pytest.raises(UsageError, match="it changed while it was read"):
            await delivery.go_on()


async def test_rows_with_a_problem_are_counted(lists: Lists, tmp_path: Path) -> None:
    jobs, listing = MemoryLists(), lists(b"\n\nAnn <a@b.example>\n\nB <b@b.example>\n")

    with Output(str(tmp_path / "out.txt")) as output:
        writer = writer_of(listing, Form.TEXT, flag_lists())
        delivery = Delivery(listing, writer, output, jobs, await hold(jobs))
        await delivery.go_on()

    assert (5, 5, 2, 3) == (
        delivery.rows,
        delivery.without_address,
        delivery.problems,
        delivery.first_problem,
    )


async def test_it_is_complete_only_when_all_is_written(lists: Lists, tmp_path: Path) -> None:
    jobs, listing = MemoryLists(), lists(LIST)
    work = await hold(jobs, *listing.addresses())

    with Output(str(tmp_path / "out.txt")) as output:
        writer = writer_of(listing, Form.TEXT, flag_lists())
        delivery = Delivery(listing, writer, output, jobs, work)
        await delivery.go_on()

    assert (1, False) == (delivery.rows, delivery.is_complete)
