"""The question every door asks, and the answer it gets. Not here: what an MTA is told (rules/actions.py)."""

from enum import StrEnum
from typing import Final

from .evidence import Exchange
from .record import Record
from .verdict import BLAME_OF, VERDICT_OF, Blame, Reason, Verdict


class Purpose(StrEnum):
    """What the answer is for."""

    SENDER = "sender"  # may the envelope sender of a message take a bounce?
    RECIPIENT = "recipient"  # does the next hop have this recipient?
    BULK = "bulk"  # a list or a sign-up, with consent


# To find a member in its class takes Python 3.11 ten times as long, and every answer looks some up.
SENDER: Final = Purpose.SENDER
RECIPIENT: Final = Purpose.RECIPIENT


class Client(Record, frozen=True):
    """The SMTP client whose mail raised the question."""

    address: str  # IP address; "" if it came some other way
    name: str = ""  # confirmed reverse name; "" if there is none
    helo: str = ""
    authenticated: bool = False


class Query(Record, frozen=True):
    """One question. The asker's patience (`answer_by_at`, Unix seconds) travels with it."""

    address: str  # as received, without angle brackets
    purpose: Purpose = Purpose.SENDER
    client: Client | None = None  # None: an operator asks
    recipient: str = ""  # of the message that raised the question
    answer_by_at: float | None = None  # None: wait for the whole callout
    fresh: bool = False  # do not answer from the store
    # Whether a mail that is to come back is told so. Who only observes learns nothing of who would.
    puts_off: bool = True
    sender: str = ""  # of the message whose recipient `address` is


class Flags(Record, frozen=True):
    """Facts about the look of an address. They never change a verdict."""

    role: bool = False
    disposable: bool = False
    free: bool = False
    tagged: bool = False
    suggestion: str | None = None


class Report(Record, frozen=True):
    """The answer: a verdict with all that it rests on. Instants are Unix seconds."""

    address: str
    reason: Reason
    final: bool
    checked_at: float
    rule: str  # which rule decided, in words
    expires_at: float | None = None
    retry_at: float | None = None
    from_cache: bool = False
    callouts: int = 0  # connections this answer cost
    gate: str = ""  # which gate said no, for `not_asked`
    questions: int = 0  # to DNS, of the gates and of the callout that it began
    settled: bool = False  # provisional, but what is still open cannot change the action
    because: Exchange | None = None
    evidence: tuple[Exchange, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return VERDICT_OF[self.reason]

    @property
    def blame(self) -> Blame:
        return BLAME_OF[self.reason]
