"""Trouble that recurs with every message rests between two lines of the log, or nobody would read them.

Not here: how long (rules/repeats.py), and counters, which count each (metrics.py).
"""

from collections.abc import Callable

from ..engine.ports import Sink
from ..rules.repeats import Repeats, with_count
from ..values.events import Event, Lifecycle, Trouble


class Resting:
    """Passes events on to `sink`, but the same trouble only once in a while. `hear` is a sink."""

    def __init__(self, sink: Sink, elapsed: Callable[[], float]) -> None:
        self._sink, self._elapsed = sink, elapsed
        self._repeats = Repeats()

    def hear(self, event: Event) -> None:
        """Pass an event on, or count it with the next of its kind."""
        if isinstance(event, Trouble):
            kept_back = self._repeats.note((event.where, event.what), self._elapsed())
            if kept_back is None:
                return
            event = event.but(what=with_count(event.what, kept_back))
        elif isinstance(event, Lifecycle):
            self._repeats = Repeats()  # who reloads wants to hear what is still amiss
        self._sink(event)
