"""Callbacks → who makes them, how many, and of whom they ask. Pure, in bounded memory.

A caller is an organisation, by the confirmed reverse name of its hosts, else a network. Not here: what a
callback is (rules/callbacks.py), and what one can do about it (doors/).
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ..values.record import Record
from .burden import network_of
from .callbacks import Callback, Ground, Maker, Sureness
from .organisation import Organisation
from .pacing import HOUR_S
from .spotting import Bounce, Sighting

# Far more than one will write to: some 50 MB. Where all that they say is as long as it may be, 400 MB in
# ASCII, and thrice that in the widest characters. When there are more, those with the fewest callbacks go,
# half at once.
MAX_CALLERS = 10_000
# Whose bounces were seen, by name and by network; the oldest go. Most sites that send mail are here.
MAX_BOUNCERS = 100_000
# Recipients that are held, of all callers together, to tell how many different ones there are.
MAX_RECIPIENTS = 200_000
# Of each caller: what helps a person to see who it is, and what it does.
MAX_EXAMPLES, MAX_NAMES = 4, 10


class Caller(Record, frozen=True):
    """Who called, and what is known of it. Instants are Unix seconds.

    Of `recipients`, those named in the log are counted; `at_least` says that there were too many to count.
    `accepted` counts RCPTs, `peak` the callbacks of the busiest hour by the clock, which began at `peak_at`.
    """

    name: str
    sessions: int
    first_at: float
    last_at: float
    grounds: Mapping[Ground, int]
    makers: Mapping[Maker, int]
    recipients: int
    missing: int
    at_least: bool
    accepted: int
    peak: int
    peak_at: float
    bounces: int
    ips: tuple[str, ...]
    hosts: tuple[str, ...]
    helos: tuple[str, ...]
    senders: tuple[str, ...]
    examples: tuple[Callback, ...]

    @property
    def is_network(self) -> bool:
        """Is it counted under a network, for want of a confirmed name?"""
        return "/" in self.name or self.name in self.ips

    @property
    def certain(self) -> int:
        """How many of its sessions were callbacks for sure."""
        return sum(
            count for ground, count in self.grounds.items() if ground.sureness is Sureness.CERTAIN
        )


class Others(Record, frozen=True):
    """Callers of whom no more is known than how many, and how many sessions they had.

    One that went and came again counts twice.
    """

    callers: int = 0
    sessions: int = 0

    def plus(self, more: Iterable["_Tally | Caller"]) -> "Others":
        counts = [one.sessions for one in more]
        return Others(self.callers + len(counts), self.sessions + sum(counts))


class CallersSeen(Record, frozen=True):
    """All of them: those that are certain first, of each kind the busiest.

    `bouncing` bring bounces, and sessions of theirs that may have been bounces to forged senders are set
    aside: of these are `sessions` and `grounds` there, the rest is of all that they did. `dropped` were too
    many to keep.
    """

    callers: tuple[Caller, ...]
    bouncing: tuple[Caller, ...]
    dropped: Others


@dataclass(slots=True)
class _Tally:
    """What is counted of one caller."""

    first_at: float
    last_at: float
    sessions: int = 0
    grounds: Counter[Ground] = field(default_factory=Counter)
    makers: Counter[Maker] = field(default_factory=Counter)
    recipients: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    at_least: bool = False
    accepted: int = 0
    hour: int = 0
    in_hour: int = 0
    peak: tuple[int, int] = (0, 0)  # count and hour
    # Dictionaries for their order.
    ips: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    helos: dict[str, None] = field(default_factory=dict)
    senders: dict[str, None] = field(default_factory=dict)
    examples: list[Callback] = field(default_factory=list)
    # Of the same caller, without what a bounce would have done as well; its recipients are among these.
    asking: "_Tally | None" = None

    def hear(self, callback: Callback, room: int) -> int:
        """Count a callback, and recipients if there is room for so many; return how many it took."""
        if not callback.ground.may_be_bounce:
            if self.asking is None:
                self.asking = _Tally(callback.at, callback.at)
            self.asking.count(callback)
            self.asking.count_recipients(callback, room)
        self.count(callback)
        return self.count_recipients(callback, room)

    def count(self, callback: Callback) -> None:
        self.first_at = min(self.first_at, callback.at)
        self.last_at = max(self.last_at, callback.at)
        self.sessions += 1
        self.grounds[callback.ground] += 1
        self.makers[callback.maker] += 1
        self.accepted += callback.unnamed + sum(not one.code for one in callback.asked)
        self._count_hour(int(callback.at // HOUR_S))
        client = callback.client
        for kept, text in (
            (self.ips, client.ip),
            (self.hosts, client.name),
            (self.helos, client.helo),
            (self.senders, callback.sender),
        ):
            if text is not None and len(kept) < MAX_NAMES:
                kept[text] = None
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(callback)

    def _count_hour(self, hour: int) -> None:
        """Logs are read in the order of time: what is over comes again only where a clock steps back."""
        self.in_hour = self.in_hour + 1 if hour == self.hour else 1
        self.hour = hour
        self.peak = max(self.peak, (self.in_hour, hour), key=lambda counted: counted[0])

    def count_recipients(self, callback: Callback, room: int) -> int:
        """Count those that were not seen yet, if there is room for so many; return how many it took."""
        # A control is nobody's, and Exim's is new each time; what has no domain is no address.
        named = [one for one in callback.asked if "@" in one.recipient and not one.is_control]
        new = {one.recipient for one in named} - self.recipients
        if len(new) > room:
            self.at_least = True
            return 0
        self.recipients |= new
        self.missing |= {one.recipient for one in named if one.missing}
        return len(new)


class Callers:
    """Counts who calls. `organisation_of` says which domain a host's name belongs to."""

    def __init__(self, organisation_of: Organisation) -> None:
        self._organisation_of = organisation_of
        self._tallies: dict[str, _Tally] = {}
        self._bounces: OrderedDict[str, int] = OrderedDict()
        self._room = MAX_RECIPIENTS
        self._dropped = Others()

    def name_of(self, ip: str, host: str) -> str:
        """Under which name one is counted."""
        return self._organisation_of(host) if "." in host else network_of(ip)

    def hear(self, sighting: Sighting) -> None:
        """Count a callback, or a bounce."""
        name = self.name_of(sighting.client.ip, sighting.client.name)
        if isinstance(sighting, Bounce):
            # By network, too: its name may not have been found when it was put off.
            for bouncer in {name, network_of(sighting.client.ip)}:
                self._note_bounce(bouncer)
            return
        tally = self._tallies.get(name)
        if tally is None:
            self._make_room()
            tally = self._tallies[name] = _Tally(sighting.at, sighting.at)
        self._room -= tally.hear(sighting, self._room)

    def _note_bounce(self, name: str) -> None:
        self._bounces[name] = self._bounces.get(name, 0) + 1
        self._bounces.move_to_end(name)
        if len(self._bounces) > MAX_BOUNCERS:
            self._bounces.popitem(last=False)

    def _make_room(self) -> None:
        if len(self._tallies) < MAX_CALLERS:
            return
        ordered = sorted(self._tallies, key=lambda name: self._tallies[name].sessions)
        gone = [self._tallies.pop(name) for name in ordered[: MAX_CALLERS // 2]]
        self._dropped = self._dropped.plus(gone)
        self._room += sum(len(tally.recipients) for tally in gone)

    def seen(self) -> CallersSeen:
        """What is known by now."""
        callers: list[Caller] = []
        bouncing: list[Caller] = []
        for name, tally in self._tallies.items():
            bounces = self._bounces_of(name, tally)
            caller = _caller(name, tally, bounces)
            if not bounces:
                callers.append(caller)
                continue
            if tally.asking is not None:
                callers.append(_caller(name, tally.asking, bounces))
            bouncing.extend(_set_aside(caller))
        return CallersSeen(_ordered(callers), _ordered(bouncing), self._dropped)

    def _bounces_of(self, name: str, tally: _Tally) -> int:
        """By its networks, too: its name may not have been found when it brought them."""
        return max(self._bounces.get(one, 0) for one in (name, *map(network_of, tally.ips)))


def _caller(name: str, tally: _Tally, bounces: int) -> Caller:
    peak, hour = tally.peak
    return Caller(
        name,
        tally.sessions,
        tally.first_at,
        tally.last_at,
        dict(tally.grounds),
        dict(tally.makers),
        len(tally.recipients),
        len(tally.missing),
        tally.at_least,
        tally.accepted,
        peak,
        hour * HOUR_S,
        bounces,
        tuple(tally.ips),
        tuple(filter(None, tally.hosts)),
        tuple(filter(None, tally.helos)),
        tuple(tally.senders),
        tuple(tally.examples),
    )


def _set_aside(caller: Caller) -> Iterator[Caller]:
    """What of one that brings bounces may have been bounces, if any."""
    grounds = {ground: count for ground, count in caller.grounds.items() if ground.may_be_bounce}
    if grounds:
        yield caller.but(sessions=sum(grounds.values()), grounds=grounds)


def _ordered(callers: Iterable[Caller]) -> tuple[Caller, ...]:
    ordered = sorted(callers, key=lambda one: (not one.certain, -one.sessions, one.name))
    return tuple(ordered)
