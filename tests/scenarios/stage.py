"""One scenario at a time: its hosts and its DNS on loopback, and the real engine that calls them.

Not here: the scenarios (scenarios.toml), what is expected of each (test_scenarios.py).
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ringback.assemble import make_verifier
from ringback.doors.policy_server import PolicyServer
from ringback.engine.ports import Store
from ringback.engine.verifier import Verifier
from ringback.lab.clock import HandClock, WallClock
from ringback.lab.mx import Host
from ringback.lab.personas import Personas, load_personas
from ringback.lab.plan import make_plan
from ringback.lab.record import Session
from ringback.lab.world import ALLOWED_NETWORKS, CONTACT, HELO_NAME, World
from ringback.store.memory import MemoryStore
from ringback.values.events import CalledOut, Decided, Event, Trouble
from ringback.values.query import Purpose, Query, Report
from ringback.values.settings import Settings
from ringback.values.verdict import Reason
from ringback.wire.policy import PolicyRequest

CLIENT = "192.0.2.25"
RECIPIENT = "you@ours.example"
# Ends a test that hangs; what is awaited comes within milliseconds.
HANG_S = 10.0

PERSONAS = load_personas(Path(__file__).with_name("personas.toml"))

# The engine's own tasks, by the name that asyncio knows them under.
TASKS = ("Flights._fly", "Refresher._work")

# The canary of the default configuration.
NAMES = {"example.com": {"records": {"A": ["192.0.2.80"]}}}

# The lab is one machine, called over and over; nobody there is bothered.
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "identity": {"helo_name": HELO_NAME, "contact": CONTACT},
    "dns": {"timeout_s": 2.0},
    "smtp": {"allowed_networks": ALLOWED_NETWORKS, "stage_timeout_s": 5.0},
    "etiquette": {"call_when": "always"},
    "budget": {"per_host": 1000, "per_domain": 1000, "refused_recipients_per_host": 1000},
    "store": {"url": "memory:"},
    "policy": {"mode": "enforce"},
    "bulk": {"consent": True},
}
Sections = Mapping[str, Mapping[str, Any]]


@dataclass
class Watch:
    """The sink: what was decided, which callouts ended, and what went wrong on our side."""

    decided: list[Decided] = field(default_factory=list)
    called_out: list[CalledOut] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        match event:
            case Decided():
                self.decided.append(event)
            case CalledOut():
                self.called_out.append(event)
            case Trouble():
                self.troubles.append(event)


def make_settings(world: World, *changes: Sections) -> Settings:
    """The settings for `world`; each of `changes` overrides single keys."""
    here: Sections = {"dns": {"nameservers": [world.nameserver]}, "smtp": {"port": world.smtp_port}}
    settings = Settings()
    for sections in (SETTINGS, here, *changes):
        for name, keys in sections.items():
            section = getattr(settings, name).but(**keys)
            settings = settings.but(**{name: section})
    return settings


class Stage:
    """A world, and an engine with a policy door that calls there; `clock` is moved by hand.

    `drips`: the hosts live by the wall clock, because one of them says things slowly.
    """

    def __init__(
        self,
        plan: Mapping[str, Any],
        *settings: Sections,
        tls: ssl.SSLContext | None = None,
        drips: bool = False,
        personas: Personas = PERSONAS,
    ) -> None:
        self.clock = HandClock()
        self.watch = Watch()
        self.store: Store = MemoryStore()
        names = {**NAMES, **plan.get("names", {})}
        self.world = World(
            make_plan({**plan, "names": names}),
            personas=personas,
            clock=WallClock() if drips else self.clock,
            tls=tls,
        )
        self._changes = settings
        self._verifiers: list[Verifier] = []

    async def __aenter__(self) -> Self:
        await self.world.start()
        await self.adopt()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.end_callouts()
        await self.world.close()

    async def adopt(self, *settings: Sections, store: Store | None = None) -> None:
        """Go on with a new engine and other settings, on the same store or another."""
        await self.end_callouts()
        self.store = store or self.store
        made = make_settings(self.world, *self._changes, *settings)
        for source in made.identity.source_addresses:
            self.world.publish_source(source)
        verifier = await make_verifier(made, self.store, self.watch, self.clock)
        self._verifiers.append(verifier)
        self.verifier = verifier
        self.door = PolicyServer(verifier, self.clock, self.watch, settings=made)

    async def end_callouts(self) -> None:
        """Let the callouts that are under way come to their end, and the engine with them."""
        await until_quiet()
        for verifier in self._verifiers:
            await verifier.close()
        self._verifiers.clear()

    async def mail(
        self, sender: str, *, client: str = CLIENT, recipient: str = RECIPIENT
    ) -> tuple[str, Report]:
        """Have the policy door judge one mail; return what the MTA is told, and what is found out.

        The door may answer before the callout has ended; the report is that of its end.
        """
        request = PolicyRequest(
            "smtpd_access_policy",
            "RCPT",
            client_address=client,
            client_name="client.example",
            sender=sender,
            recipient=recipient,
        )
        async with asyncio.timeout(HANG_S):
            answer = await self.door.answer(request)
            told = answer.decode().removeprefix("action=").strip()
            report = next(it.report for it in reversed(self.watch.decided) if it.address == sender)
            if report.reason is Reason.DEADLINE:
                report = await self.verifier.verify(Query(sender))
        return told, report

    async def check(self, address: str, purpose: Purpose = Purpose.SENDER) -> Report:
        """Ask as an operator does, who waits for the end of the callout."""
        async with asyncio.timeout(HANG_S):
            return await self.verifier.verify(Query(address, purpose))

    @property
    def hosts(self) -> Iterable[Host]:
        return self.world.hosts.values()

    @property
    def connections(self) -> int:
        """Ever made, to all hosts together."""
        return sum(host.connections for host in self.hosts)

    @property
    def sessions(self) -> list[Session]:
        """All of them, those of one host together."""
        return [session for host in self.hosts for session in host.sessions]


async def until_quiet() -> None:
    """Return when every callout of every engine has said its QUIT, those in the background included."""
    async with asyncio.timeout(HANG_S):
        while under_way := [task for task in asyncio.all_tasks() if _name_of(task).endswith(TASKS)]:
            await asyncio.wait(under_way)


def _name_of(task: "asyncio.Task[Any]") -> str:
    return getattr(task.get_coro(), "__qualname__", "")
