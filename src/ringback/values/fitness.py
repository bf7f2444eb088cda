"""How fit we are to call anyone: what was examined of our own identity, and what was found.

Not here: examining it (rules/fitness.py), gathering it (engine/doctor.py).
"""

from enum import StrEnum

from .record import Record


class Severity(StrEnum):
    """What a finding means for callouts."""

    OK = "ok"
    WARNING = "warning"  # callouts go on; somebody may hold it against us
    FATAL = "fatal"  # nobody may be called, unless it is the DNS that is silent
    UNKNOWN = "unknown"  # the DNS or a host gave no answer to this one; that is not unfit


class Aspect(StrEnum):
    """What is looked at, in the order in which it is told."""

    CONTACT = "contact"  # there is somebody to complain to
    SOURCE = "source"  # the addresses that we call from
    REVERSE_NAME = "reverse_name"  # a PTR record whose name leads back
    HELO_NAME = "helo_name"  # it leads to the source
    SPF = "spf"  # of the HELO name
    BLOCK_LIST = "block_list"
    OWN_MAIL = "own_mail"  # whether the source sends mail, too
    DNS = "dns"  # whether it answers, and is honest about names that do not exist
    CONTACT_MAIL = "contact_mail"  # whether the contact takes mail
    PROBE_SENDER = "probe_sender"  # whether the envelope sender of callouts does
    PORT = "port"  # whether mail exchangers can be reached, and what they say of us
    CLOCK = "clock"


class Finding(Record, frozen=True):
    """One thing that was looked at. `subject` is the address, name or list that it is about."""

    what: Aspect
    severity: Severity
    text: str
    remedy: str = ""  # what to do; "" where all is well
    subject: str = ""


class Fitness(Record, frozen=True):
    """All findings of one examination."""

    findings: tuple[Finding, ...]

    @property
    def is_fit(self) -> bool:
        return not self.of(Severity.FATAL)

    @property
    def forbidding(self) -> tuple[Finding, ...]:
        """What forbids callouts: not that the DNS is silent, since each finds out anew whether it is."""
        return tuple(found for found in self.of(Severity.FATAL) if found.what is not Aspect.DNS)

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(found for found in self.findings if found.severity is severity)

    def has(self, what: Aspect, severity: Severity) -> bool:
        return any(found.what is what for found in self.of(severity))
