"""Two clocks for the lab: the wall's, and one that a test moves by hand.

Not here: the product's (net/clock.py).
"""

import asyncio
import time


class WallClock:
    """Time as it is."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds that nobody sets."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class HandClock:
    """Time that stands still until `advance`, so that no test waits for it."""

    def __init__(self, start_at: float = 1_800_000_000.0) -> None:
        self._now = start_at
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._asleep = asyncio.Condition()

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def elapsed(self) -> float:
        """Seconds since this clock was made; no `step` moves it."""
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        sleeper = (self._elapsed + seconds, woken)
        self._sleepers.append(sleeper)
        try:
            async with self._asleep:
                self._asleep.notify_all()
            await woken
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def advance(self, seconds: float) -> None:
        """Move on, and wake everyone whose time has come."""
        self._now += seconds
        self._elapsed += seconds
        due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._elapsed]
        for sleeper in due:
            self._sleepers.remove(sleeper)
            if not sleeper[1].done():
                sleeper[1].set_result(None)

    def step(self, seconds: float) -> None:
        """Somebody sets the time of day, forwards or back: nobody wakes."""
        self._now += seconds

    async def wait_asleep(self, count: int = 1) -> None:
        """Return when at least `count` tasks sleep on this clock."""
        async with self._asleep:
            await self._asleep.wait_for(lambda: len(self._sleepers) >= count)
