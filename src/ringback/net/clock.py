"""The clock of the running system: the one module that reads one. Not here: what time means (rules/)."""

import asyncio
import time
from typing import Protocol


def elapsed() -> float:
    """Seconds since an unnamed moment; unlike `now`, it never jumps when somebody sets the time."""
    return time.monotonic()


class TellsTime(Protocol):
    """What the rest of net/ needs of a clock."""

    def now(self) -> float: ...


class SystemClock:
    """The Clock of engine/ports.py."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
