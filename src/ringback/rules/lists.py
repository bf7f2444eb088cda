"""What becomes of an address of a list when its answer is there: done, or asked again later. Pure.

Not here: asking (engine/bulk.py), and when a host that makes us wait is asked again (rules/freshness.py).
"""

from collections.abc import Sequence
from enum import Enum, auto

from ..errors import AddressError
from ..values.address import parse_address
from ..values.query import Report
from ..values.record import Record
from ..values.settings import Budget
from ..values.verdict import Reason
from .breakers import REFUSAL_PAUSE_S
from .burden import OVERALL
from .gates import Gate
from .pacing import Rate
from .reports import Heading, unasked

# Sooner, an answer that waiting may change has hardly changed: as with a host that names its window.
MIN_WAIT_S = 30.0
# A store that failed, or a callout that was broken off: by then somebody has looked, or it has passed.
TROUBLE_WAIT_S = 600.0
# Who found no place among the connections finds one when those that he waited for have ended.
PLACE_WAIT_S = 15.0


class Then(Enum):
    DONE = auto()
    LATER = auto()  # this address is asked again
    REST = auto()  # it is, and its whole domain is left alone until then
    PAUSE = auto()  # it was not asked itself: its domain is left alone until somebody may be
    WAIT = auto()  # there is no budget for it: its domain waits for its turn, see Wait
    HALT = auto()  # nobody may be called, for any address


class Judgement(Record, frozen=True):
    then: Then
    at: float = 0.0  # of LATER, REST and PAUSE: when


_DONE, _WAIT, _HALT = Judgement(Then.DONE), Judgement(Then.WAIT), Judgement(Then.HALT)


def judge_answer(
    report: Report, tries: int, now: float, recheck_after_s: Sequence[float]
) -> Judgement:
    """Say what follows from `report`, which is the answer after `tries` that were to come back.

    An address is told to come back as often as there are steps in `recheck_after_s`, whatever for: lists end.
    """
    if report.reason is Reason.IDENTITY_UNFIT or report.gate == Gate.NO_CONSENT:
        return _HALT
    if report.reason in (Reason.OVER_BUDGET, Reason.DEADLINE):
        return _WAIT
    if tries >= len(recheck_after_s):
        return _DONE
    if report.reason is Reason.RATE_LIMITED:  # of all that refuse us, what waiting changes
        return Judgement(Then.REST, now + REFUSAL_PAUSE_S)
    at = _again_at(report, now, recheck_after_s[tries])
    if at is None:
        return _DONE
    # Another one waits for a host that greylists: with its next try, that is known to pass or not.
    return Judgement(Then.PAUSE if report.gate == Gate.GREYLIST else Then.LATER, at)


def is_given_up(report: Report) -> bool:
    """True where the last word on one address is that of all its domain, who need not wait for it too."""
    return report.reason in (Reason.RATE_LIMITED, Reason.GREYLISTED)


def _again_at(report: Report, now: float, step_s: float) -> float | None:
    """When an answer may be another one; None: not while a list waits for it."""
    if report.reason is Reason.OUR_TROUBLE:
        return now + TROUBLE_WAIT_S
    if report.gate == Gate.OPT_OUT_UNKNOWN:
        return now + step_s
    if report.retry_at is None or report.final:
        return None
    return max(report.retry_at, now + MIN_WAIT_S)


def not_an_address(key: str, now: float) -> Report:
    """The answer for a line of a list that no address can be."""
    rule = "it has characters that no address can have"
    try:
        parse_address(key)  # it tells those characters in others, and so may look like an address
    except AddressError as error:
        rule = str(error)
    return unasked(Heading(key, now), Reason.BAD_SYNTAX, rule)


def out_of_time(now: float) -> Report:
    """The answer for whoever has none when the time of his list is over."""
    rule = "in the time that a list is given, its turn did not come"
    return unasked(Heading("", now), Reason.OVER_BUDGET, rule, Gate.BUDGET)


class Wait(Record, frozen=True):
    """Whose budget is used up, and how far apart what it still bears is to be."""

    holder: str
    spacing_s: float


def wait_for(report: Report, domain: str, budget: Budget) -> Wait:
    """Say what an address waits for that had no budget.

    Whoever else waits for the same comes one `spacing_s` later: all at once, they would be refused again.
    """
    because = report.because
    gate, holder = (report.gate, because.ip) if because and because.ip else (report.gate, domain)
    if gate == Gate.CONNECTIONS:
        return Wait(f"places {holder}", PLACE_WAIT_S / budget.concurrent_per_host)
    if gate == Gate.REFUSED_RECIPIENTS:
        return Wait(f"refused {holder}", Rate(budget.refused_recipients_per_host).interval_s)
    if because and because.text == OVERALL:
        return Wait("all", Rate(budget.overall).interval_s)
    return Wait(f"host {holder}", Rate(min(budget.per_host, budget.per_domain)).interval_s)


class Pace(Record, frozen=True):
    """How a list goes."""

    waiting: int  # addresses
    done: int  # in `took_s`
    took_s: float
    bound_s: float = 0.0  # how long a budget makes the largest domain take
    booked_s: float = 0.0  # how long the turns last that are given already, see Wait


# Before that much, a speed says nothing.
MIN_DONE = 20


def left_s(pace: Pace) -> float | None:
    """How long the rest takes at least, in seconds; None before that can be told."""
    if not pace.waiting:
        return 0.0
    if pace.done < MIN_DONE:
        return None
    by_speed = pace.waiting / pace.done * pace.took_s
    return max(by_speed, pace.bound_s, pace.booked_s)
