"""What happened, counted for Prometheus: events by closed sets of words, and the state of the moment.

Never a label by address, domain, host or client: their number has no bound, and they are nobody's business.
Not here: who reads them (doors/http/health.py), what is worth an event (values/events.py).
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from ..values.events import (
    Answered,
    CalledOut,
    Decided,
    DoorClosed,
    Event,
    Examined,
    Requested,
    Trouble,
)
from ..values.fitness import Severity
from ..values.storage import StoreStats

# Seconds: what the store answers, what a callout takes, what a deadline cuts off.
_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
_REPORTED = "-"  # for an action: a report was given, and no MTA was told anything
_ANSWERS = ("door", "purpose", "verdict", "reason", "action")
_DOOR = ("door",)
_BOUNDS = (*map(floatToGoString, _BUCKETS), "+Inf")

# Rows that say of others when these began: half as many again, for no graph and no alarm.
disable_created_metrics()


class _Count:
    """Of one row of labels."""

    __slots__ = ("times", "took")

    def __init__(self, took: "_Times") -> None:
        self.times, self.took = 0, took


class _Times:
    """How long it took, of one door."""

    __slots__ = ("in_bucket", "total_s")

    def __init__(self) -> None:
        self.total_s = 0.0
        self.in_bucket = [0] * (len(_BUCKETS) + 1)  # what takes longer than all is in the last


class _Answers(Collector):
    """Answers, in plain numbers that prometheus_client asks for when somebody reads them.

    To count with it, an answer from memory took 2 µs more. Rows are as few as there are to show.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], _Count] = {}
        self._times: dict[str, _Times] = {}

    def count(self, labels: tuple[str, ...], took_s: float) -> None:
        """Count one; the first of its labels is its door."""
        count = self._counts.get(labels) or self._begin(labels)
        count.times += 1
        took = count.took
        took.total_s += took_s
        took.in_bucket[bisect_left(_BUCKETS, took_s)] += 1

    def collect(self) -> Iterator[Metric]:
        what = "Answers given, by what came of them"
        given = CounterMetricFamily("ringback_decisions", what, labels=_ANSWERS)
        for labels, count in self._counts.items():
            given.add_metric(labels, count.times)
        yield given
        name, what = "ringback_decision_seconds", "How long an answer took"
        took = HistogramMetricFamily(name, what, labels=_DOOR)
        for door, times in self._times.items():
            up_to = zip(_BOUNDS, accumulate(times.in_bucket), strict=True)
            took.add_metric((door,), [*up_to], times.total_s)
        yield took

    def _begin(self, labels: tuple[str, ...]) -> _Count:
        times = self._times.setdefault(labels[0], _Times())
        count = self._counts[labels] = _Count(times)
        return count


class Metrics:
    """The counters of one service. `hear` is a sink."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry(auto_describe=True)
        count = partial(Counter, registry=registry)
        time = partial(Histogram, buckets=_BUCKETS, registry=registry)
        show = partial(Gauge, registry=registry)
        self._answers = _Answers()
        registry.register(self._answers)
        self._gates = count(
            "ringback_gates", "Questions that a gate kept from a callout", ("gate",)
        )
        self._questions = count("ringback_dns_questions", "Questions to DNS, of gates and callouts")
        self._callouts = count("ringback_callouts", "Callouts that ended, by reason", ("reason",))
        self._connections = count("ringback_callout_connections", "Connections that callouts made")
        self._callout_s = time("ringback_callout_seconds", "How long a callout took")
        self._requests = count(
            "ringback_http_requests", "Requests to the HTTP door", ("method", "route", "status")
        )
        self._closed = count("ringback_clients_sent_away", "Clients sent away", ("door",))
        self._troubles = count("ringback_troubles", "What failed on our side", ("where",))
        self._fit = show("ringback_fit", "1: our identity is in order")
        self._may_call = show("ringback_may_call", "1: callouts are made")
        self._findings = show("ringback_findings", "What the doctor found", ("severity",))
        self._flights = show("ringback_callouts_under_way", "Callouts under way or waiting")
        self._records = show("ringback_store_records", "Records kept", ("what", "kind"))
        self._store_bytes = show("ringback_store_bytes", "Size of the store")
        self._counted_at: float | None = None  # elapsed
        self.examined: Examined | None = None  # the last, for who wants more than its numbers

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case Decided():
                self._count_answer(event, event.action.partition(" ")[0])
            case Answered():
                self._count_answer(event, _REPORTED)
            case CalledOut():
                self._callouts.labels(event.reason).inc()
                self._connections.inc(event.connections)
                self._callout_s.observe(max(0.0, event.took_s))
            case Requested():
                self._requests.labels(event.method, event.route, event.status).inc()
            case DoorClosed():
                self._closed.labels(event.door).inc()
            case Trouble():
                self._troubles.labels(event.where).inc()
            case Examined():
                self._note_fitness(event)

    def note_flights(self, count: int) -> None:
        self._flights.set(count)

    def stats_are_older_than(self, age_s: float, elapsed: float) -> bool:
        return self._counted_at is None or elapsed - self._counted_at >= age_s

    def note_stats(self, stats: StoreStats, elapsed: float) -> None:
        """Show what the store holds."""
        self.forget_stats()
        for what, counts in (("entry", stats.entries), ("fact", stats.facts)):
            for kind, count in counts.items():
                self._records.labels(what, kind).set(count)
        for what, count in (
            ("wait", stats.waits),
            ("acquaintance", stats.acquaintances),
            ("budget", stats.budgets),
            ("call", stats.calls),
        ):
            self._records.labels(what, "").set(count)
        self._store_bytes.set(stats.size_bytes)
        self._counted_at = elapsed

    def forget_stats(self) -> None:
        """Show no records where the store does not say."""
        self._records.clear()
        self._counted_at = None

    def encode(self, accept: str) -> tuple[bytes, str]:
        """All of it, and its media type: OpenMetrics for those who ask for that."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def _count_answer(self, event: Decided | Answered, action: str) -> None:
        report = event.report
        labels = (event.door, event.purpose, report.verdict, report.reason, action)
        self._answers.count(labels, max(0.0, event.took_s))
        if report.questions:
            self._questions.inc(report.questions)
        if report.gate:
            self._gates.labels(report.gate).inc()

    def _note_fitness(self, event: Examined) -> None:
        self.examined = event
        self._fit.set(event.fitness.is_fit)
        self._may_call.set(event.may_call)
        for severity in Severity:
            self._findings.labels(severity).set(len(event.fitness.of(severity)))
