"""Counters: one for each thing that operators watch, and none by address."""

from ringback.doors.metrics import Metrics
from ringback.values.events import (
    Answered,
    CalledOut,
    Decided,
    DoorClosed,
    Examined,
    Lifecycle,
    Requested,
    Trouble,
)
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.query import Report
from ringback.values.storage import StoreStats
from ringback.values.verdict import Reason

REFUSED = Report("ann@shop.example", Reason.NO_SUCH_MAILBOX, True, 0.0, "a rule", questions=3)
STOPPED = Report("bob@shop.example", Reason.NOT_ASKED, True, 0.0, "a rule", gate="retried")


def lines(metrics: Metrics) -> set[str]:
    return set(metrics.encode("")[0].decode().splitlines())


def test_answers_are_counted_by_what_came_of_them() -> None:
    metrics = Metrics()
    told = "550 5.1.7 sender <ann@shop.example> does not exist"
    for report, action in ((REFUSED, told), (REFUSED, told), (STOPPED, "DUNNO")):
        metrics.hear(
            Decided("policy", "sender", report.address, "192.0.2.7", action, "DUNNO", report, 0.02)
        )
    metrics.hear(Answered("http", "bulk", REFUSED.address, "", REFUSED, -1.0))

    assert {
        'ringback_decisions_total{action="550",door="policy",purpose="sender",'
        'reason="no_such_mailbox",verdict="undeliverable"} 2.0',
        'ringback_decisions_total{action="-",door="http",purpose="bulk",'
        'reason="no_such_mailbox",verdict="undeliverable"} 1.0',
        'ringback_decision_seconds_bucket{door="policy",le="0.025"} 3.0',
        'ringback_decision_seconds_sum{door="http"} 0.0',
        'ringback_gates_total{gate="retried"} 1.0',
        "ringback_dns_questions_total 9.0",
    } <= lines(metrics)


def test_times_are_counted_up_to_each_bound() -> None:
    metrics = Metrics()
    for took_s in (0.0, 0.001, 0.0011, 3.0, 500.0):
        metrics.hear(Decided("policy", "sender", "", "", "DUNNO", "DUNNO", REFUSED, took_s))
    buckets = {
        line.partition('le="')[2].replace('"}', "")
        for line in lines(metrics)
        if line.startswith("ringback_decision_seconds_bucket")
    }

    assert {"0.001 2.0", "0.005 3.0", "2.5 3.0", "5.0 4.0", "120.0 4.0", "+Inf 5.0"} <= buckets
    assert {
        'ringback_decision_seconds_count{door="policy"} 5.0',
        'ringback_decision_seconds_sum{door="policy"} 503.0021',
    } <= lines(metrics)


def test_callouts_requests_and_troubles_are_counted() -> None:
    metrics = Metrics()
    metrics.hear(CalledOut("ann@shop.example", "sender", 2, ("mx",), "accepted", "a rule", 1.5))
    metrics.hear(Requested("http", "192.0.2.9", "POST", "/v1/verify", 200, 0.1))
    metrics.hear(DoorClosed("policy", "192.0.2.9:1", "no request"))
    metrics.hear(Trouble("store", "ann@shop.example cannot be written"))
    metrics.hear(Lifecycle("ready"))

    assert {
        'ringback_callouts_total{reason="accepted"} 1.0',
        "ringback_callout_connections_total 2.0",
        'ringback_callout_seconds_bucket{le="2.5"} 1.0',
        'ringback_http_requests_total{method="POST",route="/v1/verify",status="200"} 1.0',
        'ringback_clients_sent_away_total{door="policy"} 1.0',
        'ringback_troubles_total{where="store"} 1.0',
    } <= lines(metrics)
    assert not [line for line in lines(metrics) if "shop.example" in line or "192.0.2" in line]


def test_no_row_says_when_another_began() -> None:
    metrics = Metrics()
    metrics.hear(Decided("policy", "sender", "", "", "DUNNO", "DUNNO", REFUSED, 0.1))
    metrics.hear(CalledOut("ann@shop.example", "sender", 2, ("mx",), "accepted", "a rule", 1.5))
    metrics.hear(Trouble("store", "ann@shop.example cannot be written"))

    assert not [line for line in lines(metrics) if "_created" in line]


def test_the_state_of_the_moment_is_told() -> None:
    metrics = Metrics()
    finding = Finding(Aspect.CONTACT, Severity.FATAL, "nobody", "write one")
    metrics.hear(Examined(Fitness((finding,)), may_call=False))
    metrics.note_flights(7)
    metrics.note_stats(StoreStats({"accepted": 4}, {"selective": 2}, 1, 4096, calls=5), 10.0)

    told = lines(metrics)
    assert {
        "ringback_fit 0.0",
        "ringback_may_call 0.0",
        'ringback_findings{severity="fatal"} 1.0',
        "ringback_callouts_under_way 7.0",
        'ringback_store_records{kind="accepted",what="entry"} 4.0',
        'ringback_store_records{kind="selective",what="fact"} 2.0',
        'ringback_store_records{kind="",what="call"} 5.0',
        "ringback_store_bytes 4096.0",
    } <= told


def test_records_are_counted_now_and_then_and_forgotten_where_they_cannot_be() -> None:
    metrics = Metrics()
    before = metrics.stats_are_older_than(60.0, 0.0)
    metrics.note_stats(StoreStats({"accepted": 4}, {}, 1, 0), 0.0)
    after = metrics.stats_are_older_than(60.0, 59.0), metrics.stats_are_older_than(60.0, 60.0)
    metrics.forget_stats()

    assert (True, (False, True)) == (before, after)
    assert not [line for line in lines(metrics) if line.startswith("ringback_store_records{")]
    assert metrics.stats_are_older_than(60.0, 61.0)


def test_who_wants_openmetrics_gets_that() -> None:
    body, media_type = Metrics().encode("application/openmetrics-text; version=1.0.0")

    assert media_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
