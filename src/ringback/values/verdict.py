"""What is known of an address: the closed sets of evidence.md sections 2 and 3.

Not here: how they follow from evidence (rules/outcomes.py, rules/conclude.py).
"""

from enum import StrEnum
from types import MappingProxyType

from .evidence import Exchange
from .record import Record


class Outcome(StrEnum):
    """What one host did (evidence.md section 2)."""

    ACCEPTED = "accepted"
    UNSURE = "unsure"  # it answered, and the answer does not settle the mailbox
    REJECTED = "rejected"  # a permanent refusal of this mailbox
    DEFERRED = "deferred"  # not now
    FULL = "full"
    NO_BOUNCES = "no_bounces"  # refuses the null sender
    REFUSED = "refused"  # refuses us, or the conversation, not the mailbox
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"  # not SMTP


class Verdict(StrEnum):
    """Three, never more."""

    DELIVERABLE = "deliverable"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"


class Blame(StrEnum):
    """Whose doing the verdict is."""

    ADDRESS = "address"
    PEER = "peer"
    US = "us"
    NETWORK = "network"
    POLICY = "policy"


class Reason(StrEnum):
    """Why: one closed set. VERDICT_OF and BLAME_OF say what each entails."""

    ACCEPTED = "accepted"  # and a control was permanently refused
    BAD_SYNTAX = "bad_syntax"
    NO_SUCH_DOMAIN = "no_such_domain"
    NO_MAIL_HOST = "no_mail_host"
    NULL_MX = "null_mx"
    NO_SUCH_MAILBOX = "no_such_mailbox"
    MAILBOX_DISABLED = "mailbox_disabled"
    MAILBOX_MOVED = "mailbox_moved"
    ACCEPTS_ANY = "accepts_any"  # the control was accepted too
    REFUSES_ANY = "refuses_any"  # postmaster is refused in the same way
    REFUSES_NULL_SENDER = "refuses_null_sender"
    AMBIGUOUS_REPLY = "ambiguous_reply"  # 252, unread or contradictory
    POLICY_REFUSAL = "policy_refusal"  # content, authentication
    DOMAIN_NOT_SERVED = "domain_not_served"  # its own MX denies relaying for it
    GREYLISTED = "greylisted"
    PEER_IS_VERIFYING = "peer_is_verifying"
    PEER_TROUBLE = "peer_trouble"
    PROTOCOL_ERROR = "protocol_error"
    TLS_REQUIRED = "tls_required"
    NEEDS_SMTPUTF8 = "needs_smtputf8"
    MAILBOX_FULL = "mailbox_full"
    REFUSES_US = "refuses_us"
    RATE_LIMITED = "rate_limited"
    IDENTITY_UNFIT = "identity_unfit"
    OUR_TROUBLE = "our_trouble"
    DNS_FAILURE = "dns_failure"
    UNREACHABLE = "unreachable"
    OPTED_OUT = "opted_out"
    OVER_BUDGET = "over_budget"
    NOT_ASKED = "not_asked"  # a gate said no; the report names it
    DEADLINE = "deadline"  # provisional: the callout goes on


_BY_VERDICT_AND_BLAME: dict[tuple[Verdict, Blame], tuple[Reason, ...]] = {
    (Verdict.DELIVERABLE, Blame.ADDRESS): (Reason.ACCEPTED,),
    (Verdict.UNDELIVERABLE, Blame.ADDRESS): (
        Reason.BAD_SYNTAX,
        Reason.NO_SUCH_DOMAIN,
        Reason.NO_MAIL_HOST,
        Reason.NULL_MX,
        Reason.NO_SUCH_MAILBOX,
        Reason.MAILBOX_DISABLED,
        Reason.MAILBOX_MOVED,
    ),
    (Verdict.UNKNOWN, Blame.ADDRESS): (Reason.MAILBOX_FULL,),
    (Verdict.UNKNOWN, Blame.PEER): (
        Reason.ACCEPTS_ANY,
        Reason.REFUSES_ANY,
        Reason.REFUSES_NULL_SENDER,
        Reason.AMBIGUOUS_REPLY,
        Reason.POLICY_REFUSAL,
        Reason.DOMAIN_NOT_SERVED,
        Reason.GREYLISTED,
        Reason.PEER_IS_VERIFYING,
        Reason.PEER_TROUBLE,
        Reason.PROTOCOL_ERROR,
        Reason.TLS_REQUIRED,
        Reason.NEEDS_SMTPUTF8,
    ),
    (Verdict.UNKNOWN, Blame.US): (
        Reason.REFUSES_US,
        Reason.RATE_LIMITED,
        Reason.IDENTITY_UNFIT,
        Reason.OUR_TROUBLE,
    ),
    (Verdict.UNKNOWN, Blame.NETWORK): (Reason.DNS_FAILURE, Reason.UNREACHABLE),
    (Verdict.UNKNOWN, Blame.POLICY): (
        Reason.OPTED_OUT,
        Reason.OVER_BUDGET,
        Reason.NOT_ASKED,
        Reason.DEADLINE,
    ),
}
VERDICT_OF = MappingProxyType(
    {reason: verdict for (verdict, _), group in _BY_VERDICT_AND_BLAME.items() for reason in group}
)
BLAME_OF = MappingProxyType(
    {reason: blame for (_, blame), group in _BY_VERDICT_AND_BLAME.items() for reason in group}
)


class Conclusion(Record, frozen=True):
    """What evidence says of an address.

    `final`: waiting changes nothing until the verdict expires. `settled`: the address itself was
    accepted, and all that is open is the contrast. `because` is the exchange that decided; `rule`
    says in words why it did.
    """

    reason: Reason
    final: bool
    rule: str
    because: Exchange | None = None
    settled: bool = False

    @property
    def verdict(self) -> Verdict:
        return VERDICT_OF[self.reason]
