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
from ...errors import ConfigError, UsageError
from ...net.clock import SystemClock
from ...values.events import Event, Trouble
from ...values.job import JobList, Task
from ...values.query import Report
from ...values.settings import Settings
from ...values.verdict import VERDICT_OF, Verdict
from ..configuration import Loaded
from ..lists.delivery import Delivery
from ..lists.listing import form_by_suffix
from ..lists.opening import Opened, Wish, digest_of, opened, opened_list
from ..lists.page import MAX_DOMAINS, Account, write_page
from ..lists.writing import Writer, writer_of
from ..words import BEHIND_GATE, WOULD_CHANGE
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
    with opened(wish) as files:
        return asyncio.run(_until_signal(with_store(loaded), files))


def forget(loaded: Loaded, wish: Wish) -> None:
    """Drop what is kept of a list. Raises RingbackError, OSError."""
    with opened_list(wish) as listing:
        digest = digest_of(listing)
    asyncio.run(_forget_alone(with_store(loaded), digest))
    click.echo("ringback: nothing of this list is kept any more", err=True)


async def _forget_alone(settings: Settings, digest: str) -> None:
    async with running_lists(settings, complain_of) as bulk:
        await _forget(bulk, digest)


def _require_consent(loaded: Loaded) -> None:
    if not loaded.settings.bulk.consent:
        raise ConfigError(
            loaded.file or "configuration",
            "bulk.consent",
            "it is not given, and nobody may be called who has not agreed to be on a list",
            "if all on yours have, write consent = true under [bulk]",
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
        self.untold = -MAX_COMPLAINTS
        self._tell = tell

    def hear(self, event: Event) -> None:
        if isinstance(event, Trouble):
            self.untold += 1
            if self.untold <= 0:
                self._tell(complaint_of(event))


async def _work_through(settings: Settings, files: Opened) -> int:
    with shown_progress() as display:
        complaints = _Complaints(display.tell)
        async with running_lists(settings, complaints.hear) as bulk:
            account = await _account_of(bulk, files, display, settings)
        if files.wish.page:
            write_page(files.wish.page, account)
        for line in _summary(account):
            display.tell(line)
        if complaints.untold > 0:
            display.tell(f"ringback: {_count(complaints.untold, 'warning')} more not shown")
    return 0


async def _account_of(bulk: Bulk, files: Opened, display: Display, settings: Settings) -> Account:
    """Work through the list, and say what came of it."""
    try:
        work = await _begin(bulk, files)
    except asyncio.CancelledError:
        display.tell("ringback: interrupted before anybody was asked; run the same command again")
        raise
    delivery = Delivery(files.listing, _writer_of(files), files.output, bulk.jobs, work)
    await delivery.go_on()
    files.output.require_found()
    try:
        halted_by = await _ask_all(bulk, work, delivery, display)
    except asyncio.CancelledError:
        await _leave(files, delivery)
        display.tell(_how_to_go_on(settings, files, delivery))
        raise
    await _leave(files, delivery)
    if halted_by:
        raise _halted(halted_by)
    table = files.listing.table
    return Account(
        name=Path(files.listing.source.shown).name,
        out=files.output.shown,
        rows=delivery.rows,
        without_address=delivery.without_address,
        ragged=table.ragged if table else 0,
        first_ragged=table.first_ragged if table else 0,
        begun_at=work.made_at,
        ended_at=SystemClock().now(),
        tally=await bulk.jobs.tally(work.number),
        domains=await bulk.jobs.tally_domains(work.number, MAX_DOMAINS),
    )


async def _begin(bulk: Bulk, files: Opened) -> JobList:
    """Hold the list; a new one is written down. OUT is cleared only when it is ours to write."""
    digest = digest_of(files.listing)
    if files.wish.again:
        await _forget(bulk, digest)
    work = await bulk.open(digest, map(Task.parse, files.listing.addresses()))
    if files.wish.force:
        files.output.begin_anew()
    return work


async def _forget(bulk: Bulk, digest: str) -> None:
    work = await bulk.open(digest, ())
    await bulk.close(work)
    await bulk.forget(work)


def _writer_of(files: Opened) -> Writer:
    out = Path(files.wish.out)
    form = files.wish.to or form_by_suffix(out) or files.listing.form
    delimiter = "\t" if out.suffix.lower() == ".tsv" else ","
    return writer_of(files.listing, form, flag_lists(), delimiter)


async def _ask_all(
    bulk: Bulk, work: JobList, delivery: Delivery, display: Display
) -> Report | None:
    """Ask, write what is complete and show how far it is, until all are done or nobody may be called."""
    asking = asyncio.create_task(bulk.run(work))
    try:
        await _show_all(bulk, asking, delivery, display)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return asking.result()


async def _show_all(
    bulk: Bulk, asking: "asyncio.Task[Report | None]", delivery: Delivery, display: Display
) -> None:
    clock = SystemClock()
    begun_s, done_before = clock.elapsed(), None
    while not asking.done():
        progress = bulk.progress()
        done = progress.tally.total - progress.tally.waiting
        if progress.tally.total:  # else it still counts what is done
            done_before = done if done_before is None else done_before
            display.show(Stand(progress, clock.elapsed() - begun_s, done - done_before))
        await delivery.go_on()
        await asyncio.wait({asking}, timeout=NEWS_EVERY_S)


async def _leave(files: Opened, delivery: Delivery) -> None:
    """Write what is complete by now."""
    await delivery.go_on()
    files.output.sync()


def _halted(report: Report) -> UsageError:
    remedy = BEHIND_GATE.get(report.gate) or WOULD_CHANGE[report.reason]
    return UsageError(
        f"nobody may be called: {report.rule}; what would change it: {remedy}; "
        "then run the same command again"
    )


def _how_to_go_on(settings: Settings, files: Opened, delivery: Delivery) -> str:
    kept = "run the same command again to go on"
    if settings.store.sqlite_path is None:
        kept = f"nothing else is kept: store.url is {settings.store.url}"
    rows = _count(delivery.rows, "row")
    return f"ringback: interrupted; {files.output.shown} has the first {rows}; {kept}"


def _summary(account: Account) -> Iterator[str]:
    """What came of it, where nobody takes it for a result."""
    counts = dict.fromkeys(Verdict, 0)
    for reason, count in account.tally.done.items():
        counts[VERDICT_OF[reason]] += count
    said = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.items())
    addresses = _count(account.tally.total, "address", "es")
    yield f"ringback: {addresses}: {said}; see {account.out}"
    if account.ragged:
        yield (
            f"ringback: {_count(account.ragged, 'row')} with more or fewer cells than the first, "
            f"from line {account.first_ragged} on; look whether their addresses were found"
        )


def _count(count: int, what: str, end: str = "s") -> str:
    return f"{count:,} {what}{'' if count == 1 else end}"
