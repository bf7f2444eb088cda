"""Who is told of events, and when: of the everyday some at a time, after the answers they are about.

Told in a row they cost less, by a tenth of an answer from the cache: what a processor has just done it does
faster. And who waits for an answer does not wait for what is noted of it.
Not here: what the events are (values/events.py), and what becomes of them (log.py, metrics.py, recent.py).
"""

import asyncio

from ..engine.ports import Sink
from ..values.events import Event
from .log import EVERYDAY

# More would be told no cheaper, and keep the next answer waiting: these take some 50 µs.
TOGETHER = 8
# How long one may wait for others: sooner than anybody can ask for what was counted.
WITHIN_S = 0.001


class Telling:
    """Passes events on to all who hear them, in their order. `hear` is a sink."""

    def __init__(self, *hearers: Sink) -> None:
        self._hearers = hearers
        self._untold: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None

    def hear(self, event: Event) -> None:
        """Tell of an event and all before it; of the everyday when they are TOGETHER, or WITHIN_S old."""
        self._untold.append(event)
        if not isinstance(event, EVERYDAY):
            self._tell()
        elif len(self._untold) == TOGETHER:
            asyncio.get_running_loop().call_soon(self._tell)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WITHIN_S, self._tell)

    def _tell(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        untold, self._untold, self._timer = self._untold, [], None
        for event in untold:
            for hear in self._hearers:
                hear(event)
