"""Hostile mail in virtual time, through the real policy door and engine, to hosts that count for themselves.

An engine may be replaced, restarted or killed in the middle; the hosts, and what they have counted, stay.
Not here: the counting (counters.py), the traces (test_*.py).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from ringback.doors.policy_server import PolicyServer
from ringback.engine.pacer import Pacer
from ringback.engine.ports import Store
from ringback.lab.dice import Urn
from ringback.lab.harm import Fate, Scene, Told
from ringback.lab.mx import Door
from ringback.lab.personas import parse_personas
from ringback.lab.population import CANARY, OURS, Population
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.lab.sim_engine import EngineReceiver, settings_for
from ringback.lab.sim_net import CAUSE, SimCall, SimDialer, SimHost, SimResolver
from ringback.lab.sites import PERSONAS, Land, Manner
from ringback.lab.traffic import Message, Truth
from ringback.lab.zone import Node
from ringback.store.memory import MemoryStore
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Fault
from ringback.values.query import Client
from ringback.values.settings import Budget, CallWhen, Settings
from ringback.values.storage import StoreStats
from ringback.wire.probe import Probe

from .counters import Asked, excesses

USER = f"you@{OURS}"
HOUR_S = 3_600.0
# As bots do that come back: soon, and once more.
RETRIES = (400.0, 4_000.0)

# Beside the lab's: hosts that have every name which the traces make up, and no other. No refusal spares them.
_PERSONAS = """
[has_them_all]
rcpt = [
  { to = "made-up-*@*", say = "250 2.1.5 Ok" },
  { to = "known", say = "250 2.1.5 Ok" },
  "550 5.1.1 User unknown",
]

[has_them_all_slowly]
like = "has_them_all"
greeting = { say = "220 {host} ESMTP", delay_s = 5 }
"""
PERSONAS.update(parse_personas(_PERSONAS, "stage.py", PERSONAS))

_NAMED = "RCPT TO:<"
_MAPPED, _NAT64 = bytes(10) + b"\xff\xff", b"\x00\x64\xff\x9b" + bytes(8)


def forged(
    serial: int, at: float, sender: str, client: Client, retries: tuple[float, ...] = ()
) -> Message:
    """One hostile mail."""
    return Message(serial, at, Truth.FORGED, "", sender, USER, (client,), retries)


def honest(serial: int, at: float, sender: str, client: Client) -> Message:
    """One that tries again as Postfix does."""
    retries = (300.0, 900.0, 2_100.0, 4_500.0, 8_500.0, 12_500.0, 16_500.0)
    return Message(serial, at, Truth.HONEST, "", sender, USER, (client,), retries)


class Street:
    """All hosts, and what they were asked, by whichever engine."""

    def __init__(self, hosts: Iterable[SimHost], clock: SimClock) -> None:
        self.hosts = {host.ip: host for host in hosts}
        self.senders: set[str] = set()  # of the mail so far: what else is asked for is a control
        self.asked: list[Asked] = []
        self.clock = clock


class Line(SimDialer):
    """One engine's way to the street. Once it is cut, nothing gets through."""

    def __init__(self, street: Street) -> None:
        super().__init__(street.hosts.values(), street.clock)
        self.street = street
        self.is_cut = False

    async def call(self, endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        if self.is_cut:
            probe.lose(Fault.CLOSED, "the line is cut", self.street.clock.now())
            return
        await super().call(endpoint, probe, patience)

    def reach(self, ip: str) -> SimCall:
        bearer = _bearer(ip)
        return _Recorded(self, self.hosts.get(bearer) or _empty_plot(bearer))


class _Recorded(SimCall):
    """A connection whose host writes down whom it is asked for."""

    def __init__(self, line: Line, host: SimHost) -> None:
        super().__init__(host, line.street.clock)
        self._line, self._ip = line, host.ip
        self._named: set[str] = set()

    def write(self, octets: bytes) -> None:
        if self._line.is_cut:
            return
        for text in octets.decode("utf-8", "surrogateescape").splitlines():
            if text.startswith(_NAMED):
                self._note(text[len(_NAMED) : text.rindex(">")])
        super().write(octets)

    async def read(self, wait_s: float) -> bytes:
        """Raises TimeoutError, and ConnectionRefusedError once the line is cut."""
        if self._line.is_cut:
            raise ConnectionRefusedError
        return await super().read(wait_s)

    def _note(self, address: str) -> None:
        street = self._line.street
        if address in street.senders and address not in self._named:
            self._named.add(address)
            street.asked.append(Asked(street.clock.elapsed(), self._ip, address))


def _bearer(ip: str) -> str:
    """The address of the host that is reached: IPv4-mapped forms and NAT64 lead to one of IPv4."""
    octets = ip_address(ip).packed
    carried = octets.startswith((_MAPPED, _NAT64)) and len(octets) == 16
    return str(ip_address(octets[12:] if carried else octets))


def _empty_plot(ip: str) -> SimHost:
    return SimHost(ip, ip, PERSONAS["normal"], {}, door=Door.STUCK)


def add_host(land: Land, name: str, ip: str, manner: str = "normal") -> SimHost:
    """A host at an address of its own choosing, with any mailboxes that are added to it."""
    host = SimHost(name, ip, PERSONAS[manner], {}, Manner(manner).round_trip_s)
    land.hosts.append(host)
    kind = "AAAA" if ":" in ip else "A"
    land.zone[name] = Node({kind: (ip,)})
    return host


OpenStore = Callable[[SimClock], Store]


@dataclass(slots=True)
class Ends:
    """How mail ended: all of it counted, that of honest people told."""

    told: Counter[tuple[Truth, Told]] = field(default_factory=Counter)
    honest: list[Fate] = field(default_factory=list)

    @property
    def lost(self) -> list[Fate]:
        return [fate for fate in self.honest if fate.told is not Told.TAKEN]


Turn = Callable[["Stage"], Awaitable[None] | None]


class Stage:
    """The service before its street. `turns` change something at an instant, in seconds since the start."""

    def __init__(
        self,
        land: Land,
        mode: CallWhen,
        *,
        settings: Settings | None = None,
        open_store: OpenStore | None = None,
    ) -> None:
        self.land, self.settings = land, settings or settings_for(mode)
        land.zone.setdefault(CANARY, Node({"A": ("192.0.2.80",)}))
        self.loop = SimLoop()
        self.clock = SimClock(self.loop)
        self.street = Street(land.hosts, self.clock)
        self.ends = Ends()
        self.store: Store = open_store(self.clock) if open_store else MemoryStore()
        self.remembered = StoreStats({}, {}, 0, 0)  # in the end
        self._is_up = asyncio.Event()
        self._former: list[EngineReceiver] = []
        self._left: list[Store] = []  # of those that were killed
        self._pacer = Pacer(self.settings.budget)
        self._begin()

    @property
    def budget(self) -> Budget:
        return self.settings.budget

    def play(self, mail: Iterable[Message], turns: Iterable[tuple[float, Turn]] = ()) -> "Stage":
        """Let all of it happen, to its end."""
        run(self.loop, self._play(mail, turns))
        return self

    def excesses(self, *, related: Iterable[str] = (), organisations: bool = True) -> list[str]:
        """What hosts got beyond their budgets; nothing, it is to be hoped.

        `related` are domains whose mail comes from their own clients. Without `organisations`, MX records
        changed meanwhile, and nobody can say which of them a callout went by.
        """
        names = {} if not organisations else self.land.zone
        return excesses(
            self.street.hosts.values(), self.street.asked, self.budget, names, set(related)
        )

    # What may become of the service.

    def reload(self) -> None:
        """Another engine takes over store and places; the one before it finishes its callouts."""
        self._former.append(self._receiver)
        self._begin()

    async def restart(self, open_store: OpenStore) -> None:
        """End it as a service manager does, and start it again; mail waits meanwhile."""
        self._is_up.clear()
        await self._receiver.close()
        await self.store.close()
        self.store, self._pacer = open_store(self.clock), Pacer(self.budget)
        self._begin()

    async def kill(self, open_store: OpenStore) -> None:
        """End it in the middle of whatever it does: what is not in the store is gone."""
        self._line.is_cut = True
        self._former.append(self._receiver)
        self._left.append(self.store)
        self.store, self._pacer = open_store(self.clock), Pacer(self.budget)
        self._begin()

    def _begin(self) -> None:
        nobody: Urn[tuple[str, ...]] = Urn((), ())
        people = Population(self.land, frozenset(), nobody, Urn((), ()), (), (), ())
        resolver = SimResolver(self.land.zone, self.clock)
        self._line = Line(self.street)
        scene = Scene("hostile", people, self.clock, self._line, resolver)
        self._receiver = EngineReceiver(
            scene, self.settings, PolicyServer, store=self.store, pacer=self._pacer
        )
        self._is_up.set()

    async def _play(self, mail: Iterable[Message], turns: Iterable[tuple[float, Turn]]) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_turns(turns))
            for message in mail:
                await self._sleep_until(message.at)
                group.create_task(self._deliver(message))
        for receiver in (*self._former, self._receiver):
            await receiver.close()
        self.remembered = await self.store.stats()
        for store in (*self._left, self.store):
            await store.close()

    async def _take_turns(self, turns: Iterable[tuple[float, Turn]]) -> None:
        for at, turn in turns:
            await self._sleep_until(at)
            done = turn(self)
            if done is not None:
                await done

    async def _deliver(self, message: Message) -> None:
        CAUSE.set(message.sender)
        self.street.senders.add(message.sender)
        why = ""
        for at, client in message.attempts():
            await self._sleep_until(at)
            await self._is_up.wait()
            (answer,) = await self._receiver.judge(message, client)
            why = why or answer.why
            if answer.told is not Told.DEFERRED:
                break
        self.ends.told[message.truth, answer.told] += 1
        if message.truth is Truth.HONEST:
            self.ends.honest.append(Fate(message, answer.told, at - message.at, why))

    async def _sleep_until(self, at: float) -> None:
        if at > self.clock.elapsed():
            await self.clock.sleep(at - self.clock.elapsed())


def spread(count: int, over_s: float, start_at: float = 0.0) -> Iterator[tuple[int, float]]:
    """`count` instants, evenly over a time, with their numbers."""
    return ((number, start_at + number * over_s / count) for number in range(count))
