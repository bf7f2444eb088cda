"""When domains may knock again that found a budget used up: one after the other, as it fills.

Instants are those of Clock.elapsed(), which budgets go by too.
Not here: the budgets themselves, which have the last word (engine/ledger.py).
"""

from ..rules.lists import Wait

# Holders of budgets that somebody waits for, some 200 bytes each. The one whose turns end first is
# forgotten: who asks there again too early is told so once more.
MAX_HOLDERS = 10_000


class Appointments:
    """The turns that have been given, all of one run."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}  # elapsed, by holder

    def book_s(self, wait: Wait, elapsed: float) -> float:
        """How long it is until the next turn that nobody has."""
        at = max(self._last.pop(wait.holder, elapsed), elapsed) + wait.spacing_s
        if len(self._last) >= MAX_HOLDERS:
            del self._last[min(self._last, key=self._last.__getitem__)]
        self._last[wait.holder] = at
        return at - elapsed

    def last_s(self, elapsed: float) -> float:
        """How long it is until the last of them."""
        return max(0.0, max(self._last.values(), default=elapsed) - elapsed)
