"""Names of closed sets as pages write them. Not here: sentences about them (doors/words.py)."""

from collections.abc import Mapping
from types import MappingProxyType

from ...rules.actions import Kind
from ...values.evidence import Stage
from ...values.fitness import Severity
from ...values.query import Report
from ...values.verdict import Reason, Verdict

_MARKS: Mapping[str, str] = MappingProxyType(
    {
        Verdict.DELIVERABLE: "✓",
        Verdict.UNDELIVERABLE: "✕",
        Verdict.UNKNOWN: "?",
        Severity.OK: "✓",
        Severity.WARNING: "!",
        Severity.FATAL: "✕",
        Severity.UNKNOWN: "?",
    }
)
# Where a hyphen or capitals say it better.
_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "null_mx": "null MX",
        "no_mail_host": "no mail host",
        "dns_failure": "DNS failure",
        "tls_required": "TLS required",
        "needs_smtputf8": "needs SMTPUTF8",
        "helo_name": "HELO name",
        "spf": "SPF",
        "dns": "DNS",
        "dnsbl": "DNS block list",
        "spf_fail": "SPF fail",
        "refuses_vrfy": "refuses VRFY",
        "accepts_any": "accepts any address",
        "selective": "refuses addresses that nobody has",
        "not_served": "not served by its host",
        "refuses_some": "has refused us for some",
        "greylists": "makes newcomers wait",
        "no_contrast": "leaves the control open",
        "breaks_tls": "offers TLS that fails",
        "refuses_callouts": "wants no callouts",
    }
)


def label(word: object) -> str:
    """A member of a closed set, such as `no_such_mailbox`, in words."""
    text = str(word)
    return _LABELS.get(text, text.replace("_", " "))


# What was told early: such an answer has no other reason, and met with no deadline.
EARLY = "accepted, control open"


def reason_of(report: Report) -> str:
    """Why a verdict is what it is, in words."""
    early = report.settled and report.reason is Reason.DEADLINE
    return EARLY if early else label(report.reason)


_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        Kind.DUNNO: "passes",
        Kind.DEFER_IF_PERMIT: "comes back later",
        Kind.DEFER: "comes back later",
        Kind.REFUSE: "refused",
    }
)


def action(text: str) -> str:
    """What becomes of a mail, by the words that its MTA was told."""
    kind = text.partition(" ")[0]
    return _ACTIONS.get(kind, label(kind))


_DOING: Mapping[Stage | None, str] = MappingProxyType(
    {
        None: "waits for its turn",
        Stage.ROUTE: "looks up the hosts of the domain",
        Stage.CONNECT: "connects",
        Stage.GREETING: "waits for the greeting",
        Stage.EHLO: "waits for the answer to EHLO",
        Stage.HELO: "waits for the answer to HELO",
        Stage.STARTTLS: "waits for the answer to STARTTLS",
        Stage.TLS: "shakes hands for TLS",
        Stage.AUTH: "logs in",
        Stage.MAIL: "waits for the answer to MAIL",
        Stage.RCPT: "waits for the answer to RCPT",
        Stage.VRFY: "waits for the answer to VRFY",
        Stage.RSET: "waits for the answer to RSET",
        Stage.QUIT: "says goodbye",
    }
)


def doing(stage: Stage | None) -> str:
    """What a callout does whose next answer is that of `stage`."""
    return _DOING[stage]


def mark(word: str) -> str:
    """The sign that stands before a verdict or a severity, so that colour is not all there is."""
    return _MARKS.get(word, "•")
