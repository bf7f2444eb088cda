"""What shows that a host tells mailboxes apart, and how long the control rests where nothing did. Pure.

Some hosts take one recipient a session, or defer whom they do not know. To ask them for the control with
each new address would bother them for nothing; what they said last stands in for its answer meanwhile.
Not here: what the control is (rules/plan.py), and what follows from its answer (rules/conclude.py).
"""

from ..values.evidence import Exchange, Meaning
from ..values.facts import Fact, HostFact
from .outcomes import is_permanent

# Past the trouble of a moment, and before an unknown verdict is asked again (cache.unknown).
FIRST_REST_S = 300.0
MAX_REST_S = 6 * 3_600.0
MAX_DOUBLINGS = 7  # what takes five minutes past six hours
# After a day without an attempt, the next one is the first again.
KEPT_S = 86_400.0

# A control refused with one of these was refused for its own sake, not for ours.
_REFUSED_FOR_ITSELF = frozenset(
    {
        Meaning.UNKNOWN_USER,
        Meaning.DISABLED_USER,
        Meaning.MOVED,
        Meaning.UNKNOWN_DOMAIN,  # some hosts deny relaying for whom they do not know
        Meaning.UNCLEAR,  # the real one was accepted a moment ago, so the words do not matter
    }
)


def rest_s(attempts: int) -> float:
    """How long the control rests after so many attempts in a row that settled nothing.

    What got lost in one session may be settled in the next: the first does not count.
    """
    doublings = min(attempts - 2, MAX_DOUBLINGS)
    return min(FIRST_REST_S * 2.0**doublings, MAX_REST_S) if attempts > 1 else 0.0


def rests(fact: Fact, now: float) -> bool:
    return 0 <= now - fact.noted_at < rest_s(fact.strikes)


def shows_contrast(control: Exchange) -> bool:
    """True for a permanent refusal of the control for its own sake."""
    # 5.7.x without words that a rule reads is a policy, and may be about us.
    policy = control.meaning is Meaning.UNCLEAR and (control.enhanced or "").startswith("5.7.")
    return is_permanent(control) and control.meaning in _REFUSED_FOR_ITSELF and not policy


def is_settling(answer: Exchange) -> bool:
    """True where the control's answer says whether the host tells mailboxes apart."""
    return answer.meaning is Meaning.ACCEPTED or shows_contrast(answer)


def note(subject: str, known: Fact | None, shown: Exchange, now: float) -> Fact:
    """What to remember of an attempt that settled nothing; `known` is what was."""
    attempts = known.strikes if known is not None and now < known.expires_at else 0
    return Fact(subject, HostFact.NO_CONTRAST, now, now + KEPT_S, (shown,), strikes=attempts + 1)
