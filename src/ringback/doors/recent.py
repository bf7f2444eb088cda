"""What happened lately, for people: the last events, and counts by the minute and by the hour.

In memory and bounded; it begins empty with its process. Not here: counts since the start (metrics.py), who
was called and why (the audit in the store), pages (http/).
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from ..values.events import Answered, CalledOut, Decided, Event, Lifecycle, Trouble
from ..values.evidence import Stage
from ..values.query import Report
from ..values.record import Record
from ..values.verdict import VERDICT_OF, Reason, Verdict

# Of each kind. With a dialogue of 3 to 5 kB each, these come to a megabyte.
MAX_ANSWERS, MAX_CALLOUTS, MAX_TROUBLES = 100, 100, 30
MAX_HOSTS = 40
# Gates are words of our own, some three dozen; what is no such word is not counted by name.
MAX_GATES = 100

_MINUTE_S = 60  # the shortest step
_PASSES = "DUNNO"
# Whether these save a callout is not said: it goes on, or something of ours failed.
_CALLOUT_UNKNOWN = frozenset({Reason.DEADLINE, Reason.OUR_TROUBLE})
_IN_BETWEEN = frozenset({"draining", "reloading"})


class Span(StrEnum):
    """How far charts look back."""

    HOUR = "hour"
    DAY = "day"

    @property
    def step_s(self) -> int:
        return _MINUTE_S if self is Span.HOUR else 3_600

    @property
    def steps(self) -> int:
        return 60 if self is Span.HOUR else 24


@dataclass(slots=True)
class Tally:
    """What was counted in one step of time."""

    reasons: Counter[Reason] = field(default_factory=Counter)
    early: int = 0  # of those at DEADLINE: the address was accepted, and the control still open
    # Answers that cost no connection, each counted once: by memory, by its gate, or with the rest.
    gates: Counter[str] = field(default_factory=Counter)
    remembered: int = 0
    unmade: int = 0  # the address itself or the DNS said enough, or left nobody to be called
    shared: int = 0  # answers of a callout but for one, which it was made for; as of when it ended
    callouts: int = 0  # that reached for a host at least
    connections: int = 0
    decisions: int = 0  # answers on which mail hung
    changed: int = 0  # of these: where the word of a host that was called kept mail from passing

    @property
    def answers(self) -> int:
        return self.reasons.total()

    @property
    def verdicts(self) -> Counter[Verdict]:
        counted = Counter[Verdict]()
        for reason, times in self.reasons.items():
            counted[VERDICT_OF[reason]] += times
        return counted

    @property
    def saved(self) -> int:
        return self.remembered + self.unmade + self.shared + self.gates.total()

    def add(self, other: Self) -> None:
        self.reasons.update(other.reasons)
        self.early += other.early
        for gate, times in other.gates.items():
            self._count_gate(gate, times)
        self.remembered += other.remembered
        self.unmade += other.unmade
        self.shared += other.shared
        self.callouts += other.callouts
        self.connections += other.connections
        self.decisions += other.decisions
        self.changed += other.changed

    def count(self, event: Event) -> None:
        match event:
            case Decided():
                self._count_answer(event.report)
                self.decisions += 1
                self.changed += _changed_by_callout(event)
            case Answered():
                self._count_answer(event.report)
            case CalledOut() if event.connections:
                self.callouts += 1
                self.connections += event.connections
                self.shared += max(0, event.askers - 1)

    def _count_answer(self, report: Report) -> None:
        self.reasons[report.reason] += 1
        self.early += report.settled and report.reason is Reason.DEADLINE
        if report.callouts:
            return
        if report.from_cache:
            self.remembered += 1
        elif report.gate:
            self._count_gate(report.gate, 1)
        elif report.reason not in _CALLOUT_UNKNOWN:
            self.unmade += 1

    def _count_gate(self, gate: str, times: int) -> None:
        if gate in self.gates or len(self.gates) < MAX_GATES:
            self.gates[gate] += times


class Step(Record, frozen=True):
    """A step of time, and what was counted in it."""

    begins_at: float
    tally: Tally


class Series:
    """The last steps of a span."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._steps: deque[tuple[int, Tally]] = deque(maxlen=span.steps)

    def add(self, tally: Tally, at: float) -> None:
        """Add what was counted at an instant."""
        number = int(at // self._span.step_s)
        # A clock that was set back goes on with the step it had come to.
        if not self._steps or number > self._steps[-1][0]:
            self._steps.append((number, Tally()))
        self._steps[-1][1].add(tally)

    def steps(self, now: float) -> list[Step]:
        """All steps of the span, the oldest first, and those in which nothing happened among them."""
        last = int(now // self._span.step_s)
        known = dict(self._steps)
        numbers = range(last - self._span.steps + 1, last + 1)
        return [
            Step(number * self._span.step_s, known.get(number) or Tally()) for number in numbers
        ]


class Moment(Record, frozen=True):
    """An event, and when it was heard of."""

    at: float
    event: Event


class Recent:
    """The last events of one service. `hear` is a sink; `now` is Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.began_at = now()
        self.news = 0  # grows with each event that is shown
        self.turns = 0  # grows where whoever looks on should begin anew: a reload, the end
        self.answers: deque[Moment] = deque(maxlen=MAX_ANSWERS)
        self.callouts: deque[Moment] = deque(maxlen=MAX_CALLOUTS)
        self.troubles: deque[Moment] = deque(maxlen=MAX_TROUBLES)
        self.hosts: OrderedDict[str, str] = OrderedDict()  # IP and name, the last called at the end
        self._series = {span: Series(span) for span in Span}
        self._counting = Tally()  # of one minute, and not in the series yet
        self._counting_since = self.began_at
        self._minute = self.began_at // _MINUTE_S  # in which that was

    def hear(self, event: Event) -> None:
        """Keep an event, if people want to see it, and count it."""
        at = self._now()
        match event:
            case Decided() | Answered():
                self.answers.append(Moment(at, event))
            case CalledOut() if event.connections:
                self.callouts.append(Moment(at, event))
                self._note_hosts(event)
            case Trouble():
                self.troubles.append(Moment(at, event))
            case Lifecycle():
                self.turns += event.what in _IN_BETWEEN
            case _:
                return
        self.news += 1
        if at // _MINUTE_S != self._minute:
            self._add_up(at)
        self._counting.count(event)

    def steps(self, span: Span) -> list[Step]:
        """What was counted in each step of a span, the oldest first."""
        now = self._now()
        self._add_up(now)
        return self._series[span].steps(now)

    def _add_up(self, now: float) -> None:
        """Bring what was counted into the series, and begin to count anew."""
        for series in self._series.values():
            series.add(self._counting, self._counting_since)
        self._counting, self._counting_since, self._minute = Tally(), now, now // _MINUTE_S

    def _note_hosts(self, event: CalledOut) -> None:
        for said in event.evidence:
            if said.ip and said.connection:
                self.hosts[said.ip] = said.host
                self.hosts.move_to_end(said.ip)
        while len(self.hosts) > MAX_HOSTS:
            self.hosts.popitem(last=False)


def total(steps: Iterable[Step]) -> Tally:
    """What was counted in all of them."""
    counted = Tally()
    for step in steps:
        counted.add(step.tally)
    return counted


def _changed_by_callout(event: Decided) -> bool:
    if event.action.startswith(_PASSES) or event.report.gate:
        return False
    because = event.report.because
    return because is not None and because.stage is not Stage.ROUTE and because.connection > 0
