"""Hosts and DNS in memory, for an engine on virtual time: a Dialer and a Resolver without sockets.

Hosts follow the personas of the lab and talk in octets to the real probe; each counts what it is burdened
with, and for whose sake. Not here: what hosts answer (dialogue.py), the time they take it from (sim.py).
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Set
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf

from ..engine.ports import Clock
from ..rules.networks import forbidden
from ..values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault, Stage
from ..wire.probe import Probe
from .dialogue import Act, Conversation, Memory
from .mx import Door
from .personas import Manner, Persona, Step, Then
from .zone import MAX_CNAMES, NEGATIVE_TTL_S, Behaviour, Node

# For whose sake a host is called. Tasks inherit it from the task that started them, so that a callout
# is laid at the door of the message that raised it, through an engine that knows nothing of this.
CAUSE: ContextVar[str] = ContextVar("cause", default="")

SOURCE = "192.0.2.25"  # whence all calls come
ROUND_TRIP_S = 0.05
DNS_ROUND_TRIP_S = 0.02
DNS_TIMEOUT_S = 5.0
# As net/converse.py does: a host whose answer is known may take so long for its goodbye.
QUIT_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Burden:
    """Something that a host had to bear. `at` is in seconds since the run began."""

    at: float
    cause: str


@dataclass(slots=True)
class SimHost:
    """One mail exchanger. `mailboxes` are local parts by domain, "*" standing for any."""

    name: str
    ip: str
    persona: Persona
    mailboxes: Mapping[str, Set[str]]
    round_trip_s: float = ROUND_TRIP_S
    door: Door = Door.OPEN
    connections: list[Burden] = field(default_factory=list)  # tried, whether they came about or not
    refused: list[Burden] = field(default_factory=list)  # recipients
    memory: Memory = field(default_factory=Memory)


class SimCall:
    """One connection to a host, as its client sees it."""

    def __init__(self, host: SimHost, clock: Clock) -> None:
        self._host, self._clock = host, clock
        self._brain = Conversation(host.persona, host.name, SOURCE, host.mailboxes, host.memory)
        self._heard: deque[tuple[str | None, bool]] = deque([(None, False)])  # None: it is to greet
        self._travels = False  # what was written last has not arrived
        self._then = Then.GO_ON  # after the last reply

    async def connect(self, wait_s: float) -> None:
        """Raises TimeoutError and ConnectionRefusedError."""
        self._host.connections.append(Burden(self._clock.elapsed(), CAUSE.get()))
        never = self._host.door is Door.STUCK
        await self._pass(inf if never else self._host.round_trip_s, wait_s)
        if self._host.door is Door.SHUT:
            raise ConnectionRefusedError

    def write(self, octets: bytes) -> None:
        """Send whole lines."""
        for line in octets.decode("utf-8", "surrogateescape").split("\r\n")[:-1]:
            self._heard.append((line, bool(self._heard)))
            self._travels = True

    async def read(self, wait_s: float) -> bytes:
        """Return one reply, b"" when the host has closed the connection. Raises TimeoutError."""
        if self._then in (Then.CLOSE, Then.RESET):
            return b""
        act = None if self._then is Then.SILENCE else self._next_act()
        await self._pass(self._takes_s(act), wait_s)
        self._travels = False
        if act is None or (not act.octets and act.rule.then is Then.SILENCE):
            return await self._never(wait_s)
        self._then = act.rule.then
        if act.step is Step.RCPT and act.permanent_refusal:
            self._host.refused.append(Burden(self._clock.elapsed(), CAUSE.get()))
        return act.octets

    @property
    def secures(self) -> bool:
        """Whether the handshake that the last reply asked for comes about."""
        return self._then is Then.TLS

    def enter_tls(self) -> None:
        self._brain.enter_tls()

    def _next_act(self) -> Act | None:
        if not self._heard:
            return None
        line, early = self._heard.popleft()
        now = self._clock.now()
        return (
            self._brain.greet(now)
            if line is None
            else self._brain.hear(line, pipelined=early, now=now)
        )

    def _takes_s(self, act: Act | None) -> float:
        """How long a reply takes until its last octet is here."""
        if act is None:
            return inf
        rule = act.rule
        pieces = {
            Manner.WHOLE: 0.0,
            Manner.PIECES: float(len(act.octets)),
            Manner.LINES: float(act.octets.count(b"\n")),
            Manner.ENDLESS: inf,
        }[rule.manner]
        drawn_out_s = pieces * rule.every_s if pieces else 0.0
        return rule.delay_s + drawn_out_s + (self._host.round_trip_s if self._travels else 0.0)

    async def _pass(self, takes_s: float, wait_s: float) -> None:
        """Let time pass. Raises TimeoutError where it takes longer than the caller waits."""
        await self._clock.sleep(min(takes_s, wait_s))
        if takes_s > wait_s:
            raise TimeoutError

    async def _never(self, wait_s: float) -> bytes:
        await self._clock.sleep(wait_s)
        raise TimeoutError


class SimDialer:
    """The Dialer of engine/ports.py, to hosts by their IP addresses. Elsewhere nobody answers."""

    def __init__(self, hosts: Iterable[SimHost], clock: Clock) -> None:
        self.hosts = {host.ip: host for host in hosts}
        self._clock = clock

    async def call(self, endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        """Connect, let `probe` talk, close."""
        if reason := forbidden(endpoint.ip):
            probe.lose(Fault.FORBIDDEN_NETWORK, reason, self._clock.now())
            return
        end_at = self._clock.elapsed() + patience.whole_s
        call = self.reach(endpoint.ip)
        try:
            await call.connect(min(patience.stage_s, patience.whole_s))
            probe.connected(self._clock.now())
            await self._converse(call, probe, patience.stage_s, end_at)
        except TimeoutError:
            probe.lose(Fault.TIMEOUT, "no answer in time", self._clock.now())
        except ConnectionRefusedError:
            probe.lose(Fault.REFUSED, "connection refused", self._clock.now())

    def reach(self, ip: str) -> SimCall:
        """The connection to be made to `ip`."""
        return SimCall(self.hosts.get(ip) or _nobody(ip), self._clock)

    async def _converse(self, call: SimCall, probe: Probe, stage_s: float, end_at: float) -> None:
        while not probe.closed:
            wait_s = QUIT_WAIT_S if probe.stage is Stage.QUIT else stage_s
            octets = await call.read(min(wait_s, max(0.0, end_at - self._clock.elapsed())))
            if not octets:
                probe.lose(Fault.CLOSED, "the host closed the connection", self._clock.now())
                return
            call.write(probe.receive(octets, self._clock.now()))
            if probe.stage is Stage.TLS and not probe.closed:
                self._shake_hands(call, probe)

    def _shake_hands(self, call: SimCall, probe: Probe) -> None:
        if not call.secures:
            probe.lose(Fault.TLS_FAILED, "no handshake", self._clock.now())
            return
        call.enter_tls()
        call.write(probe.secured("TLSv1.3", self._clock.now()))


def _nobody(ip: str) -> SimHost:
    return SimHost(ip, ip, Persona("nobody", "", (), True, {}), {}, door=Door.STUCK)


# What is neither answered nor denied: nothing was learned.
_FAILS = frozenset({Behaviour.SERVFAIL, Behaviour.REFUSED, Behaviour.SILENT, Behaviour.GARBLED})
_DENIES = {Behaviour.NXDOMAIN: DnsStatus.NXDOMAIN, Behaviour.NODATA: DnsStatus.NODATA}


class SimResolver:
    """The Resolver of engine/ports.py, from a zone as the lab's DNS has it. It remembers nothing."""

    def __init__(self, zone: Mapping[str, Node], clock: Clock) -> None:
        self._zone, self._clock = zone, clock
        # RFC 8020: a name above an existing one exists.
        self._above = {above for name in zone for above in _ancestors(name)}
        self.asked: Counter[RecordType] = Counter()

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        self.asked[kind] += 1
        owner = name.lower().removesuffix(".")
        for _ in range(MAX_CNAMES):
            node = self._zone.get(owner)
            behaviour = node.behaves(kind.value) if node else self._absent(owner)
            silent = behaviour is Behaviour.SILENT
            await self._clock.sleep(DNS_TIMEOUT_S if silent else DNS_ROUND_TRIP_S)
            if node is None or not node.cname or behaviour in _FAILS:
                return _answer(name, kind, node, behaviour)
            owner = node.cname.lower().removesuffix(".")
        return DnsAnswer(name, kind, DnsStatus.FAILURE, detail="CNAMEs without end")

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None:
        """Nothing is under way in here."""

    def _absent(self, owner: str) -> Behaviour:
        return Behaviour.NODATA if owner in self._above else Behaviour.NXDOMAIN


def _ancestors(name: str) -> Iterable[str]:
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(1, len(labels)))


def _answer(name: str, kind: RecordType, node: Node | None, behaviour: Behaviour) -> DnsAnswer:
    if behaviour in _FAILS:
        return DnsAnswer(name, kind, DnsStatus.FAILURE, detail=behaviour.value)
    records = node.records.get(kind.value, ()) if node else ()
    if behaviour in _DENIES or node is None or not records:
        status = _DENIES.get(behaviour, DnsStatus.NODATA)
        return DnsAnswer(name, kind, status, ttl_s=NEGATIVE_TTL_S)
    if kind is RecordType.MX:
        mx = tuple(_mx(record) for record in records)
        return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, ttl_s=node.ttl_s)
    return DnsAnswer(name, kind, DnsStatus.OK, texts=records, ttl_s=node.ttl_s)


def _mx(record: str) -> Mx:
    preference, _, host = record.partition(" ")
    return Mx(int(preference), host.lower().removesuffix("."))
