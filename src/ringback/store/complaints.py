"""Reports of a failing store, few enough to read. Not here: what went wrong (database.py)."""

from collections.abc import Callable
from dataclasses import dataclass

from ..values.events import Event, Trouble

# A store that is gone fails for every message that arrives; one line a minute says it as well.
REPEAT_AFTER_S = 60.0


@dataclass(slots=True)
class _Silence:
    since_at: float
    kept_back: int = 0


class Complaints:
    """Passes a complaint of each kind on, then holds further ones of that kind back for a while.

    To be called in the event loop's thread only, because the sink is.
    """

    def __init__(
        self, where: str, sink: Callable[[Event], None], clock: Callable[[], float]
    ) -> None:
        self._where, self._sink, self._clock = where, sink, clock
        self._silences: dict[str, _Silence] = {}  # by kind

    def report(self, kind: str, what: str, remedy: str) -> None:
        now = self._clock()
        silence = self._silences.get(kind)
        # A clock that stepped back must not silence us until it has caught up.
        if silence is not None and 0 <= now - silence.since_at < REPEAT_AFTER_S:
            silence.kept_back += 1
            return
        if silence is not None and silence.kept_back:
            what = f"{what} (and {silence.kept_back} more like it since the last report)"
        self._silences[kind] = _Silence(now)
        self._sink(Trouble(self._where, f"{kind}: {what}", remedy))
