"""Hostile mail in virtual time through the real policy door and engine, and counters of their own at the hosts.

What hosts heard is counted here again, from their connections and RCPT commands, and held against the
budgets by another arithmetic than the engine's. Not here: the traces (test_*.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network

from ringback.doors.policy_server import PolicyServer
from ringback.engine.pacer import Pacer
from ringback.engine.ports import Store
from ringback.errors import StoreError
from ringback.lab.dice import Urn
from ringback.lab.harm import Scene, Told, busiest_hour
from ringback.lab.population import OURS, Population
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.lab.sim_engine import EngineReceiver, settings_for
from ringback.lab.sim_net import Burden, SimCall, SimDialer, SimHost, SimResolver
from ringback.lab.sites import Land
from ringback.lab.traffic import Message, Truth
from ringback.lab.zone import Node
from ringback.store.memory import MemoryStore
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Fault
from ringback.values.query import Client
from ringback.values.settings import Budget, CallWhen, Settings
from ringback.wire.probe import Probe

USER = f"you@{OURS}"
CANARY = {"example.com": Node({"A": ("192.0.2.80",)})}
# What the manual promises to strangers, and to the network of a host (docs/etiquette.md).
STRANGERS_PART, NETWORK_TIMES = 4, 4


@dataclass(frozen=True, slots=True)
class Asked:
    """One address that a host was asked for, in one connection."""

    at: float  # seconds since the run began
    ip: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


class Recorder(SimCall):
    """A connection that writes down whom its host is asked for."""

    def __init__(self, host: SimHost, clock: SimClock, note: Callable[[str], None]) -> None:
        super().__init__(host, clock)
        self._note, self._noted = note, set[str]()

    def write(self, octets: bytes) -> None:
        for line in octets.decode("utf-8", "surrogateescape").splitlines():
            if line.upper().startswith("RCPT TO:<"):
                recipient = line[len("RCPT TO:<") : line.rindex(">")]
                if recipient not in self._noted:
                    self._noted.add(recipient)
                    self._note(recipient)
        super().write(octets)


@dataclass(frozen=True, slots=True)
class Street:
    """All hosts, and what they were asked, whichever engine did."""

    hosts: dict[str, SimHost]
    asked: list[Asked] = field(default_factory=list)


class Line(SimDialer):
    """One engine's way to the street; cut, whatever is under way is lost, and nothing gets through."""

    def __init__(self, street: Street, clock: SimClock) -> None:
        super().__init__((), clock)
        self._street, self._sim_clock = street, clock
        self.hosts = street.hosts
        self.is_cut = False

    async def call(self, endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        if self.is_cut:
            probe.lose(Fault.CLOSED, "the line is cut", self._sim_clock.now())
            return
        await super().call(endpoint, probe, patience)

    def reach(self, ip: str) -> SimCall:
        # A form of IPv6 that carries an IPv4 address leads to that one's host.
        parsed = ip_address(ip)
        bearer = str(getattr(parsed, "ipv4_mapped", None) or parsed)
        host = self.hosts.get(bearer) or super().reach(ip).host
        return Recorder(host, self._sim_clock, lambda recipient: self._note(bearer, recipient))

    def _note(self, ip: str, recipient: str) -> None:
        self._street.asked.append(Asked(self._sim_clock.elapsed(), ip, recipient))
