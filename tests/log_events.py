"""One event of each kind, for those who write them down."""

from ringback.values.events import (
    Answered,
    CalledOut,
    Decided,
    DoorClosed,
    Event,
    Examined,
    Lifecycle,
    Requested,
    Trouble,
)
from ringback.values.evidence import Exchange, Stage
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.query import Report
from ringback.values.verdict import Reason

NOON = 1_800_000_000.0
RCPT = Exchange(NOON, Stage.RCPT, host="mx.shop.example", ip="192.0.2.25", code=550)
REPORT = Report(
    "ann@shop.example", Reason.NO_SUCH_MAILBOX, True, NOON, "the host refuses it", because=RCPT
)
DECIDED = Decided(
    door="policy",
    purpose="sender",
    address="ann@shop.example",
    client="198.51.100.7",
    action="550 5.1.7 no",
    told="DUNNO",
    report=REPORT,
    took_s=0.01234,
)
CALLED_OUT = CalledOut(
    "ann@shop.example", "sender", 2, ("mx1.example", "mx2.example"), "accepted", "a rule", 1.5
)
EVENTS: list[Event] = [
    DECIDED,
    CALLED_OUT,
    DoorClosed("policy", "127.0.0.1:4711", "NUL byte in a request"),
    Trouble("store", "disk full", "make room"),
    Examined(Fitness((Finding(Aspect.SPF, Severity.OK, "well"),)), may_call=True),
    Lifecycle("listens", "127.0.0.1:10040"),
    Answered("http", "bulk", "ann@shop.example", "", REPORT, 0.01),
    Requested("http", "192.0.2.9", "POST", "/v1/verify", 200, 0.01),
]
