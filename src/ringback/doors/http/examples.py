"""What the schema shows for examples. A test holds each against its shape."""

from typing import Any

Json = dict[str, Any]

_AT = "2026-11-21T10:00:00Z"
_EXCHANGE: Json = {
    "at": _AT,
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
_RULE = "accepted, where an address that nobody has is refused"

REPORT: Json = {
    "address": "ann@shop.example",
    "verdict": "deliverable",
    "reason": "accepted",
    "blame": "address",
    "final": True,
    "gate": None,
    "rule": _RULE,
    "retry_at": None,
    "checked_at": _AT,
    "expires_at": "2026-12-22T10:00:00Z",
    "from_cache": False,
    "callouts": 1,
    "flags": {
        "role": False,
        "disposable": False,
        "free": False,
        "tagged": False,
        "suggestion": None,
    },
    "evidence": [_EXCHANGE],
}
PROVISIONAL: Json = {
    **REPORT,
    "verdict": "unknown",
    "reason": "deadline",
    "blame": "policy",
    "final": False,
    "rule": "no answer in time; the callout goes on",
    "expires_at": None,
    "callouts": 0,
    "evidence": [],
}
REMEMBERED: Json = {
    "entries": [
        {
            "address": "ann@shop.example",
            "verdict": "deliverable",
            "reason": "accepted",
            "blame": "address",
            "final": True,
            "rule": _RULE,
            "state": "fresh",
            "checked_at": _AT,
            "expires_at": "2026-12-22T10:00:00Z",
            "retry_at": None,
            "evidence": [_EXCHANGE],
        }
    ],
    "facts": [
        {
            "subject": "shop.example",
            "kind": "selective",
            "noted_at": _AT,
            "expires_at": "2027-02-19T10:00:00Z",
            "expired": False,
            "window_s": None,
            "evidence": [],
        }
    ],
}
CALLS: Json = {
    "calls": [
        {
            "at": _AT,
            "id": "6900dcc0-1-0",
            "session": "6900dcc0-1-0",
            "address": "ann@shop.example",
            "domain": "shop.example",
            "host": "mx1.shop.example",
            "ip": "192.0.2.1",
            "purpose": "sender",
            "client": "198.51.100.7",
            "recipient": "you@ours.example",
            "gates": ["SPF pass", "aligned: SPF names it by include:_spf.shop.example"],
            "outcome": "accepted",
            "said": [_EXCHANGE],
        }
    ]
}
CALLS_CSV = (
    "at,id,session,address,domain,host,ip,purpose,client,recipient,gates,outcome,said\r\n"
    f"{_AT},6900dcc0-1-0,6900dcc0-1-0,ann@shop.example,shop.example,mx1.shop.example,192.0.2.1,sender,"
    "198.51.100.7,you@ours.example,SPF pass; aligned: SPF names it by include:_spf.shop.example,accepted,"
    "RCPT TO:<ann@shop.example>: 250 2.1.5 Ok\r\n"
)
METRICS = "# TYPE ringback_callouts_under_way gauge\nringback_callouts_under_way 3.0\n"
READINESS: Json = {
    "ready": True,
    "store": "usable",
    "may_call": True,
    "findings": [
        {
            "what": "clock",
            "severity": "warning",
            "subject": "",
            "text": "nothing keeps the system's clock right",
            "remedy": "run a time service, such as chrony or systemd-timesyncd",
        }
    ],
}
REACHER_REPORT: Json = {
    "input": "ann@shop.example",
    "is_reachable": "safe",
    "misc": {
        "is_disposable": False,
        "is_role_account": False,
        "is_b2c": False,
        "gravatar_url": None,
        "haveibeenpwned": None,
    },
    "mx": {"accepts_mail": True, "records": ["mx1.shop.example."]},
    "smtp": {
        "can_connect_smtp": True,
        "has_full_inbox": False,
        "is_catch_all": False,
        "is_deliverable": True,
        "is_disabled": False,
    },
    "syntax": {
        "address": "ann@shop.example",
        "domain": "shop.example",
        "is_valid_syntax": True,
        "username": "ann",
        "normalized_email": "ann@shop.example",
        "suggestion": None,
    },
}
QUESTIONS: Json = {
    "operator": {
        "summary": "An operator asks.",
        "value": {"address": "ann@shop.example", "timeout_s": 20},
    },
    "mail": {
        "summary": "A mail raises the question.",
        "value": {
            "address": "ann@shop.example",
            "client": {
                "address": "198.51.100.7",
                "name": "out.shop.example",
                "helo": "out.shop.example",
            },
            "recipient": "you@ours.example",
        },
    },
    "sign-up": {
        "summary": "A form asks, with consent.",
        "value": {"address": "ann@shop.example", "purpose": "bulk"},
    },
}
REACHER_QUESTIONS: Json = {"usual": {"value": {"to_email": "ann@shop.example"}}}
