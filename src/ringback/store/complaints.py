"""Reports of a failing store, few enough to read. Not here: what went wrong (database.py)."""

from collections.abc import Callable

from ..rules.repeats import Repeats, with_count
from ..values.events import Event, Trouble


class Complaints:
    """Passes a complaint of each kind on, then holds further ones of that kind back for a while.

    To be called in the event loop's thread only, because the sink is.
    """

    def __init__(
        self, where: str, sink: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._where, self._sink, self._clock = where, sink, clock
        self._repeats = Repeats[str]()

    def report(self, kind: str, what: str, remedy: str) -> None:
        kept_back = self._repeats.note(kind, self._clock())
        if kept_back is not None:
            self._sink(Trouble(self._where, f"{kind}: {with_count(what, kept_back)}", remedy))
