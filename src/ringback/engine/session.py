"""One connection that callouts share, and each that takes part in it or waits for it.

Not here: which connections there are (engine/sessions.py), what is said in them (engine/chain.py).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from math import inf

from .visit import Visit

NONE: frozenset[str] = frozenset()  # one for all who control nothing


@dataclass(slots=True, eq=False)
class Guest:
    """A visit in a session, or waiting for one; `ended` when it is over."""

    visit: Visit
    ended: asyncio.Future[None]
    give_up: Callable[["Guest"], None]  # what is done where its callout has no time left
    due_at: float = inf  # when that is, by the loop's clock, while it waits
    goes_first: bool = False  # a session broke off before its turn: the next one is its own
    session: "Session | None" = None  # the last that it took part in

    @property
    def is_gone(self) -> bool:
        return self.ended.done()

    def settle(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def lose_patience(self) -> None:
        if self.due_at < inf:  # or its turn has come in the same moment
            self.give_up(self)


@dataclass(slots=True, eq=False)
class Session:
    """The task of its only guest holds it; or one of its own, so that nobody who leaves takes it along."""

    task: asyncio.Task[None] = field(init=False)
    guests: Sequence[Guest] = ()
    controlled: frozenset[str] = NONE  # domains whose control it asks for
    allowed: int | None = 0  # recipients that the host may refuse in it; None: any number

    def begin(self, holding: Coroutine[None, None, None]) -> None:
        self.task = asyncio.create_task(holding, name="session")
        self.task.add_done_callback(self._end)

    def cancel(self) -> None:
        self.task.cancel()

    async def leave(self) -> None:
        """Go without the answer: the session goes on for the others, and ends if there are none."""
        if all(guest.is_gone for guest in self.guests):
            self.task.cancel()
            await asyncio.wait({self.task})

    def _end(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for a session that has broken off; why, all of its callouts tell."""
        guests, self.guests = self.guests, ()
        for guest in guests:
            if guest.is_gone:
                continue
            if task.cancelled():
                guest.ended.cancel()
            elif error := task.exception():
                guest.ended.set_exception(error)
