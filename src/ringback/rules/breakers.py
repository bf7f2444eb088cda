"""Breakers: how long a host that refused us is left alone, and how it is tried again. Pure.

A breaker is a fact REFUSES_US, so that it outlasts a restart: open for its pause, then half-open, when
one callout at a time tries the host. A refusal opens it again, for twice as long; a conversation without
one closes it. Closed, it stays a fact of no strikes for the rest of the day: weak words of a host that
refused us are not believed (evidence.md section 3).

The clock may be set. Forwards, a pause ends early, and one trial at a time goes through; back, a pause
may last up to twice as long. Budgets go by another clock, and hold whatever this one says.
Not here: which refusals count (rules/lessons.py).
"""

from collections.abc import Sequence
from enum import Enum

from ..values.evidence import Exchange
from ..values.facts import Fact, HostFact

# A host that refused us is not called for an hour, then for two, and so on up to a day.
REFUSAL_PAUSE_S = 3_600.0
MAX_PAUSE_S = 86_400.0
MAX_DOUBLINGS = 5  # what takes an hour past a day
# Weak words are not believed for a day after a refusal of us.
REFUSAL_COUNTS_S = 86_400.0
# Of a host that nobody has tried again for a week, the strikes are forgotten.
STRIKES_KEPT_S = 7 * 86_400.0


class State(Enum):
    OPEN = "open"  # nobody is called
    HALF_OPEN = "half_open"  # one trial at a time
    CLOSED = "closed"


def pause_s(strikes: int) -> float:
    """How long the breaker stays open after so many refusals in a row."""
    return min(REFUSAL_PAUSE_S * 2.0 ** min(strikes - 1, MAX_DOUBLINGS), MAX_PAUSE_S)


def state_of(fact: Fact, now: float) -> State:
    if fact.strikes < 1:
        return State.CLOSED
    # Noted ahead of the clock, it was noted before somebody set that back: as long ago, at most.
    rests = abs(now - fact.noted_at) < pause_s(fact.strikes)
    return State.OPEN if rests else State.HALF_OPEN


def strike(subject: str, known: Fact | None, shown: Sequence[Exchange], now: float) -> Fact | None:
    """The breaker after one more refusal of us; None where it is open, and all that is known."""
    strikes = 0
    if known is not None and now < known.expires_at:
        if state_of(known, now) is State.OPEN:
            return None  # of a conversation that had begun before
        strikes = known.strikes
    expires_at = now + STRIKES_KEPT_S
    return Fact(subject, HostFact.REFUSES_US, now, expires_at, tuple(shown), strikes=strikes + 1)


def close(known: Fact, now: float) -> Fact | None:
    """The breaker after a trial without refusal; None where nothing needs to be kept of it."""
    if not 0 <= now - known.noted_at < REFUSAL_COUNTS_S:
        return None
    return known.but(strikes=0, expires_at=known.noted_at + REFUSAL_COUNTS_S)
