"""What becomes of an address of a list when its answer is there: done, or asked again later. Pure.

Not here: asking (engine/bulk.py), and when a host that makes us wait is asked again (rules/freshness.py).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from operator import attrgetter
from types import MappingProxyType

from ..errors import AddressError
from ..values.address import parse_address
from ..values.evidence import Stage
from ..values.job import text_of
from ..values.query import Report
from ..values.record import Record
from ..values.settings import Budget
from ..values.verdict import Reason
from .breakers import REFUSAL_PAUSE_S
from .burden import AT_HOST, AT_ORGANISATION, FOR_DOMAIN, IN_NETWORK, NETWORK_TIMES, OVERALL
from .freshness import MAX_WINDOW_S
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
    REST = auto()  # it is, and its whole domain is left alone until then: no address is the cause
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
    return Judgement(_who_waits(report), at)


def _who_waits(report: Report) -> Then:
    if report.gate == Gate.GREYLIST:
        # Another one waits for a host that greylists: with its next try, that is known to pass or not.
        return Then.PAUSE
    return Then.REST if _is_of_all(report) else Then.LATER


def is_given_up(report: Report) -> bool:
    """True where the last word on one address is that on all others there, who need not wait for it too."""
    return report.reason in _OF_US or _is_of_all(report)


def places_of(report: Report, domain: str) -> tuple[str, ...]:
    """Who has spoken in an answer: the domain, and the host that decided, which may have other domains."""
    because = report.because
    return (domain, because.ip) if because and because.ip else (domain,)


# Whoever we ask for: a host that verifies us does so each time.
_OF_US = frozenset({Reason.RATE_LIMITED, Reason.GREYLISTED, Reason.PEER_IS_VERIFYING})
# No address was asked for there, or the answer is about none.
_OF_ALL = frozenset({Reason.UNREACHABLE, Reason.DNS_FAILURE})


def _is_of_all(report: Report) -> bool:
    because = report.because
    if report.reason is Reason.PEER_TROUBLE:
        return because is not None and because.stage not in (Stage.RCPT, Stage.VRFY)
    return report.reason in _OF_ALL


def _again_at(report: Report, now: float, step_s: float) -> float | None:
    """When an answer may be another one; None: not while a list waits for it."""
    if report.reason is Reason.OUR_TROUBLE:
        return now + TROUBLE_WAIT_S
    if report.gate == Gate.OPT_OUT_UNKNOWN:
        return now + step_s
    if report.retry_at is None or report.final:
        return None
    # Remembered from before the clock was set back, it may lie as far ahead as that.
    latest_at = now + max(MAX_WINDOW_S, step_s)
    return min(max(report.retry_at, now + MIN_WAIT_S), latest_at)


def not_an_address(key: str, now: float) -> Report:
    """The answer for a line of a list that no address can be."""
    text, rule = text_of(key), "it has characters that no address can have"
    try:
        parse_address(text)  # it tells those characters in others, and so may look like an address
    except AddressError as error:
        rule = str(error)
    return unasked(Heading(text, now), Reason.BAD_SYNTAX, rule)


def broken_off(key: str, now: float) -> Report:
    """The answer where a bug of ours was in the way."""
    return unasked(Heading(key, now), Reason.OUR_TROUBLE, "asking was broken off, by a bug")


def out_of_time(now: float) -> Report:
    """The answer for whoever has none when the time of his list is over."""
    rule = "in the time that a list is given, its turn did not come"
    return unasked(Heading("", now), Reason.OVER_BUDGET, rule, Gate.BUDGET)


def unreadable(key: str) -> Report:
    """What is told in the place of what was kept of an address and has been damaged since."""
    rule = "what was kept of it cannot be read any more: ask again, with --force --again"
    return unasked(Heading(key, 0.0), Reason.OUR_TROUBLE, rule)


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
    named = because.text if because else ""
    if named == OVERALL:
        return Wait("all", Rate(budget.overall).interval_s)
    if named == FOR_DOMAIN:
        return Wait(f"domain {domain}", Rate(budget.per_domain).interval_s)
    an_hour = _AN_HOUR.get(named, _least)(budget)
    return Wait(f"host {holder}", Rate(an_hour).interval_s)


def _least(budget: Budget) -> int:
    return min(budget.per_host, budget.per_domain)


# What the others who may be called through a host bear, by the name of their budget.
_AN_HOUR: Mapping[str, Callable[[Budget], int]] = MappingProxyType(
    {
        AT_HOST: attrgetter("per_host"),
        IN_NETWORK: lambda budget: NETWORK_TIMES * budget.per_host,
        AT_ORGANISATION: attrgetter("per_domain"),
    }
)


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
