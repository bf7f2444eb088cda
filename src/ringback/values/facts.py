"""What is remembered of domains and hosts. A fact carries the exchanges that show it.

Not here: how long facts hold (rules/freshness.py).
"""

from enum import StrEnum
from math import inf

from .evidence import Exchange
from .record import Record


class DomainFact(StrEnum):
    """Of a recipient domain, whatever the mailbox."""

    ACCEPTS_ANY = "accepts_any"  # the control was accepted
    SELECTIVE = "selective"  # the control was permanently refused
    REFUSES_NULL_SENDER = "refuses_null_sender"
    NOT_SERVED = (
        "not_served"  # the host that its MX names relays nothing for it: no business of its
    )
    REFUSES_VRFY = "refuses_vrfy"  # 252 or 5xx to VRFY: the owner does not want it


class HostFact(StrEnum):
    """Of one host, keyed by the address connected."""

    REFUSES_US = "refuses_us"  # us, or us for one domain: then the subject is the pair
    REFUSES_SOME = "refuses_some"  # us, for some domain or mailbox: its weak words are not believed
    GREYLISTS = "greylists"  # `window_s` is how long it makes newcomers wait, where it said so
    NO_CONTRAST = "no_contrast"  # for one domain: its answer to the control settled nothing
    BREAKS_TLS = "breaks_tls"  # offers STARTTLS and fails at it: ask in clear
    REFUSES_CALLOUTS = "refuses_callouts"  # said in words that it wants none: an opt-out


FactKind = DomainFact | HostFact
# Where a fact stands among all of its kind, the one noted last first: `noted_at` and `subject`.
FactPlace = tuple[float, str]
FIRST_PLACE: FactPlace = (inf, "")


class Fact(Record, frozen=True):
    """One fact about `subject`: a domain as A-labels, or the IP address of a host."""

    subject: str
    kind: FactKind
    noted_at: float
    expires_at: float
    evidence: tuple[Exchange, ...] = ()
    window_s: float | None = None
    strikes: int = 1  # refusals of us without a success between: each doubles the pause

    @property
    def place(self) -> FactPlace:
        return self.noted_at, self.subject
