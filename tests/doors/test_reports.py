"""Reports as JSON: the names are a contract with other programs."""

import json

from ringback.doors.reports import encode_report
from ringback.rules.flags import FlagLists
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.query import Report
from ringback.values.verdict import Reason

AT = 1_795_255_200.0  # 2026-11-21T10:00:00Z
LISTS = FlagLists(frozenset({"sales"}), frozenset({"freemail.example"}), frozenset())
RCPT = Exchange(
    AT,
    Stage.RCPT,
    1,
    "mx1.shop.example",
    "192.0.2.1",
    10,
    command="RCPT TO:<ann@shop.example>",
    code=250,
    enhanced="2.1.5",
    text="Ok",
    meaning=Meaning.ACCEPTED,
    rule="code 250",
)


def test_a_report_has_the_keys_of_the_contract() -> None:
    report = Report(
        "ann@shop.example",
        Reason.ACCEPTED,
        True,
        AT,
        "accepted, where an address that nobody has is refused",
        expires_at=AT + 3_600,
        callouts=1,
        because=RCPT,
        evidence=(RCPT,),
    )

    assert {
        "address": "ann@shop.example",
        "verdict": "deliverable",
        "reason": "accepted",
        "blame": "address",
        "final": True,
        "gate": None,
        "rule": "accepted, where an address that nobody has is refused",
        "retry_at": None,
        "checked_at": "2026-11-21T10:00:00Z",
        "expires_at": "2026-11-21T11:00:00Z",
        "from_cache": False,
        "callouts": 1,
        "flags": {
            "role": False,
            "disposable": False,
            "free": False,
            "tagged": False,
            "suggestion": None,
        },
        "evidence": [
            {
                "at": "2026-11-21T10:00:00Z",
                "connection": 1,
                "host": "mx1.shop.example",
                "ip": "192.0.2.1",
                "stage": "rcpt",
                "about": "address",
                "command": "RCPT TO:<ann@shop.example>",
                "code": 250,
                "enhanced": "2.1.5",
                "text": "Ok",
                "meaning": "accepted",
                "rule": "code 250",
                "weak": False,
                "fault": None,
            }
        ],
    } == json.loads(json.dumps(encode_report(report, LISTS)))


def test_an_impossible_address_has_no_flags() -> None:
    impossible = Report("sales", Reason.BAD_SYNTAX, True, AT, "no domain")
    role = Report("sales@freemail.example", Reason.NOT_ASKED, True, AT, "exempt", gate="a_gate")

    flags = [encode_report(report, LISTS)["flags"] for report in (impossible, role)]

    assert [
        {"role": False, "disposable": False, "free": False, "tagged": False, "suggestion": None},
        {"role": True, "disposable": False, "free": True, "tagged": False, "suggestion": None},
    ] == flags
    assert "a_gate" == encode_report(role, LISTS)["gate"]
