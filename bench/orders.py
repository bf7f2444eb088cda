"""What a load generator is told to do, and what it tells of it, as JSON between processes.

Not here: doing it (load.py, and the drivers of libraries in rivals/).
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from .places import ANSWERS_AT_ONCE, mailbox

# A prime that divides no number of mailboxes: all are gone round, and neighbours are far apart.
_STRIDE = 7_368_787


class Way(StrEnum):
    """How a question is put."""

    POLICY = "policy"  # to a policy service, as Postfix does
    SMTP = "smtp"  # to an MTA that verifies senders, by a transaction up to RCPT
    SMTP_EACH = "smtp_each"  # the same, in a session of its own for each
    MILTER = "milter"  # to a milter, as an MTA does
    LIBRARY = "library"  # to nobody: the program that has the order verifies itself
    CALLOUT = "callout"  # to the hosts themselves: no verifier between


@dataclass(frozen=True, slots=True)
class Order:
    """`askers` ask without a pause, each on a connection of its own, for `seconds` or `questions`."""

    way: Way
    host: str
    port: int
    askers: int
    first: int  # the number of the first mailbox, so that they are new
    seconds: float
    questions: int = 0  # 0: as many as there is time for
    domains: int = 1_000
    kind: str = ANSWERS_AT_ONCE
    known: int = 0  # go round among so many mailboxes, in no order; 0: each is a new one
    depth: int = 1  # questions that each asker has open at a time

    def address(self, turn: int) -> str:
        number = self.first + (turn * _STRIDE % self.known if self.known else turn)
        return mailbox(number, self.kind, self.domains)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order: the latencies of all answers, and what they said."""

    seconds: float
    took_ms: list[float]
    said: dict[str, int]
    cpu_s: float = 0.0  # of a library, which does the order in its own process

    @property
    def rate(self) -> float:
        return len(self.took_ms) / self.seconds

    def quantile_ms(self, share: float) -> float:
        """The latency that `share` of the answers did not exceed."""
        ordered = sorted(self.took_ms)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def write_order(order: Order) -> bytes:
    """One line."""
    return msgspec.json.encode(order) + b"\n"


def read_order(octets: bytes) -> Order:
    return msgspec.json.decode(octets, type=Order)


def write_outcome(outcome: Outcome) -> bytes:
    """One line."""
    return msgspec.json.encode(outcome) + b"\n"


def read_outcome(octets: bytes) -> Outcome:
    return msgspec.json.decode(octets, type=Outcome)
