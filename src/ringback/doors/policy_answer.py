"""An answer of the policy door that is being worked out: that of the strictest of a request's questions.

It is a task while the engine is at work, and none while a callout lets it wait: ten thousand may wait.
Not here: what is asked and what follows (doors/judging.py), in which order answers are written
(doors/policy_session.py).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from ..rules.actions import DUNNO, Action, Kind
from ..values.query import Query, Report
from ..wire.policy import encode
from .judging import Judge, Matter, Ruling, Waits


class PolicyAnswer:
    """`heed` is called when it is there, or will never be: `octets` tells."""

    __slots__ = ("_heed", "_judge", "_left", "_matter", "_task", "_told", "_waits")

    _matter: Matter  # of the first of those that are left
    _task: asyncio.Task[None] | None

    def __init__(self, judge: Judge, queries: Sequence[Query], heed: Callable[[], None]) -> None:
        self._judge, self._left, self._heed = judge, queries, heed
        self._told: Action = DUNNO
        self._waits: Waits | None = None
        self._begin(self._ask())

    @property
    def is_there(self) -> bool:
        return self._waits is None and (self._task is None or self._task.done())

    def octets(self) -> bytes:
        """Return it. Raises what went wrong with it, and CancelledError."""
        if self._task is not None:
            self._task.result()
        return encode(str(self._told))

    def cancel(self) -> None:
        """Nobody is there any more whom it could be told."""
        if self._waits is not None:
            self._waits.leave()
        elif self._task is not None:
            self._task.cancel()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(self._rest)

    def _rest(self, task: asyncio.Task[None]) -> None:
        if self._waits is None:
            self._heed()
        else:
            self._task = None

    async def _ask(self) -> None:
        """Ask what is left to ask, up to where a callout lets us wait."""
        while self._left:
            self._matter = self._judge.open(self._left[0])
            found = await self._judge.ask(self._matter)
            if found is None or isinstance(found, Report):
                await self._conclude(found)
            elif self._judge.wait(self._matter, found, self._go_on):
                self._waits = found
                return
            else:
                self._take(None)

    def _go_on(self) -> None:
        """The callout is over, or time is up."""
        found, self._waits = self._waits, None
        ruling = self._judge.conclude_nowait(self._matter, found) if found else None
        if ruling is None:
            self._begin(self._finish(found))
            return
        self._take(ruling)
        if self._left:
            self._begin(self._ask())
        else:
            self._heed()

    async def _finish(self, found: Report | Waits | None) -> None:
        await self._conclude(found)
        await self._ask()

    async def _conclude(self, found: Report | Waits | None) -> None:
        self._take(await self._judge.conclude(self._matter, found) if found else None)

    def _take(self, ruling: Ruling | None) -> None:
        """Of equals the first counts, which is the recipient's; who is refused for it raises no other."""
        action, told = self._judge.follows(self._matter.query, ruling)
        self._told = max(self._told, told, key=lambda action: action.strictness)
        self._left = () if action.kind is Kind.REFUSE else self._left[1:]
