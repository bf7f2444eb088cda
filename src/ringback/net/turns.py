"""Turns: so many connections are attended to in one pass of the event loop, who came first comes first.

A loop hands out all that has arrived in one pass. Who then asks just after it has looked waits for the whole
pass and, being the last in each, for all of the next: with 32 who ask without a pause it was always the same
one, and he waited twice as long as the others. So who finds others before him stands in line, and of those a
pass takes one round of turns: looked at more often, the loop brings the news in the order in which they came.
What the turns of a round lead to comes at its end: to wake a client costs more than to work an answer from
memory out, and a client of many connections who is woken by the first finds the others there.
Not here: what is done in a turn (doors/), and who has news (connection.py).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

# Nearly every turn is one answer from memory, of some 40 µs: so is nothing else kept waiting for more than a
# third of a millisecond, and looking costs a fraction of a microsecond each. With clients that do not wait
# for their answers it may be 5 ms: a turn is up to 16 of their requests (doors/policy_session.py).
PER_ROUND = 8


class Takes(Protocol):
    """Who takes turns."""

    def take_turn(self) -> None: ...


class Turns:
    """Of all connections of one listener."""

    def __init__(self) -> None:
        self._waiting: deque[Takes] = deque()
        self._left = PER_ROUND
        self._another_round_is_due = False
        self._under_way = False
        self._at_end: deque[Callable[[], None]] = deque()

    def ask_for(self, one: Takes) -> None:
        """Have `one` take its turn, which it asks for once: at once, as a round by itself, or in line.

        Turns are counted only while there is a line, so that one in eight stands there even where he comes
        alone. To count them always, or to let those of one pass share its end, would take another pass: 3 µs
        more for an answer from memory of a client alone; and many gain nothing by it, for most are in line.
        """
        if self._left:
            self._left -= 1
            self._under_way = True
            try:
                one.take_turn()
            finally:
                self._end()
        else:
            self.queue(one)

    def queue(self, one: Takes) -> None:
        """Have `one` take another turn, after all who wait, and in another round."""
        self._waiting.append(one)
        self._have_another_round()

    def at_end(self, act: Callable[[], None]) -> None:
        """Have `act` called at the end of the round, in the order of asking; at once where there is none.

        What is asked for there comes after all that was asked for before.
        """
        if self._under_way:
            self._at_end.append(act)
        else:
            act()

    def _have_another_round(self) -> None:
        if not self._another_round_is_due:
            self._another_round_is_due = True
            asyncio.get_running_loop().call_soon(self._begin_round)

    def _begin_round(self) -> None:
        turns = min(PER_ROUND, len(self._waiting))
        self._left, self._another_round_is_due = PER_ROUND - turns, False
        self._under_way = True
        try:
            for _ in range(turns):
                self._waiting.popleft().take_turn()
        finally:  # a bug in one turn is none of the others'
            if self._waiting:
                self._have_another_round()
            self._end()

    def _end(self) -> None:
        try:
            while self._at_end:
                self._at_end.popleft()()
        finally:  # nor is one in what a turn led to
            self._under_way = bool(self._at_end)
            if self._under_way:
                asyncio.get_running_loop().call_soon(self._end)
