"""Rows go out in the order of the list, each as soon as all before it have. Not here: asking (engine/)."""

from collections.abc import Mapping, Sequence
from itertools import islice, takewhile

from ...engine.ports import Jobs
from ...values.job import JobList, Task
from ...values.query import Report
from .listing import Listing
from .output import Output
from .rows import Row
from .writing import Writer

# Rows looked up and written together: so many are done within some 20 ms, and others get their turn.
ROWS_AT_ONCE = 200


class Delivery:
    """How far the output of a list has come. `go_on` is called again whenever there may be news."""

    def __init__(
        self, listing: Listing, writer: Writer, output: Output, jobs: Jobs, work: JobList
    ) -> None:
        self.rows = 0  # that are written
        self.without_address = 0  # among them
        self.problems = 0  # rows that ought to have one
        self.first_problem = 0  # line of the first of them
        self.is_complete = False
        self._writer, self._output, self._jobs, self._work = writer, output, jobs, work
        self._source, self._rows = listing.source, listing.rows()
        self._held: list[Row] = []
        self._waits = False  # for the report of the first that is held
        self._has_head = False

    async def go_on(self) -> None:
        """Write what can be. Raises UsageError where the list or the output fail, and StoreError."""
        if not self._has_head:
            await self._output.write(self._writer.head())
            self._has_head = True
        while await self._write_some():
            pass

    async def _write_some(self) -> bool:
        """Say whether that helped."""
        self._held = self._held or self._read()
        # One that has to wait is looked for alone: it may take days, and most of the others wait, too.
        wanted = self._held[: 1 if self._waits else None]
        reports = await self._load(wanted)
        ready = list(takewhile(lambda row: not row.address or row.address in reports, wanted))
        await self._output.write(b"".join(self._octets(row, reports) for row in ready))
        self._count(ready)
        del self._held[: len(ready)]
        self._waits = len(ready) < len(wanted)
        self.is_complete = not wanted
        return bool(ready)

    def _read(self) -> list[Row]:
        """The next rows. Raises UsageError where they may be those of another list."""
        rows = list(islice(self._rows, ROWS_AT_ONCE))
        self._source.require_unchanged()
        return rows

    def _count(self, rows: Sequence[Row]) -> None:
        problems = [row.number for row in rows if row.problem]
        self.rows += len(rows)
        self.without_address += sum(not row.address for row in rows)
        self.problems += len(problems)
        self.first_problem = self.first_problem or next(iter(problems), 0)

    async def _load(self, rows: Sequence[Row]) -> Mapping[str, Report]:
        """The reports that there are, by address as the list has it."""
        tasks = {row.address: Task.parse(row.address) for row in rows if row.address}
        if not tasks:
            return {}
        reports = await self._jobs.load_reports(self._work.number, tuple(tasks.values()))
        return {text: reports[task.key] for text, task in tasks.items() if task.key in reports}

    def _octets(self, row: Row, reports: Mapping[str, Report]) -> bytes:
        report = reports.get(row.address) if row.address else None
        return self._writer.row(row, report and report.but(address=row.address))
