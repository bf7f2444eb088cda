"""Trouble that recurs with every message rests between two lines of the log, or nobody would read them.

What was kept back is told when its time is over, with the next event of any kind, and before a reload and the
end of the service. Not here: how long (rules/repeats.py), and counters, which count each (metrics.py).
"""

from collections.abc import Callable, Iterable

from ..engine.ports import Sink
from ..rules.repeats import Repeats, with_count
from ..values.events import Event, Lifecycle, Trouble
from ..values.record import Record
from ..values.text import printable

# Of each host told once a spell, in the host's own words: they would push out what recurs.
_ONCE_A_SPELL = frozenset({"breaker"})


class _Kind(Record, frozen=True):
    """What is the same trouble, and enough of it to tell it once more: what hosts say may be long."""

    mark: int
    shown: Trouble

    @classmethod
    def of(cls, trouble: Trouble) -> "_Kind":
        shown = trouble.but(what=printable(trouble.what), trace="")
        return cls(hash(trouble), shown)


class Resting:
    """Passes events on to `sink`, but the same trouble only once in a while. `hear` is a sink."""

    def __init__(self, sink: Sink, elapsed: Callable[[], float]) -> None:
        self._sink, self._elapsed = sink, elapsed
        self._repeats = Repeats[_Kind]()

    def hear(self, event: Event) -> None:
        """Pass an event on, or count it with the next of its kind."""
        told: Event | None = event
        if isinstance(event, Trouble) and event.where not in _ONCE_A_SPELL:
            told = self._note(event)
        if isinstance(event, Lifecycle):  # who reloads wants to hear what is still amiss
            self._tell_kept_back(self._repeats.take_all())
        elif self._repeats:
            self._tell_kept_back(self._repeats.take_over(self._elapsed()))
        if told is not None:
            self._sink(told)

    def _note(self, trouble: Trouble) -> Trouble | None:
        """What is told of it now."""
        kept_back = self._repeats.note(_Kind.of(trouble), self._elapsed())
        return None if kept_back is None else trouble.but(what=with_count(trouble.what, kept_back))

    def _tell_kept_back(self, kept_back: Iterable[tuple[_Kind, int]]) -> None:
        for kind, count in kept_back:
            # The line stands for one of them.
            self._sink(kind.shown.but(what=with_count(kind.shown.what, count - 1)))
