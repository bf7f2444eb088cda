"""The budgets that were looked at last, so that a callout does not wait for the thread with each look.

Only looks are answered from here: what is spent is decided where all processes see it (budgets.py). What
another process has charged shows as soon as its facts do. Not here: the arithmetic (rules/pacing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..rules.pacing import Charge, Spent, is_used_up, spend_beyond
from .lru import Lru
from .recent import Loads

# Two for each domain and host that is called, some 400 bytes each.
MAX_LOOKS = 10_000


@dataclass(frozen=True, slots=True)
class Look:
    """The state of one budget; None: nothing is spent of it. `empty_since`: of all (rules/pacing.py)."""

    spent: Spent | None
    empty_since: float | None

    def shows_used_up(self, charge: Charge, elapsed: float) -> bool:
        return is_used_up(charge, self.spent, elapsed, self.empty_since)


class RecentBudgets:
    """None is older than what was charged here."""

    def __init__(self) -> None:
        self._looks: Lru[str, Look] = Lru(MAX_LOOKS)
        self._loads = Loads(self._looks.keep)
        self.loading = self._loads.begin

    def find(self, key: str) -> Look | None:
        return self._looks.find(key)

    def charge(self, charge: Charge, elapsed: float) -> None:
        """An event has happened: it counts before it is committed."""
        key = charge.key
        self._loads.strike(key)
        known = self._looks.find(key)
        if known is not None:
            spent = spend_beyond(charge, known.spent, elapsed, known.empty_since)
            self._looks.keep(key, Look(spent, known.empty_since))

    def forget(self, charges: Sequence[Charge]) -> None:
        """They are being spent: what comes of it, the next look tells."""
        keys = [charge.key for charge in charges]
        self._loads.strike(*keys)
        self._looks.drop(*keys)

    def clear(self) -> None:
        self._looks.clear()
        self._loads.clear()
