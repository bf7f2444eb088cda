"""Budgets: how often a host, a domain and the whole may be called. Pure: callers pass `now`.

GCRA (the leaky bucket of ATM, as one float a key): with a rate of N an hour and a burst of b, an
interval of T = 3600/(N−b) keeps any 60 minutes within N. `now` is of a clock that is never set.
Not here: remembering (store/), and what a callout is charged to (rules/burden.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..values.record import Record

HOUR_S = 3_600.0
# One an hour leaves nothing to trickle: both ends of some hour would hold one, but for this.
ONE_A_WINDOW_GAP_S = 1.0


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `number` events in any `window_s`, `burst` of them at once."""

    number: int
    window_s: float = HOUR_S
    burst: int = field(init=False, compare=False, repr=False)
    interval_s: float = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Rates are few, and both are asked for some forty times a callout.
        burst = max(1, self.number // 4)
        steady = self.number - burst
        interval_s = self.window_s / steady if steady > 0 else self.window_s + ONE_A_WINDOW_GAP_S
        object.__setattr__(self, "burst", burst)
        object.__setattr__(self, "interval_s", interval_s)

    def spend(self, full_at: float | None, now: float) -> float | None:
        """Take one event from the budget: return its new state, or None if it is used up.

        `full_at` is the state: the instant when the whole burst is there again; None for never used.
        """
        if self.number <= 0:
            return None
        start = max(full_at if full_at is not None else now, now)
        after = start + self.interval_s
        # The tolerance forgives what adding floats loses, not an event.
        fits = after - now <= self.burst * self.interval_s + 1e-6
        return after if fits else None


class Spent(Record, frozen=True):
    """The state of one budget."""

    full_at: float  # when the whole burst is there again
    interval_s: float  # of the rate it was charged by


class Charge(Record, frozen=True):
    """One event, and the budget that it falls under."""

    key: str
    rate: Rate
    name: str  # for people: "connections to this host"
    # Whether its burst starts empty after an unclean stop, when nobody knows what was spent.
    starts_empty: bool = True


def spend_all(
    charges: Iterable[Charge],
    states: Mapping[str, Spent | None],
    now: float,
    empty_since: float | None,
) -> dict[str, Spent] | Charge:
    """Take one event from each budget, or from none.

    Returns the new states by key, or the charge whose budget is used up. `empty_since`: when bursts
    started empty, after an unclean stop; None if they did not.
    """
    afters: dict[str, Spent] = {}
    for charge in charges:
        state = _state(charge, states.get(charge.key), now, empty_since)
        full_at = charge.rate.spend(state, now)
        if full_at is None:
            return charge
        afters[charge.key] = Spent(full_at, charge.rate.interval_s)
    return afters


def spend_beyond(
    charge: Charge, state: Spent | None, now: float, empty_since: float | None
) -> Spent:
    """Take one event that has happened already, even beyond the budget."""
    full_at = _state(charge, state, now, empty_since)
    interval_s = charge.rate.interval_s
    return Spent(max(now if full_at is None else full_at, now) + interval_s, interval_s)


def is_used_up(charge: Charge, state: Spent | None, now: float, empty_since: float | None) -> bool:
    return charge.rate.spend(_state(charge, state, now, empty_since), now) is None


def _state(
    charge: Charge, spent: Spent | None, now: float, empty_since: float | None
) -> float | None:
    """When the budget is whole again. Charged by another rate, as many events stay charged."""
    most_s = charge.rate.burst * charge.rate.interval_s
    full_at = None
    if spent is not None and spent.interval_s == charge.rate.interval_s:
        full_at = spent.full_at
    elif spent is not None and spent.full_at > now:  # of another rate; none beyond one used up
        scale = charge.rate.interval_s / spent.interval_s
        full_at = now + min((spent.full_at - now) * scale, most_s)
    if empty_since is None or not charge.starts_empty:
        return full_at
    return max(full_at or 0.0, empty_since + most_s)
