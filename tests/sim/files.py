"""An SQLite store for an engine on virtual time: for whoever asks, its threads take no time at all.

Not here: the store (store/sqlite.py).
"""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from inspect import iscoroutinefunction
from pathlib import Path
from threading import Thread
from typing import Any, cast

from ringback.engine.ports import Store
from ringback.lab.sim import SimClock
from ringback.store.sqlite import SqliteStore
from ringback.values.events import Event

DAY_S = 86_400.0
# Ends a test that hangs. Real seconds.
HANG_S = 60.0


class _Blocking:
    """A store in a thread with a loop of its own; each of its methods returns when it has ended there."""

    def __init__(self, path: Path, clock: SimClock, boot: str) -> None:
        self.told: list[Event] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._store = self._do(
            SqliteStore.open(
                path,
                memory_entries=100,
                audit_keep_s=DAY_S,
                sink=self.told.append,
                clock=clock.now,
                elapsed=clock.elapsed,
                boot=boot,
            )
        )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)
        if not iscoroutinefunction(method):
            return lambda *args: self._do(_as_coroutine(method, *args))

        async def wait(*args: object) -> Any:
            return self._do(method(*args))

        return wait

    async def close(self) -> None:
        self._do(self._store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(HANG_S)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(HANG_S)


async def _as_coroutine(method: Callable[..., None], *args: object) -> None:
    method(*args)


def open_file(path: Path, boot: str = "one run") -> Callable[[SimClock], Store]:
    """What opens the store of the file at `path`."""
    return lambda clock: cast(Store, _Blocking(path, clock, boot))


def copy_committed(path: Path, copy: Path) -> None:
    """What a kill leaves of a store: all that is committed, and nobody who took leave."""
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
