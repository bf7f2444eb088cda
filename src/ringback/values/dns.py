"""Answers of the DNS, with the differences that verdicts depend on kept apart.

Not here: asking (net/resolver.py).
"""

from enum import StrEnum

from .record import Record


class RecordType(StrEnum):
    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    TXT = "TXT"
    PTR = "PTR"


class DnsStatus(StrEnum):
    """How a question ended."""

    OK = "ok"  # at least one record of the type
    NODATA = "nodata"  # the name exists, without that type
    NXDOMAIN = "nxdomain"  # the name does not exist
    FAILURE = "failure"  # SERVFAIL, REFUSED, timeout, nonsense: nothing was learned


class Question(Record, frozen=True):
    """What a machine without I/O wants to know of the DNS."""

    name: str  # absolute, without a final dot
    kind: RecordType


class Mx(Record, frozen=True):
    """One MX record. `host` is "" for the root, which is a null MX (RFC 7505)."""

    preference: int
    host: str


class DnsAnswer(Record, frozen=True):
    """The answer to one question. `detail` says in words what went wrong, for FAILURE."""

    name: str
    kind: RecordType
    status: DnsStatus
    mx: tuple[Mx, ...] = ()  # for MX
    texts: tuple[str, ...] = ()  # for every other type: addresses, names, strings
    ttl_s: float = 0.0  # when it came
    detail: str = ""
