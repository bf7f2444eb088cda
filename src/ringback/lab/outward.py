"""Real work for those who live in virtual time, which stands still while it is done.

Two loops take turns in one thread: the one whose time jumps stops where somebody on it waits for the
outside, and an ordinary one runs until there is news. Not here: what the work is (kept_dns.py).
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from .sim import SimLoop

T = TypeVar("T")


class Outward:
    """Both loops. Used as a context, at whose end they are closed."""

    def __init__(self) -> None:
        self.loop = SimLoop(lambda: bool(self._works))
        self._outside = asyncio.new_event_loop()
        self._works: dict[asyncio.Task[Any], asyncio.Future[Any]] = {}  # and who waits for each
        self._interrupted: asyncio.Future[None] = self._outside.create_future()
        self._running: asyncio.Task[Any] | None = None

    def __enter__(self) -> "Outward":
        return self

    def __exit__(self, *_: object) -> None:
        works = set(self._works)
        self._works.clear()
        for loop in (self.loop, self._outside):
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            # And those that ended while nobody looked, or they would complain when they are collected.
            tasks |= {task for task in works if task.get_loop() is loop}
            loop.run_until_complete(_ended(tasks))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` in virtual time to its end; may be called again, and time goes on from there.

        Raises what `work` does, DeadlockError, and KeyboardInterrupt when all of it is cancelled.
        """
        self._running = task = self.loop.create_task(work)
        task.add_done_callback(self._stop)
        with self._cancelled_by_sigint(task):
            try:
                while not task.done():
                    self.loop.run_forever()
                    if self._works and not task.done():
                        news = _first_of([*self._works, self._interrupted])
                        self._outside.run_until_complete(news)
                        self._bring_news()
            finally:
                self._running = None
            return task.result()

    def ask(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Have `work` done outside; to be awaited in virtual time."""
        waiter: asyncio.Future[T] = self.loop.create_future()
        self._works[self._outside.create_task(work)] = waiter
        return waiter

    def outside(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work` outside while nothing runs in virtual time, as before and after `run`."""
        task = self._outside.create_task(work)
        with self._cancelled_by_sigint(task):
            return self._outside.run_until_complete(task)

    @contextmanager
    def _cancelled_by_sigint(self, task: asyncio.Task[Any]) -> Iterator[None]:
        """As asyncio.Runner has it: an exception in the midst of a loop would leave all others in pieces."""

        is_interrupted = False

        def cancel(*_: object) -> None:
            nonlocal is_interrupted
            is_interrupted = True
            task.cancel()
            self._outside.call_soon_threadsafe(self._interrupted.cancel)  # which wakes it

        before = signal.getsignal(signal.SIGINT)
        is_here = threading.current_thread() is threading.main_thread()
        if not is_here or before is not signal.default_int_handler:  # it is another's, or ignored
            yield
            return
        signal.signal(signal.SIGINT, cancel)
        try:
            yield
        except asyncio.CancelledError:
            if not is_interrupted:
                raise
        finally:
            signal.signal(signal.SIGINT, before)
        if is_interrupted:  # be it that the work was over by then
            raise KeyboardInterrupt

    def _stop(self, task: asyncio.Task[Any]) -> None:
        if task is self._running:  # else this comes when nobody waits for it any more
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


async def _first_of(works: Sequence[asyncio.Future[Any]]) -> None:
    await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
