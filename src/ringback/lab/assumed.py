"""Hosts that nobody calls: what they would have answered, as far as it is known, else as it is assumed.

They take part in the conversation of the real probe, so that all that follows from it is real.
Not here: who is called (the engine), and what calls are counted as (tally.py).
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from enum import StrEnum

from ..engine.ports import Clock
from ..errors import AddressError
from ..values.address import parse_address
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault
from ..wire.probe import Probe

# Mailboxes that the log itself has shown. Some 150 bytes each; the oldest goes first.
MAX_SHOWN = 200_000

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


Remembered = Callable[[str], Awaitable[Standing | None]]


async def nothing_remembered(_: str) -> None:
    """There is no store to look into."""


class Mailboxes:
    """What is known of mailboxes. `told` counts the answers by where they came from."""

    def __init__(self, assumed: Standing, remembered: Remembered = nothing_remembered) -> None:
        self._assumed, self._remembered = assumed, remembered
        self._shown: dict[str, Standing] = {}

    def note(self, address: str, standing: Standing) -> None:
        """The log shows what a host has said of `address`."""
        key = _key(address)
        if key not in self._shown and len(self._shown) >= MAX_SHOWN:
            del self._shown[next(iter(self._shown))]
        self._shown[key] = standing

    async def find(self, address: str) -> tuple[Standing, Source]:
        key = _key(address)
        if remembered := await self._remembered(key):
            return remembered, Source.STORE
        if shown := self._shown.get(key):
            return shown, Source.LOG
        return self._assumed, Source.ASSUMED


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
