"""The reply to EHLO: which extensions a host offers. Not here: using them (wire/probe.py).

Grammar: RFC 5321 section 4.1.1.1. The first line greets; each further one names an extension.
"""

from functools import lru_cache

from ..values.record import Record
from .reply import Reply


class Extensions(Record, frozen=True):
    """The extensions a callout can use; all else a host offers is nothing to us."""

    starttls: bool = False  # RFC 3207
    pipelining: bool = False  # RFC 2920
    smtputf8: bool = False  # RFC 6531
    auth: frozenset[str] = frozenset()  # RFC 4954: the mechanisms that we know


_MECHANISMS = frozenset({"PLAIN", "LOGIN"})
_NONE: frozenset[str] = frozenset()
# Hosts repeat themselves: so many replies to EHLO are kept as read, of 64 KiB at most.
MAX_REMEMBERED = 32


@lru_cache(MAX_REMEMBERED)
def parse_extensions(reply: Reply) -> Extensions:
    """Read a 2xx reply to EHLO."""
    lines = [line.upper().split(" ") for line in reply.lines[1:]]
    words = {line[0] for line in lines}
    mechanisms = {name for first, *names in lines if first == "AUTH" for name in names}
    return Extensions(
        starttls="STARTTLS" in words,
        pipelining="PIPELINING" in words,
        smtputf8="SMTPUTF8" in words,
        auth=_MECHANISMS & mechanisms if mechanisms else _NONE,
    )
