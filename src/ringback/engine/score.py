"""How far a run through a list has come, counted as it goes: to ask the store each time would cost a search.

Not here: what is counted (engine/bulk.py), and how long the rest takes (rules/lists.py).
"""

from collections import Counter

from ..rules.lists import Pace
from ..values.job import Job, Tally
from ..values.query import Report
from ..values.verdict import Reason
from .ports import Jobs


class Score:
    """That of one run, whose list former runs may have begun."""

    def __init__(self, jobs: Jobs, number: int) -> None:
        self._jobs, self._number = jobs, number
        self._waiting, self._callouts, self._done_before = 0, 0, 0
        self._done: Counter[Reason] = Counter()
        self._largest, self._of_largest, self._spacing_s = "", 0, 0.0

    @property
    def tally(self) -> Tally:
        return Tally(self._waiting, dict(self._done), self._callouts)

    def pace(self, took_s: float, booked_s: float) -> Pace:
        done = self._done.total() - self._done_before
        bound_s = self._of_largest * self._spacing_s
        return Pace(self._waiting, done, took_s, bound_s, booked_s)

    async def count(self) -> None:
        """Take stock: what waits, and what is done. Raises StoreError."""
        tally = await self._jobs.tally(self._number)
        self._waiting, self._callouts = tally.waiting, tally.callouts
        self._done = Counter(tally.done)

    async def begin(self) -> None:
        """The same, before the first answer. Raises StoreError."""
        await self.count()
        self._done_before = self._done.total()
        for largest in await self._jobs.tally_domains(self._number, 1):
            self._largest, self._of_largest = largest.domain, largest.waiting

    def note_done(self, job: Job, report: Report) -> None:
        self._waiting -= 1
        self._of_largest -= job.domain == self._largest
        self._callouts += report.callouts
        self._done[report.reason] += 1

    def note_later(self, report: Report) -> None:
        """It has cost something, and was not the last word."""
        self._callouts += report.callouts

    def note_bound(self, domain: str, spacing_s: float) -> None:
        """In that domain, there is room for another address each `spacing_s`."""
        if domain == self._largest:
            self._spacing_s = spacing_s
