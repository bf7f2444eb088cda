"""What a run of days sits out: a store that fails for a while, and a clock that is set back.

Not here: what is asked of the store (bulk.py), and what becomes of it there (store/).
"""

from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from ..errors import StoreError
from .ports import Clock

T = TypeVar("T")

# A backup, a migration or a full disk ends by then, or stays; to try again costs the store's own patience.
STORE_PATIENCE_S, STORE_REST_S = 300.0, 10.0
# Back by less than a list waits for anybody, a clock was not set: it is kept right.
MIN_STEP_S = 30.0


class Patience:
    """That of one run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boot_at = -inf  # now less elapsed, which only he moves who sets the clock

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what a store may fail at for a while. Raises StoreError when it has for long."""
        give_up_at = self._clock.elapsed() + STORE_PATIENCE_S
        while True:
            try:
                return await work()
            except StoreError:
                if self._clock.elapsed() >= give_up_at:
                    raise
            await self._clock.sleep(STORE_REST_S)

    def step_s(self) -> float:
        """By how much the clock was set back since the last look; 0 where it was not."""
        boot_at = self._clock.now() - self._clock.elapsed()
        step_s = self._boot_at - boot_at
        if 0 <= step_s < MIN_STEP_S:
            return 0.0
        self._boot_at = boot_at
        return max(0.0, step_s)
