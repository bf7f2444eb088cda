"""Hosts that nobody calls: what they would have answered, as far as it is known, else as it is assumed.

They take part in the conversation of the real probe, so that all that follows from it is real.
Not here: who is called (the engine), and what calls are counted as (tally.py).
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum

from ..engine.ports import Clock, Resolver
from ..errors import AddressError
from ..values.address import parse_address
from ..values.dns import RecordType
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault
from ..values.record import Record
from ..wire.probe import Probe

# Mailboxes that the log itself has shown. Some 150 bytes each; the oldest goes first.
MAX_SHOWN = 200_000
_NOT_IN_NAMES = re.compile(r"\.?[^\w.-]+|\.$")

_GREETING = b"220 ESMTP\r\n"
_SAYS = {
    "EHLO": b"250 nobody is called\r\n",
    "HELO": b"250 nobody is called\r\n",
    "MAIL": b"250 2.1.0 Ok\r\n",
    "RSET": b"250 2.0.0 Ok\r\n",
    "VRFY": b"252 2.1.5 Cannot say\r\n",
    "QUIT": b"221 2.0.0 Bye\r\n",
}
_NOT_KNOWN_COMMAND = b"502 5.5.1 Not here\r\n"


class Standing(StrEnum):
    """What a host says of one of its mailboxes."""

    EXISTS = "deliverable"
    MISSING = "undeliverable"
    UNSAID = "unknown"


_TO_RCPT = {
    Standing.EXISTS: b"250 2.1.5 Ok\r\n",
    Standing.MISSING: b"550 5.1.1 User unknown\r\n",
    Standing.UNSAID: b"451 4.3.0 Temporary failure, try again later\r\n",
}


class Source(StrEnum):
    """Whence a standing is known."""

    STORE = "store"
    LOG = "log"
    ASSUMED = "assumed"


class Shown(Record, frozen=True):
    """What was said of a mailbox, when (Unix seconds), and by whom, as a log names it.

    Without a `relay` it is the word of a host of the mailbox's domain.
    """

    standing: Standing
    at: float
    relay: str = ""


Remembered = Callable[[str], Shown | None]


def nothing_remembered(_: str) -> None:
    """There is no store to look into."""


class Mailboxes:
    """What is known of mailboxes. `resolver` tells whether a host is one of their domain."""

    def __init__(
        self,
        assumed: Standing,
        remembered: Remembered = nothing_remembered,
        resolver: Resolver | None = None,
    ) -> None:
        self._assumed, self._remembered, self._resolver = assumed, remembered, resolver
        self._shown: dict[tuple[str, Standing], Shown] = {}

    def note(self, address: str, shown: Shown) -> None:
        """The log shows what a host has said of `address`."""
        key = _key(address), shown.standing
        if self._shown.pop(key, None) is None and len(self._shown) >= MAX_SHOWN:
            del self._shown[next(iter(self._shown))]
        self._shown[key] = shown

    async def find(self, address: str) -> tuple[Standing, Source]:
        """What was said last, of those who can know."""
        key = _key(address)
        known = {
            shown: Source.LOG
            for standing in Standing
            if (shown := self._shown.get((key, standing))) and await self._can_know(key, shown)
        }
        if remembered := self._remembered(key):
            known[remembered] = Source.STORE
        if not known:
            return self._assumed, Source.ASSUMED
        last = max(known, key=lambda shown: shown.at)
        return last.standing, known[last]

    async def _can_know(self, key: str, shown: Shown) -> bool:
        """A smarthost or a filter takes mail for whomever; only a host of the domain knows its mailboxes."""
        if not shown.relay:
            return True
        if self._resolver is None:
            return False
        domain = key.rpartition("@")[2]
        found = await self._resolver.ask(domain, RecordType.MX)
        hosts = {mx.host.lower().removesuffix(".") for mx in found.mx} or {domain}
        return not hosts.isdisjoint(_NOT_IN_NAMES.split(shown.relay.lower()))


class AssumedHosts:
    """The Dialer of engine/ports.py. Each connection that would be made is told to `on_call`."""

    def __init__(
        self,
        clock: Clock,
        mailboxes: Mailboxes,
        is_control: Callable[[str], Awaitable[bool]],
        forbidden: Callable[[str], str | None],
        on_call: Callable[[Endpoint], Awaitable[None]],
    ) -> None:
        self._clock, self._mailboxes = clock, mailboxes
        self._is_control, self._forbidden, self._on_call = is_control, forbidden, on_call
        self.told: Counter[Source] = Counter()

    async def call(self, endpoint: Endpoint, probe: Probe, _: Patience) -> None:
        """Have the conversation that would be had with a host that answers at once."""
        now = self._clock.now()
        if why := self._forbidden(endpoint.ip):
            probe.lose(Fault.FORBIDDEN_NETWORK, why, now)
            return
        await self._on_call(endpoint)
        probe.connected(now)
        said = _GREETING
        while not probe.closed:
            heard = probe.receive(said, now)
            said = b"".join([await self._answer(line) for line in heard.splitlines()])
            if not said:
                probe.lose(Fault.CLOSED, "nothing was asked", now)

    async def _answer(self, line: bytes) -> bytes:
        verb, _, argument = line.decode("utf-8", "replace").partition(" ")
        if verb.upper() != "RCPT":
            return _SAYS.get(verb.upper(), _NOT_KNOWN_COMMAND)
        address = argument.partition("<")[2].rpartition(">")[0]
        if await self._is_control(address):
            return _TO_RCPT[Standing.MISSING]
        standing, source = await self._mailboxes.find(address)
        self.told[source] += 1
        return _TO_RCPT[standing]


def _key(address: str) -> str:
    try:
        return parse_address(address).key
    except AddressError:
        return address.lower()
