"""What is told again and again is told once in a while, with how often meanwhile. Pure: callers pass `now`.

Not here: what is told, and to whom (store/complaints.py, doors/resting.py).
"""

from dataclasses import dataclass

# A store that is gone fails for every message that arrives; one line a minute says it as well.
REPEAT_AFTER_S = 60.0
# Things to tell of one by one. Beyond that the one told longest ago may come again early.
MAX_KINDS = 100


@dataclass(slots=True)
class _Silence:
    since_at: float
    kept_back: int = 0


class Repeats:
    """Remembers of each kind when it was told last."""

    def __init__(self) -> None:
        self._silences: dict[object, _Silence] = {}  # by kind, in the order in which they were told

    def note(self, kind: object, now: float) -> int | None:
        """How many were kept back since the last that was told; None if this one is to be, too."""
        silence = self._silences.get(kind)
        # A clock that stepped back must not silence us until it has caught up.
        if silence is not None and 0 <= now - silence.since_at < REPEAT_AFTER_S:
            silence.kept_back += 1
            return None
        self._silences.pop(kind, None)
        if len(self._silences) == MAX_KINDS:
            del self._silences[next(iter(self._silences))]
        self._silences[kind] = _Silence(now)
        return silence.kept_back if silence else 0


def with_count(what: str, kept_back: int) -> str:
    """What is told, and that there was more of it."""
    return f"{what} (and {kept_back} more like it since the last report)" if kept_back else what
