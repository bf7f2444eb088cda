"""What we log, count and audit: one record an event. Not here: writing them (doors/log.py)."""

import traceback
from typing import Self

from .evidence import Exchange
from .fitness import Fitness
from .query import Report
from .record import Record


class Decided(Record, frozen=True):
    """A door told an MTA what to do."""

    door: str  # "policy", …
    purpose: str
    address: str
    client: str  # the client's IP address
    action: str  # what `enforce` says
    told: str  # what the MTA was told: DUNNO while observing
    report: Report
    took_s: float


class Answered(Record, frozen=True):
    """A program asked about an address, and got a report: no mail hangs on it here."""

    door: str
    purpose: str
    address: str
    client: str  # the IP address whose mail raised the question; "": an operator asks
    report: Report
    took_s: float


class Requested(Record, frozen=True):
    """A door for programs was asked for something, and answered with a status."""

    door: str
    client: str  # who asked: the name of a token, or an IP address or network
    method: str
    route: str  # "/v1/reports/{name:str}"; "" where there is none
    status: int
    took_s: float


class CalledOut(Record, frozen=True):
    """A callout ended, after `connections` connections."""

    address: str
    purpose: str
    connections: int
    hosts: tuple[str, ...]
    reason: str
    rule: str
    took_s: float
    evidence: tuple[Exchange, ...] = ()
    askers: int = 1  # how many it has answered


class DoorClosed(Record, frozen=True):
    """A client of ours was sent away for what it sent."""

    door: str
    peer: str
    why: str


class Trouble(Record, frozen=True):
    """Something of ours failed. Mail is never rejected for it."""

    where: str
    what: str
    remedy: str = ""
    trace: str = ""  # where in the program it happened, for a bug of ours

    @classmethod
    def of_bug(cls, where: str, error: BaseException) -> Self:
        """An error that nobody foresaw, with all that is known of it."""
        trace = "".join(traceback.format_exception(error))
        return cls(where, repr(error), "this is a bug: please report it", trace)


class Examined(Record, frozen=True):
    """Our own identity was looked at, and something is not as it was told before, or still unfit."""

    fitness: Fitness
    may_call: bool  # False: no callouts until it is fit


class Lifecycle(Record, frozen=True):
    """The service started, listens, drains, stopped."""

    what: str
    detail: str = ""


Event = Decided | Answered | Requested | CalledOut | DoorClosed | Trouble | Examined | Lifecycle
