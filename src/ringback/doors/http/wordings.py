"""Names of closed sets as pages write them. Not here: sentences about them (doors/words.py)."""

from collections.abc import Mapping
from types import MappingProxyType

from ...rules.actions import Kind
from ...values.fitness import Severity
from ...values.verdict import Verdict

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
        "breaks_tls": "breaks TLS",
        "refuses_vrfy": "refuses VRFY",
    }
)


def label(word: object) -> str:
    """A member of a closed set, such as `no_such_mailbox`, in words."""
    text = str(word)
    return _LABELS.get(text, text.replace("_", " "))


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


def mark(word: str) -> str:
    """The sign that stands before a verdict or a severity, so that colour is not all there is."""
    return _MARKS.get(word, "•")
