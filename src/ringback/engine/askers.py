"""Who is inside an engine: an engine that a reload has replaced is closed when the last asker has left.

Not here: callouts, which go on when their askers have left (engine/verifier.py).
"""

import asyncio
from contextlib import suppress
from types import TracebackType


class Askers:
    """Counts those inside: `with askers: …` around each question, and for who waits `enter` and `leave`."""

    def __init__(self) -> None:
        self._inside = 0
        self._gone = asyncio.Event()
        self._gone.set()

    def enter(self) -> None:
        self._inside += 1
        self._gone.clear()

    def leave(self) -> None:
        self._inside -= 1
        if not self._inside:
            self._gone.set()

    def __enter__(self) -> None:
        self.enter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.leave()

    async def wait_gone(self, timeout_s: float) -> None:
        """Return when nobody is inside, or after `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                # Who goes from a gate to a callout leaves and enters in one moment.
                while self._inside:
                    await self._gone.wait()
