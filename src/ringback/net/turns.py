"""Turns: so many connections are attended to in one round of the event loop, who came first comes first.

A loop hands out all that has arrived in one go. Who then asks just after the loop has looked waits for the
whole round and, being the last in each, for all of the next: with 32 who ask without a pause it was always
the same one, and he waited twice as long as the others. Looked at more often, the loop brings the news in
the order in which they came.
Not here: what is done in a turn (doors/), and who has news (connection.py).
"""

import asyncio
from collections import deque
from typing import Protocol

# Answers from memory take some 60 µs each: so is nothing else kept waiting for more than half a
# millisecond, and looking costs a fraction of a microsecond each.
PER_ROUND = 8


class Takes(Protocol):
    """Who takes turns."""

    def take_turn(self) -> None: ...


class Turns:
    """Of all connections of one listener."""

    def __init__(self) -> None:
        self._waiting: deque[Takes] = deque()
        self._left = PER_ROUND

    def ask_for(self, one: Takes) -> None:
        """Have `one` take its turn, at once if nobody waits; it asks once for each turn."""
        if self._left:
            self._left -= 1
            one.take_turn()
            return
        if not self._waiting:
            self._go_on_soon()
        self._waiting.append(one)

    def _go_on_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        try:
            for _ in range(min(PER_ROUND, len(self._waiting))):
                self._waiting.popleft().take_turn()
        finally:  # a bug in one turn is none of the others'
            if self._waiting:
                self._go_on_soon()
            else:
                self._left = PER_ROUND
