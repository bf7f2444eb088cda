"""What is remembered of a host, and what follows for who would call it now. Pure.

Not here: how it came to be remembered (rules/lessons.py), and what DNS says of its owner's wish
(rules/optout.py).
"""

from collections.abc import Collection, Iterable

from ..values.evidence import About, Exchange
from ..values.facts import Fact, HostFact
from ..values.record import Record
from . import contrast
from .breakers import REFUSAL_COUNTS_S, State, state_of
from .outcomes import Finding, judge

# Of these, one that is noted ahead of the clock is believed: to call too rarely does no harm.
_CAUTIOUS = frozenset({HostFact.REFUSES_US, HostFact.REFUSES_CALLOUTS})


class Standing(Record, frozen=True):
    """`finding`: the host is left alone, and what it said last is its answer."""

    opted_out: Fact | None = None  # it said in words that it wants no callouts
    finding: Finding | None = None
    said: tuple[Exchange, ...] = ()  # remembered words that belong into the evidence
    tries: tuple[str, ...] = ()  # the breakers (their subjects) that a callout now would try
    no_contrast: Fact | None = None  # the control settled nothing lately: it is left to rest


class Moment(Record, frozen=True):
    """What the judgement of a host depends on beside its facts."""

    now: float
    address: str  # who would be asked for
    recheck_s: float  # when a host that greylists and named no window is asked again
    tried: Collection[str] = ()  # breakers that somebody is trying


def live(facts: Iterable[Fact], now: float) -> tuple[Fact, ...]:
    """The facts that still hold."""
    known = tuple(facts)
    return known and tuple(
        fact
        for fact in known
        if now < fact.expires_at and (fact.noted_at <= now or fact.kind in _CAUTIOUS)
    )


UNKNOWN = Standing()  # nothing speaks against a call


def stand(facts: Iterable[Fact], moment: Moment) -> Standing:
    """Judge a host by the facts that hold of it, and of it for the domain in question."""
    opted_out: Fact | None = None
    no_contrast: Fact | None = None
    resting: list[Fact] = []
    counting: list[Fact] = []
    tries: list[str] = []
    for fact in facts:
        if fact.kind is HostFact.REFUSES_CALLOUTS:
            opted_out = fact
        elif fact.kind is HostFact.NO_CONTRAST:
            no_contrast = fact if contrast.rests(fact, moment.now) else None
        elif _is_shut(fact, moment) or _is_waited_out(fact, moment):
            resting.append(fact)
        elif fact.kind in (HostFact.REFUSES_US, HostFact.REFUSES_SOME):
            counting += [fact] if moment.now - fact.noted_at < REFUSAL_COUNTS_S else []
            tries += [fact.subject] if _is_half_open(fact, moment) else []
    return Standing(
        opted_out=opted_out,
        finding=next((found for fact in resting if (found := shown_by(fact))), None),
        said=tuple(said for fact in (*counting, *resting) for said in fact.evidence),
        tries=tuple(tries),
        no_contrast=no_contrast,
    )


def shown_by(fact: Fact) -> Finding | None:
    """What the exchanges that a fact brings along show."""
    return next((found for about in About if (found := judge(fact.evidence, about))), None)


def _is_shut(fact: Fact, moment: Moment) -> bool:
    if fact.kind is not HostFact.REFUSES_US:
        return False
    state = state_of(fact, moment.now)
    return state is State.OPEN or (state is State.HALF_OPEN and fact.subject in moment.tried)


def _is_half_open(fact: Fact, moment: Moment) -> bool:
    half_open = state_of(fact, moment.now) is State.HALF_OPEN
    return fact.kind is HostFact.REFUSES_US and half_open


def _is_waited_out(fact: Fact, moment: Moment) -> bool:
    """True while another address waits for this host: one at a time, until it lets us pass."""
    if fact.kind is not HostFact.GREYLISTS:
        return False
    wait_s = moment.recheck_s if fact.window_s is None else fact.window_s
    same = any(f"<{moment.address}>" in said.command for said in fact.evidence)
    return not same and moment.now - fact.noted_at < wait_s
