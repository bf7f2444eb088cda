"""Real work for those who live in virtual time, which stands still while it is done.

Two loops take turns in one thread: the one whose time jumps stops where somebody on it waits for the
outside, and an ordinary one runs until there is news. Not here: what the work is (kept_dns.py).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .sim import SimLoop

T = TypeVar("T")


class Outward:
    """Both loops. Used as a context, at whose end they are closed."""

    def __init__(self) -> None:
        self.loop = SimLoop(lambda: bool(self._works))
        self._outside = asyncio.new_event_loop()
        self._works: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}  # and who waits for each

    def __enter__(self) -> "Outward":
        return self

    def __exit__(self, *_: object) -> None:
        for loop in (self.loop, self._outside):
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            self._works.clear()
            loop.run_until_complete(_ended(tasks))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in virtual time to its end. Raises what it does, and DeadlockError."""
        task = self.loop.create_task(work)
        task.add_done_callback(self._stop)
        try:
            while not task.done():
                self.loop.run_forever()
                if self._works and not task.done():
                    self._outside.run_until_complete(_first_of(self._works))
                    self._bring_news()
        finally:
            task.remove_done_callback(self._stop)
        return task.result()

    def ask(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Have `work` done outside; to be awaited in virtual time."""
        waiter: asyncio.Future[T] = self.loop.create_future()
        self._works[self._outside.create_task(work)] = waiter
        return waiter

    def outside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` outside while nothing runs in virtual time, as before and after `run`."""
        return self._outside.run_until_complete(work)

    def _stop(self, _: asyncio.Task[Any]) -> None:
        self.loop.stop()

    def _bring_news(self) -> None:
        for task in [task for task in self._works if task.done()]:
            waiter = self._works.pop(task)
            if waiter.done():  # who waited has given up
                continue
            if error := task.exception():
                waiter.set_exception(error)
            else:
                waiter.set_result(task.result())


async def _first_of(works: dict[asyncio.Task[Any], asyncio.Future[Any]]) -> None:
    await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
