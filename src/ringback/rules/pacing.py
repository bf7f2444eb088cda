"""Budgets: how often a host, a domain and the whole may be called. Pure: callers pass `now`.

GCRA (the leaky bucket of ATM, as one float a key): with a rate of N an hour and a burst of b, an
interval of T = 3600/(N−b) keeps any 60 minutes within N. Not here: remembering (engine/pacer.py).
"""

from dataclasses import dataclass

HOUR_S = 3_600.0
# One an hour leaves nothing to trickle: both ends of some hour would hold one, but for this.
ONE_AN_HOUR_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_hour` events in any 60 minutes, `burst` of them at once."""

    per_hour: int

    @property
    def burst(self) -> int:
        return max(1, self.per_hour // 4)

    @property
    def interval_s(self) -> float:
        steady = self.per_hour - self.burst
        return HOUR_S / steady if steady > 0 else HOUR_S + ONE_AN_HOUR_GAP_S

    def spend(self, full_at: float | None, now: float) -> float | None:
        """Take one event from the budget: return its new state, or None if it is used up.

        `full_at` is the state: the instant when the whole burst is there again; None for never used.
        """
        if self.per_hour <= 0:
            return None
        start = max(full_at if full_at is not None else now, now)
        after = start + self.interval_s
        # The tolerance forgives what adding floats loses, not an event.
        fits = after - now <= self.burst * self.interval_s + 1e-6
        return after if fits else None
