"""Re-asks in the background what was answered from an ageing entry.

Not here: which entries those are (rules/freshness.py).
"""

import asyncio
from collections.abc import Awaitable, Callable

from ..values.events import Trouble
from ..values.query import Purpose, Query
from .ports import Sink

# More would only stand in line for the same budgets.
WORKERS = 4
# An address that finds the line full is told again by its next asker.
MAX_WAITING = 10_000


_Key = tuple[str, Purpose]


class Refresher:
    """A line of questions, each once, and a few workers that are there while there is work.

    What is being asked does not get into the line: no question can keep the workers busy with itself.
    """

    def __init__(self, refresh: Callable[[Query], Awaitable[None]], sink: Sink) -> None:
        self._refresh, self._sink = refresh, sink
        self._waiting: dict[_Key, Query] = {}  # in order of arrival
        self._asking: set[_Key] = set()
        self._workers: set[asyncio.Task[None]] = set()
        self._closed = False

    def tell_nowait(self, query: Query) -> None:
        """Have `query` asked again soon; not at all after `close`, when nobody would end it."""
        key = (query.address, query.purpose)
        if self._closed or len(self._waiting) >= MAX_WAITING or key in self._asking:
            return
        self._waiting.setdefault(key, query)
        if len(self._workers) < WORKERS:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._retire)

    async def close(self) -> None:
        """Forget the line, end the workers, and take nothing more."""
        self._closed = True
        self._waiting.clear()
        workers = set(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            self._asking.add(key)
            try:
                await self._refresh(self._waiting.pop(key))
            finally:
                self._asking.discard(key)

    def _retire(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()):
            self._sink(Trouble.of_bug("refresher", error))
