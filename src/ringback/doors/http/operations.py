"""The operations of the HTTP door as a table, with examples: what the schema says of each.

A test holds it against the routes, and the examples against their shapes. Not here: types (answers.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import Calls, Forgotten, ReacherReport, Readiness, Remembered, Report
from .bodies import JSON, MAX_ADDRESS_CHARS, MAX_CALLS, MAX_LISTED, Asked, ReacherAsked
from .examples import (
    CALLS,
    CALLS_CSV,
    METRICS,
    PROVISIONAL,
    QUESTIONS,
    REACHER_QUESTIONS,
    REACHER_REPORT,
    READINESS,
    REMEMBERED,
    REPORT,
)
from .problems import RETRY_AFTER

Json = dict[str, Any]
Content = Mapping[str, tuple[type, object]]  # by media type: the shape and an example

_OF_ALL = frozenset({400, 403, 421, 429, 431, 500, 503})
_OF_TOKENS = frozenset({401})
_OF_BODIES = frozenset({413, 415, 422})


@dataclass(frozen=True, slots=True)
class Answer:
    """One success."""

    description: str
    content: Content
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    parameters: tuple[Json, ...] = ()
    body: type | None = None
    examples: Mapping[str, Json] = field(default_factory=dict)
    problems: frozenset[int] = frozenset()
    is_open: bool = False  # for whoever asks, with a token or without

    def all_problems(self, with_tokens: bool) -> frozenset[int]:
        """The statuses of all problems that it may end in."""
        if self.is_open:
            return self.problems
        bodies = _OF_BODIES if self.body else frozenset[int]()
        tokens = _OF_TOKENS if with_tokens else frozenset[int]()
        return (self.problems | _OF_ALL | bodies | tokens) - self.answers.keys()


def _parameter(name: str, place: str, says: str, schema: Json, example: object) -> Json:
    return {
        "name": name,
        "in": place,
        "required": place == "path" or name == "q",
        "description": says,
        "schema": schema,
        "example": example,
    }


_SUBJECT: Json = {"type": "string", "minLength": 1, "maxLength": MAX_ADDRESS_CHARS}
_SUBJECT |= {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}
_ADDRESS = _parameter(
    "address",
    "path",
    "An address, a domain, or the IP address of a host.",
    _SUBJECT,
    "ann@shop.example",
)
_CACHE, _REPORT_PATH = "/v1/cache/{address}", "/v1/reports/{id}"
_PROVISIONAL = Answer(
    "A provisional report: the callout goes on, and its conclusion will be at `Location`.",
    {JSON: (Report, PROVISIONAL)},
    {"Location": "Where the conclusion will be, for an hour.", **RETRY_AFTER},
)

OPERATIONS = (
    Operation(
        "post",
        "/v1/verify",
        "verify",
        "questions",
        "Ask about one address.",
        "Waits `timeout_s` for the conclusion, by default `smtp.answer_within_s`. With `client`, the gates "
        "stand before a callout as they do for mail; without, an operator asks.",
        {200: Answer("The report.", {JSON: (Report, REPORT)}), 202: _PROVISIONAL},
        body=Asked,
        examples=QUESTIONS,
    ),
    Operation(
        "get",
        _REPORT_PATH,
        "report",
        "questions",
        "What has become of a question.",
        "Of one that was answered with 202. It is kept for an hour, or until 5,000 newer ones are.",
        {
            200: Answer("The report.", {JSON: (Report, REPORT)}),
            202: Answer("The callout goes on.", _PROVISIONAL.content, _PROVISIONAL.headers),
        },
        (
            _parameter(
                "id",
                "path",
                "From `Location`.",
                {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
                "b3BlbiBzZXNhbWU",
            ),
        ),
        problems=frozenset({404, 422}),
    ),
    Operation(
        "get",
        _CACHE,
        "show",
        "store",
        "What is remembered of an address, a domain or a host.",
        "Entries are verdicts on addresses, the newest first; facts are of domains and hosts.",
        {200: Answer("What is remembered.", {JSON: (Remembered, REMEMBERED)})},
        (
            _ADDRESS,
            _parameter(
                "limit",
                "query",
                "List at most so many entries.",
                {"type": "integer", "minimum": 1, "maximum": MAX_LISTED, "default": 50},
                50,
            ),
        ),
        problems=frozenset({404, 422}),
    ),
    Operation(
        "delete",
        _CACHE,
        "forget",
        "store",
        "Forget an address, a domain or a host.",
        "With a domain go all its addresses and what is known of it.",
        {200: Answer("How many records went.", {JSON: (Forgotten, {"forgotten": 3})})},
        (_ADDRESS,),
        problems=frozenset({404, 422}),
    ),
    Operation(
        "get",
        "/v1/audit",
        "audit",
        "store",
        "Who was called, when, why, and what was said.",
        "As JSON, or as CSV for a spreadsheet with `Accept: text/csv`.",
        {
            200: Answer(
                "Callouts, the newest first.",
                {JSON: (Calls, CALLS), "text/csv": (str, CALLS_CSV)},
            )
        },
        (
            _parameter(
                "q",
                "query",
                "An address, a domain or an MX name with all below it, or the IP address of a host.",
                {key: value for key, value in _SUBJECT.items() if key != "minLength"},
                "shop.example",
            ),
            _parameter(
                "since",
                "query",
                "Only callouts since an instant, or of the last span of time: 30m, 12h, 7d, 4w.",
                {
                    "type": "string",
                    "maxLength": 64,
                    "anyOf": [{"format": "date-time"}, {"pattern": "^[0-9]{1,6}[mhdw]$"}],
                },
                "7d",
            ),
            _parameter(
                "limit",
                "query",
                "List at most so many.",
                {"type": "integer", "minimum": 1, "maximum": MAX_CALLS, "default": 100},
                100,
            ),
        ),
        problems=frozenset({404, 422}),
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "operation",
        "Counters for Prometheus.",
        "In OpenMetrics for those who ask for it by `Accept`.",
        {
            200: Answer(
                "The counters.",
                {"text/plain": (str, METRICS), "application/openmetrics-text": (str, METRICS)},
            )
        },
    ),
    Operation(
        "get",
        "/healthz",
        "alive",
        "operation",
        "Whether the process answers.",
        "It needs no token and looks at nothing.",
        {200: Answer("It does.", {"text/plain": (str, "ok\n")})},
        problems=frozenset({431, 500}),
        is_open=True,
    ),
    Operation(
        "get",
        "/readyz",
        "ready",
        "operation",
        "Whether questions can be answered.",
        "The store has to be usable. What the doctor found is told, and changes nothing: mail passes while "
        "nobody may be called.",
        {
            200: Answer("They can.", {JSON: (Readiness, READINESS)}),
            503: Answer(
                "They cannot.",
                {
                    JSON: (
                        Readiness,
                        {**READINESS, "ready": False, "store": "no answer within 2 s"},
                    )
                },
            ),
        },
    ),
    Operation(
        "post",
        "/v0/check_email",
        "check_email",
        "questions",
        "Ask about one address as clients of Reacher do.",
        "For a list or a sign-up form: it needs `bulk.consent`. Waits for the callout to end.",
        {200: Answer("The report.", {JSON: (ReacherReport, REACHER_REPORT)})},
        body=ReacherAsked,
        examples=REACHER_QUESTIONS,
    ),
)
