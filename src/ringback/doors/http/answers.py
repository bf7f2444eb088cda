"""The shapes of answers, from which the schema is made; what encodes them is shared with other doors.

A test holds what is sent against them. Not here: encoding (doors/reports.py, calls.py, remembered.py).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ...values.evidence import About, Fault, Meaning, Stage
from ...values.facts import DomainFact, HostFact
from ...values.query import Purpose
from ...values.verdict import Blame, Reason, Verdict
from .problems import Document

Instant = Annotated[
    str,
    Meta(
        description="RFC 3339, in UTC.",
        examples=["2026-11-21T10:00:00Z"],
        extra_json_schema={"format": "date-time"},
    ),
]


FactKind = Annotated[str, Meta(extra_json_schema={"enum": [*DomainFact, *HostFact]})]


class _Answer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pass


class Flags(_Answer):
    """Facts about the look of an address; they never change a verdict."""

    role: bool
    disposable: bool
    free: bool
    tagged: bool
    suggestion: str | None


class Exchange(_Answer):
    """One question to a host or to the DNS, and its answer or fault."""

    at: Instant
    connection: int
    host: str
    ip: str
    stage: Stage
    about: About
    command: str
    code: int | None
    enhanced: str | None
    text: str
    meaning: Meaning | None
    rule: str | None
    weak: bool
    fault: Fault | None


class Report(_Answer):
    """A verdict with all that it rests on. Provisional while its reason is `deadline`."""

    address: str
    verdict: Verdict
    reason: Reason
    blame: Annotated[Blame, Meta(description="Whose doing the verdict is.")]
    final: Annotated[bool, Meta(description="Whether waiting changes nothing until `expires_at`.")]
    gate: Annotated[str | None, Meta(description="Which gate said that nobody is asked.")]
    rule: Annotated[str, Meta(description="Which rule decided, in words.")]
    retry_at: Annotated[Instant | None, Meta(description="When to ask again.")]
    checked_at: Instant
    expires_at: Instant | None
    from_cache: bool
    callouts: Annotated[int, Meta(description="Connections that this answer cost.")]
    flags: Flags
    evidence: list[Exchange]


class Entry(_Answer):
    """What is remembered of one address."""

    address: str
    verdict: Verdict
    reason: Reason
    blame: Blame
    final: bool
    rule: str
    state: Annotated[
        Literal["fresh", "stale", "confirm", "doubtful", "expired"],
        Meta(description="Whether it may still answer."),
    ]
    checked_at: Instant
    expires_at: Instant | None
    retry_at: Instant | None
    evidence: list[Exchange]


class Fact(_Answer):
    """What is remembered of a domain or of a host."""

    subject: str
    kind: FactKind
    noted_at: Instant
    expires_at: Instant
    expired: bool
    window_s: float | None
    evidence: list[Exchange]


class Remembered(_Answer):
    """What is remembered of an address, of a domain or of a host."""

    entries: list[Entry]
    facts: list[Fact]


class Forgotten(_Answer):
    """How many records went."""

    forgotten: int


class Call(_Answer):
    """One address asked about at one host."""

    at: Instant
    id: str
    session: str
    address: str
    domain: str
    host: str
    ip: str
    purpose: Purpose
    client: str | None
    recipient: str | None
    gates: list[str]
    outcome: str | None
    said: list[Exchange]


class Calls(_Answer):
    """Callouts, the newest first."""

    calls: list[Call]


class Finding(_Answer):
    """One thing that the doctor looked at."""

    what: str
    severity: str
    subject: str
    text: str
    remedy: str


class Readiness(_Answer):
    """Whether questions can be answered, and whether anyone may be called for them."""

    ready: bool
    store: Annotated[str, Meta(description='"usable", or why it is not.')]
    may_call: Annotated[
        bool | None, Meta(description="Whether callouts are made; null before it is known.")
    ]
    findings: Annotated[list[Finding], Meta(description="What is not in order.")]


class ReacherError(_Answer):
    """Why a part is not known."""

    type: str
    message: str


class ReacherMisc(_Answer):
    """The look of the address."""

    is_disposable: bool
    is_role_account: bool
    is_b2c: bool
    gravatar_url: None
    haveibeenpwned: None


class ReacherMx(_Answer):
    """The hosts that were looked at; or why there are none to tell of."""

    accepts_mail: bool | UnsetType = UNSET
    records: list[str] | UnsetType = UNSET
    error: ReacherError | UnsetType = UNSET


class ReacherSmtp(_Answer):
    """What the callout found; or why it found nothing."""

    can_connect_smtp: bool | UnsetType = UNSET
    has_full_inbox: bool | UnsetType = UNSET
    is_catch_all: bool | UnsetType = UNSET
    is_deliverable: bool | UnsetType = UNSET
    is_disabled: bool | UnsetType = UNSET
    error: ReacherError | UnsetType = UNSET


class ReacherSyntax(_Answer):
    """The address taken apart."""

    address: str | None
    domain: str
    is_valid_syntax: bool
    username: str
    normalized_email: str | None
    suggestion: str | None


class ReacherReport(_Answer):
    """A verdict in the schema of Reacher's `/v0/check_email`."""

    input: str
    is_reachable: Literal["safe", "risky", "invalid", "unknown"]
    misc: ReacherMisc
    mx: ReacherMx
    smtp: ReacherSmtp
    syntax: ReacherSyntax


SHAPES = (Report, Remembered, Forgotten, Calls, Readiness, ReacherReport, Document)
