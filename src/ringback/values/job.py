"""A list of addresses, and the jobs that it comes to: each address once, until it has its report.

Not here: asking (engine/bulk.py), where jobs are kept (store/), and the files that lists come from (doors/).
"""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import AddressError
from .address import MAX_ADDRESS_OCTETS, parse_address
from .query import Purpose, Report
from .record import Record
from .text import printable
from .verdict import Reason

# What is no address and longer is refused for its length alone: the rest of it would change nothing.
MAX_TEXT_CHARS = MAX_ADDRESS_OCTETS + 1
# Before what is no address: no address begins with it, however much the rest looks like one.
_NO_ADDRESS = " "


class Task(Record, frozen=True):
    """Whom a list asks about: an address under its key, or what is none under its own text, marked."""

    key: str
    domain: str  # "" for what is no address

    @classmethod
    def parse(cls, text: str) -> "Task":
        """Read one address of a list. Total: what cannot be an address is a task too, soon done."""
        try:
            address = parse_address(text)
        except AddressError:
            return cls(_NO_ADDRESS + printable(text, limit=MAX_TEXT_CHARS), "")
        return cls(address.key, address.domain)


def text_of(key: str) -> str:
    """The text of what is no address."""
    return key.removeprefix(_NO_ADDRESS)


class Digest:
    """What a list is known by: its addresses in their order, and what they are asked for."""

    def __init__(self, purpose: Purpose = Purpose.BULK) -> None:
        self._hash = hashlib.sha256(purpose.encode())

    def add(self, task: Task) -> None:
        key = task.key.encode()
        self._hash.update(b"%d:%b," % (len(key), key))

    def hex(self) -> str:
        return self._hash.hexdigest()


class JobList(Record, frozen=True):
    """A list that is being worked on. `number` names it in its store."""

    number: int
    digest: str
    made_at: float
    is_whole: bool = False  # all its jobs are written down


class Job(Record, frozen=True):
    """One address of a list. Without an instant when it is due, it is done."""

    list: int  # JobList.number
    key: str
    domain: str
    due_at: float | None = 0.0
    tries: int = 0  # how often its answer was to come back
    callouts: int = 0  # what all its answers have cost
    report: Report | None = (
        None  # the last one, to be kept; None before the first, and when it is taken
    )


class Due(Record, frozen=True):
    """What may be asked of one domain now."""

    domain: str
    jobs: tuple[Job, ...]


class Taken(Record, frozen=True):
    """What was taken from a list, and when the first of the rest is due; None: nothing is left to take."""

    due: tuple[Due, ...] = ()
    next_at: float | None = None


class Tally(Record, frozen=True):
    """How far a list has come."""

    waiting: int = 0  # addresses without their last word
    done: Mapping[Reason, int] = MappingProxyType({})
    callouts: int = 0  # connections that they have cost

    @property
    def total(self) -> int:
        return self.waiting + sum(self.done.values())


class DomainTally(Record, frozen=True):
    """What came of the addresses in one domain."""

    domain: str
    waiting: int
    done: Mapping[Reason, int]

    @property
    def total(self) -> int:
        return self.waiting + sum(self.done.values())
