"""What is told again and again is told once in a while, with how often meanwhile. Pure: callers pass `now`.

Not here: what is told, and to whom (store/complaints.py, doors/resting.py).
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

# A store that is gone fails for every message that arrives; one line a minute says it as well.
REPEAT_AFTER_S = 60.0
# Things to tell of one by one. Beyond that one that did not recur may come again early; where all of them
# do, the count of the one told longest ago is lost.
MAX_KINDS = 100

Kind = TypeVar("Kind", bound=Hashable)


@dataclass(slots=True)
class _Silence:
    since_at: float
    kept_back: int = 0

    def lasts(self, now: float) -> bool:
        # A clock that stepped back must not silence us until it has caught up.
        return 0 <= now - self.since_at < REPEAT_AFTER_S


class Repeats(Generic[Kind]):
    """Remembers of each kind when it was told last. False while nothing rests."""

    def __init__(self) -> None:
        self._silences: dict[Kind, _Silence] = {}  # in the order in which they were told

    def __bool__(self) -> bool:
        return bool(self._silences)

    def note(self, kind: Kind, now: float) -> int | None:
        """How many were kept back since the last that was told; None if this one is to be, too."""
        silence = self._silences.get(kind)
        if silence is not None and silence.lasts(now):
            silence.kept_back += 1
            return None
        self._silences.pop(kind, None)
        if len(self._silences) == MAX_KINDS:
            self._let_one_go()
        self._silences[kind] = _Silence(now)
        return silence.kept_back if silence else 0

    def take_over(self, now: float) -> Iterator[tuple[Kind, int]]:
        """What was kept back of each kind whose while is over: it is told now, and rests anew."""
        while (first := next(iter(self._silences.items()), None)) and not first[1].lasts(now):
            kind, silence = first
            del self._silences[kind]
            if silence.kept_back:
                self._silences[kind] = _Silence(now)
                yield kind, silence.kept_back

    def take_all(self) -> Iterator[tuple[Kind, int]]:
        """What was kept back of each kind. All are told from now on as if for the first time."""
        silences, self._silences = self._silences, {}
        for kind, silence in silences.items():
            if silence.kept_back:
                yield kind, silence.kept_back

    def _let_one_go(self) -> None:
        silences = self._silences
        first = next(iter(silences))
        del silences[next((kind for kind, one in silences.items() if not one.kept_back), first)]


def with_count(what: str, kept_back: int) -> str:
    """What is told, and that there was more of it."""
    return f"{what} (and {kept_back} more like it since the last report)" if kept_back else what
