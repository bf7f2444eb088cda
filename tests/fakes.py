"""The engine's outside as fakes: hosts that answer from a table, a DNS of dictionaries, a clock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files

from ringback.engine.asker import Asker
from ringback.engine.host_memory import HostMemory
from ringback.engine.ledger import Ledger
from ringback.engine.outside import Outside
from ringback.engine.pacer import Pacer
from ringback.engine.verifier import Verifier
from ringback.engine.visit import Desk, Visit
from ringback.engine.walk import News, Walk
from ringback.rules.exemptions import Exemptions
from ringback.rules.gates import Passed
from ringback.rules.pacing import Charge
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import Plan
from ringback.store.memory import MemoryStore
from ringback.values.address import parse_address
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.endpoint import Endpoint, Login, Patience
from ringback.values.events import Event
from ringback.values.evidence import Fault, Stage
from ringback.values.query import Client, Query
from ringback.values.settings import CallWhen, Etiquette, Identity, Settings, TlsPolicy
from ringback.wire.probe import Probe

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
NO_SUCH_USER = "550 5.1.1 No such user here"
OK = "250 2.1.0 Ok"
START = 1_000_000.0


class FakeClock:
    """Time that moves when somebody sleeps, or sets `at`."""

    def __init__(self) -> None:
        self.at = START
        self._stepped_s = 0.0

    def now(self) -> float:
        return self.at

    def elapsed(self) -> float:
        return self.at - START - self._stepped_s

    def advance(self, seconds: float) -> None:
        self.at += seconds

    def step(self, seconds: float) -> None:
        """Set the time of day and nothing else."""
        self.at += seconds
        self._stepped_s += seconds

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


@dataclass
class FakeHost:
    """A mail exchanger. `rcpt` answers a recipient; a Fault instead of a reply breaks the line there."""

    mailboxes: set[str] = field(default_factory=set)
    greeting: str | Fault = "220 mx ESMTP"
    ehlo: str | Fault = "250-mx\n250 PIPELINING"
    auth: str | Fault = "535 5.7.8 Wrong"
    mail: str | Fault = OK
    rset: str | Fault = "250 Ok"
    rcpt: Callable[[str], str | Fault] | None = None
    vrfy: Callable[[str], str | Fault] | None = None
    starttls: str | Fault = "220 Go ahead"
    handshake: Fault | None = None
    heard: list[str] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event | None = None  # set: RCPT waits for it
    may_part: asyncio.Event | None = None  # set: QUIT waits for it

    def answer(self, command: str) -> str | Fault:
        self.heard.append(command)
        self.reached.set()
        verb, _, rest = command.partition(" ")
        recipient = rest.partition("<")[2].partition(">")[0]
        if verb == "RCPT":
            return self._answer_rcpt(recipient)
        if verb == "VRFY" and self.vrfy:
            return self.vrfy(rest)
        answers = {
            "EHLO": self.ehlo,
            "HELO": self.ehlo,
            "LHLO": self.ehlo,
            "AUTH": self.auth,
            "MAIL": self.mail,
            "RSET": self.rset,
            "STARTTLS": self.starttls,
            "QUIT": "221 Bye",
        }
        return answers.get(verb, "500 What?")

    def _answer_rcpt(self, recipient: str) -> str | Fault:
        if self.rcpt:
            return self.rcpt(recipient)
        return "250 2.1.5 Ok" if recipient in self.mailboxes else NO_SUCH_USER

    @property
    def recipients(self) -> list[str]:
        return [said[len("RCPT TO:<") : -1] for said in self.heard if said.startswith("RCPT")]


class FakeDialer:
    def __init__(self) -> None:
        self.hosts: dict[str, FakeHost | Fault] = {}
        self.calls: list[str] = []
        self.under_way = 0
        self.most_under_way = 0

    async def call(self, endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        self.calls.append(endpoint.ip)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(0)
            await self._converse(self.hosts[endpoint.ip], probe)
        finally:
            self.under_way -= 1

    async def _converse(self, host: FakeHost | Fault, probe: Probe) -> None:
        if isinstance(host, Fault):
            probe.lose(host, "no", START)
            return
        probe.connected(START)
        answers: list[str | Fault] = [host.greeting]
        while not probe.closed:
            if probe.stage is Stage.RCPT and host.may_answer:
                await host.may_answer.wait()
            if probe.stage is Stage.QUIT and host.may_part:
                await host.may_part.wait()
            out = b""
            for answer in answers:
                if isinstance(answer, Fault):
                    probe.lose(answer, "line broken", START)
                    return
                *before, last = answer.split("\n")
                text = "".join(f"{line}\r\n" for line in (*before, last))
                out += probe.receive(text.encode(), START)
            if probe.stage is Stage.TLS:
                if host.handshake:
                    probe.lose(host.handshake, "handshake failure", START)
                    return
                out = probe.secured("TLSv1.3", START)
            answers = [host.answer(line.decode()) for line in out.split(b"\r\n") if line]


class FakeResolver:
    def __init__(self) -> None:
        self.answers: dict[tuple[str, RecordType], DnsAnswer] = {}
        self.asked: list[tuple[str, RecordType]] = []
        self.say("example.com", RecordType.A, "192.0.2.80")

    def say(self, name: str, kind: RecordType, *texts: str) -> None:
        self.answers[name, kind] = DnsAnswer(name, kind, DnsStatus.OK, texts=texts)

    def say_mx(self, name: str, *records: Mx) -> None:
        self.answers[name, RecordType.MX] = DnsAnswer(name, RecordType.MX, DnsStatus.OK, mx=records)

    def fail(self, name: str, kind: RecordType, status: DnsStatus) -> None:
        self.answers[name, kind] = DnsAnswer(name, kind, status, detail=status.value)

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        self.asked.append((name, kind))
        await asyncio.sleep(0)
        known = any(told == name for told, _ in self.answers)
        status = DnsStatus.NODATA if known else DnsStatus.NXDOMAIN
        return self.answers.get((name, kind), DnsAnswer(name, kind, status))

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None:
        """Nothing is under way in here."""


class FakeOutside:
    """Everything around an engine; `verifier` makes one with the settings given."""

    def __init__(self) -> None:
        self.clock, self.resolver, self.dialer = FakeClock(), FakeResolver(), FakeDialer()
        self.store = MemoryStore()
        self.events: list[Event] = []
        self.verifiers: list[Verifier] = []
        self.fit = True
        self.may_judge_fitness = asyncio.Event()
        self.may_judge_fitness.set()
        self.logins: Mapping[str, Login] = {}

    def host(self, domain: str, *hosts: FakeHost | Fault) -> None:
        """Let `domain` be served by `hosts`, the most preferred first, at 192.0.2.N."""
        records = []
        for number, host in enumerate(hosts, start=1):
            ip = f"192.0.2.{len(self.dialer.hosts) + 1}"
            name = f"mx{number}.{domain}"
            self.resolver.say(name, RecordType.A, ip)
            self.dialer.hosts[ip] = host
            records.append(Mx(10 * number, name))
        self.resolver.say_mx(domain, *records)

    def outside(self, settings: Settings) -> Outside:
        return Outside(
            resolver=self.resolver,
            dialer=self.dialer,
            store=self.store,
            clock=self.clock,
            pacer=Pacer(settings.budget),
            book=BOOK,
            draw=lambda: 0.0,
            organisation=self.organisation_of,
            is_fit=self.is_fit,
            logins=self.logins,
        )

    @staticmethod
    def organisation_of(domain: str) -> str:
        return ".".join(domain.split(".")[-2:])

    async def is_fit(self) -> bool:
        await self.may_judge_fitness.wait()
        return self.fit

    def settings(self, **sections: object) -> Settings:
        identity = Identity(helo_name="verify.example.net", contact="postmaster@example.net")
        return Settings(identity=identity).but(**sections)

    def verifier(self, before: Verifier | None = None, /, **sections: object) -> Verifier:
        sections.setdefault("etiquette", Etiquette(call_when=CallWhen.ALWAYS))
        settings = self.settings(**sections)
        made = Verifier(
            settings,
            self.outside(settings),
            Exemptions.parse(settings),
            self.events.append,
            before,
        )
        self.verifiers.append(made)
        return made


class Visitors:
    """Makes visits of one host, 192.0.2.1, each of a callout of its own."""

    def __init__(self, world: FakeOutside) -> None:
        self.world, self.pacer = world, Pacer(world.settings().budget)
        self.settings = settings = world.settings()
        store, clock, pacer = world.store, world.clock, self.pacer
        hosts = HostMemory(settings.etiquette, store, clock, pacer, world.events.append)
        ledger = Ledger(settings.budget, store, clock, pacer, lambda: 0.0)
        self.desk = Desk(settings, store, clock, hosts, ledger, lambda *_: ())
        self.news: list[News] = []

    def walk(self, address: str, control: str = "") -> Walk:
        parsed = parse_address(address)
        return Walk(
            address=parsed,
            query=Query(address, client=Client("198.51.100.7"), recipient="you@ours.example"),
            passed=Passed(("a gate",)),
            plan=Plan(BOOK, address, control),
            started_at=self.world.clock.now(),
            deadline_at=asyncio.get_running_loop().time() + 60,
            on_news=self.news.append,
            asker=Asker(self.world.resolver),
        )

    def visit(self, walk: Walk, charges: Sequence[Charge] = (), host: str = "mx1") -> Visit:
        endpoint = Endpoint(f"{host}.{walk.address.domain}", "192.0.2.1", 25, 10)
        desk = replace(self.desk, charges=lambda *_: charges)
        return Visit(desk, walk, endpoint, walk.plan, TlsPolicy.NEVER)
