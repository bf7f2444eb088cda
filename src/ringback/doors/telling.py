"""Tells all who hear of events. One's bug is kept from the others, and from whoever has an event told.

Not here: what the events are (values/events.py), and what becomes of them (log.py, metrics.py, recent.py).
"""

from contextlib import suppress

from ..engine.ports import Sink
from ..values.events import Event, Trouble


class Telling:
    """Passes events on to all who hear them. `hear` is a sink."""

    def __init__(self, *hearers: Sink) -> None:
        self._hearers = hearers

    def hear(self, event: Event) -> None:
        """Tell all of an event."""
        for hear in self._hearers:
            try:
                hear(event)
            except Exception as error:  # a bug of ours must not cost the mail that it is told about
                self._tell_others(hear, Trouble.of_bug("events", error))

    def _tell_others(self, broken: Sink, trouble: Trouble) -> None:
        for hear in self._hearers:
            if hear is not broken:
                with suppress(Exception):  # told all it can be
                    hear(trouble)
