"""What `ringback bulk` does: a list read, worked through, and written.

Not here: its options (bulk.py), the asking (engine/bulk.py), the files (doors/lists/).
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from ...assemble import flag_lists, running_lists
from ...engine.bulk import Bulk
from ...errors import ConfigError, StoreError, UsageError
from ...net.clock import SystemClock
from ...values.events import Event, Trouble
from ...values.job import JobList, Task
from ...values.query import Report
from ...values.record import Record
from ...values.settings import Settings
from ...values.verdict import VERDICT_OF, Verdict
from ..configuration import Loaded
from ..lists.delivery import Delivery
from ..lists.listing import Listing, form_by_suffix
from ..lists.opening import Opened, Wish, digest_of, opened, opened_list
from ..lists.output import Output
from ..lists.page import MAX_DOMAINS, Account, write_page
from ..lists.writing import Writer, writer_of
from ..words import BEHIND_GATE, WOULD_CHANGE, counted
from .checking import with_store
from .ending import EXIT_SIGNAL, ended_by_signal
from .options import require_contact
from .output import complain_of, complaint_of
from .progress import Display, Stand, shown_progress

# Of trouble: a long list meets many hosts that refuse us, and its rows say which.
MAX_COMPLAINTS = 10
# How often rows that are complete are looked for, and progress is shown.
NEWS_EVERY_S = 0.5


def run(loaded: Loaded, wish: Wish) -> int:
    """Work through a list; return the exit status. Raises RingbackError, OSError."""
    _require_consent(loaded)
    require_contact(loaded)
    _require_store(loaded)
    with opened(wish) as files:
        return asyncio.run(_until_signal(loaded.settings, files))


def forget(loaded: Loaded, wish: Wish) -> None:
    """Drop what is kept of a list. Raises RingbackError, OSError."""
    _require_store(loaded)
    with opened_list(wish) as listing:
        if not asyncio.run(_forget_alone(loaded.settings, listing)):
            raise UsageError(
                f"{listing.source.shown}: nothing is kept of such a list; what was begun with --column, "
                "--format or --delimiter is known by them, and with --config by its store"
            )
    click.echo("ringback: nothing of this list is kept any more", err=True)


async def _forget_alone(settings: Settings, listing: Listing) -> bool:
    digest = await digest_of(listing)
    async with running_lists(settings, complain_of) as bulk:
        return await bulk.forget(digest)


def _require_consent(loaded: Loaded) -> None:
    if not loaded.settings.bulk.consent:
        raise ConfigError(
            loaded.file or "configuration",
            "bulk.consent",
            "it is not given, and nobody may be called who has not agreed to be on a list",
            "if all on yours have, write consent = true under [bulk]",
        )


def _require_store(loaded: Loaded) -> None:
    """Refuse a store that is not ours: one in memory instead would lose a week's answers unasked."""
    if with_store(loaded).store != loaded.settings.store:
        raise ConfigError(
            loaded.file or "configuration",
            "store.url",
            f"{loaded.settings.store.url} is not this user's, and keeps what a list is told",
            "run this as the user of the service, or name a file of your own, or memory: to keep nothing",
        )


async def _until_signal(settings: Settings, files: Opened) -> int:
    ended = ended_by_signal()
    task = asyncio.create_task(_work_through(settings, files))
    either: set[asyncio.Future[Any]] = {task, ended}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    try:
        return await task  # it had just ended
    except asyncio.CancelledError:
        return EXIT_SIGNAL + ended.result()


class _Complaints:
    """The sink of a run: complains of the first troubles, and counts the others."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.untold = 0
        self._told = 0
        self._tell = tell

    def hear(self, event: Event) -> None:
        if not isinstance(event, Trouble):
            return
        if self._told == MAX_COMPLAINTS:
            self.untold += 1
        else:
            self._told += 1
            self._tell(complaint_of(event))


async def _work_through(settings: Settings, files: Opened) -> int:
    with shown_progress(beside_results=files.output.is_terminal) as display:
        complaints = _Complaints(display.tell)
        async with running_lists(settings, complaints.hear) as bulk:
            work = await _begin(bulk, files, display)
            delivery = Delivery(files.listing, _writer_of(files), files.output, bulk.jobs, work)
            parts = _Parts(settings, bulk, work, files, delivery, display)
            await _go_through(parts)
            account = await _account_of(parts)
        for line in _summary(account, delivery):
            display.tell(line)
        if complaints.untold:
            display.tell(f"ringback: {counted(complaints.untold, 'warning')} more not shown")
        if files.wish.page:
            write_page(files.wish.page, account)
    return 0


async def _begin(bulk: Bulk, files: Opened, display: Display) -> JobList:
    """Hold the list; a new one is written down. OUT is cleared only when it is ours to write."""
    try:
        digest = await digest_of(files.listing)
        if files.wish.again:
            await bulk.forget(digest)
        work = await bulk.open(digest, map(Task.parse, files.listing.addresses()))
    except asyncio.CancelledError:
        display.tell("ringback: interrupted before anybody was asked; run the same command again")
        raise
    if files.wish.force:
        files.output.begin_anew()
    return work


class _Parts(Record, frozen=True, gc=True):
    """All that has a part in a run."""

    settings: Settings
    bulk: Bulk
    work: JobList
    files: Opened
    delivery: Delivery
    display: Display


async def _go_through(parts: _Parts) -> None:
    """Ask and write until the list is at its end. Raises UsageError where it cannot be, and StoreError."""
    output, delivery = parts.files.output, parts.delivery
    try:
        await delivery.go_on()
        output.require_found()
        halted_by = await _ask_all(parts)
        await delivery.go_on()
    except asyncio.CancelledError:
        output.sync()
        parts.display.tell(_how_to_go_on(parts.settings, output, delivery))
        raise
    output.sync()
    if halted_by:
        raise _halted(halted_by)
    if not delivery.is_complete:
        raise StoreError("some answers could not be read", "run the same list with --again --force")


async def _account_of(parts: _Parts) -> Account:
    """What came of it."""
    source, table = parts.files.listing.source, parts.files.listing.table
    jobs, number = parts.bulk.jobs, parts.work.number
    return Account(
        name=Path(source.shown).name,
        out=parts.files.output.shown,
        rows=parts.delivery.rows,
        without_address=parts.delivery.without_address,
        ragged=table.ragged if table else 0,
        first_ragged=table.first_ragged if table else 0,
        begun_at=parts.work.made_at,
        ended_at=SystemClock().now(),
        tally=await jobs.tally(number),
        domains=await jobs.tally_domains(number, MAX_DOMAINS),
    )


def _writer_of(files: Opened) -> Writer:
    out = Path(files.wish.out)
    form = files.wish.to or form_by_suffix(out) or files.listing.form
    delimiter = "\t" if out.suffix.lower() == ".tsv" else ","
    return writer_of(files.listing, form, flag_lists(), delimiter)


async def _ask_all(parts: _Parts) -> Report | None:
    """Ask, write what is complete and show how far it is, until all are done or nobody may be called."""
    asking = asyncio.create_task(parts.bulk.run(parts.work))
    try:
        await _show_all(parts, asking)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return asking.result()


async def _show_all(parts: _Parts, asking: "asyncio.Task[Report | None]") -> None:
    clock = SystemClock()
    begun_s, done_before = clock.elapsed(), None
    while not asking.done():
        progress = parts.bulk.progress()
        done = progress.tally.total - progress.tally.waiting
        if progress.tally.total:  # else it still counts what is done
            done_before = done if done_before is None else done_before
            parts.display.show(Stand(progress, clock.elapsed() - begun_s, done - done_before))
        await parts.delivery.go_on()
        await asyncio.wait({asking}, timeout=NEWS_EVERY_S)


def _halted(report: Report) -> UsageError:
    remedy = BEHIND_GATE.get(report.gate) or WOULD_CHANGE[report.reason]
    return UsageError(
        f"nobody may be called: {report.rule}; what would change it: {remedy}; "
        "then run the same command again"
    )


def _how_to_go_on(settings: Settings, output: Output, delivery: Delivery) -> str:
    has = f"has the first {counted(delivery.rows, 'row')}" if output.is_empty else "is as it was"
    kept = "run the same command again to go on"
    if settings.store.sqlite_path is None:
        kept = f"nothing else is kept: store.url is {settings.store.url}"
    return f"ringback: interrupted; {output.shown} {has}; {kept}"


def _summary(account: Account, delivery: Delivery) -> Iterator[str]:
    """What came of it, where nobody takes it for a result."""
    counts = dict.fromkeys(Verdict, 0)
    for reason, count in account.tally.done.items():
        counts[VERDICT_OF[reason]] += count
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    addresses = counted(account.tally.total, "address", "es")
    yield f"ringback: {addresses}: {said}; see {account.out}"
    if delivery.problems:
        yield (
            f"ringback: {counted(delivery.problems, 'row')} without an address to ask, from line "
            f"{delivery.first_problem} on; they say why where a rule would stand"
        )
    if account.ragged:
        yield (
            f"ringback: {counted(account.ragged, 'row')} with more or fewer cells than the first, "
            f"from line {account.first_ragged} on; look whether their addresses were found"
        )
