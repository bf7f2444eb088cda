"""Two sites that both verify, facing each other: mail flows both ways, and neither asks for ever.

Each site is a front end that knows its mailboxes, the policy door that it asks, and the engine behind
that; each calls the other's front end, which asks its own door about the callout.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ringback.assemble import make_verifier
from ringback.doors.policy_server import PolicyServer
from ringback.lab.caller import calling
from ringback.lab.clock import HandClock
from ringback.lab.front import Front
from ringback.lab.plan import make_plan
from ringback.lab.world import World
from ringback.net.listen import listen
from ringback.store.memory import MemoryStore

from .stage import HANG_S, NAMES, Sections, Watch, make_settings, until_quiet

IPS = {"a.example": "127.25.9.1", "b.example": "127.25.9.2"}
MAILBOXES = {"a.example": ["ann@a.example"], "b.example": ["bob@b.example"]}
DRAIN_S = 1.0


@dataclass
class Site:
    """One of the two."""

    front: Front
    watch: Watch
    clock: HandClock

    async def offer(self, sender: str, recipient: str) -> str:
        """Offer a mail to this site; return what became of it."""
        async with asyncio.timeout(HANG_S), calling(self.front.ip, self.front.port) as client:
            await client.hear()
            envelope = (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>")
            said = await client.ask("EHLO client.example", *envelope)
            if said[-1].startswith("250"):
                said += await client.ask("DATA", "Subject: hello\r\n\r\nHello\r\n.", "QUIT")
                return said[-2]
        return said[-1]

    @property
    def called(self) -> list[str]:
        """Whom its callouts were about."""
        return [event.address for event in self.watch.called_out]

    @property
    def asked_about(self) -> list[tuple[str, str]]:
        """Sender and recipient of what its front asked its policy door."""
        return [(said.sender, said.recipient) for said in self.front.decisions]


def zone() -> dict[str, Any]:
    """Both domains with an MX each, at the addresses where the fronts listen."""
    names: dict[str, Any] = dict(NAMES)
    for domain, ip in IPS.items():
        names[domain] = {"records": {"MX": [f"10 mx.{domain}"]}}
        names[f"mx.{domain}"] = {"records": {"A": [ip]}}
    return {"domains": {}, "names": names}


@asynccontextmanager
async def site(world: World, domain: str, *settings: Sections) -> AsyncIterator[Site]:
    clock, watch, store = HandClock(), Watch(), MemoryStore()
    made = make_settings(world, {"policy": {"own_domains": [domain]}}, *settings)
    verifier = await make_verifier(made, store, watch, clock)
    door = PolicyServer(verifier, clock, watch, settings=made)
    listener = await listen("127.0.0.1:0", door.serve, sink=watch)
    front = Front(listener.address, name=f"mx.{domain}", clock=clock, mailboxes=MAILBOXES[domain])
    await front.start(IPS[domain], world.smtp_port)
    try:
        yield Site(front, watch, clock)
    finally:
        await verifier.close(HANG_S)
        await front.close()
        await listener.stop(DRAIN_S)


@asynccontextmanager
async def both(a: Sections | None = None, b: Sections | None = None) -> AsyncIterator[list[Site]]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World(make_plan(zone())))
        yield [
            await stack.enter_async_context(site(world, "a.example", a or {})),
            await stack.enter_async_context(site(world, "b.example", b or {})),
        ]


async def test_mail_flows_both_ways() -> None:
    async with both() as (a, b):
        told = [
            await a.offer("bob@b.example", "ann@a.example"),
            await b.offer("ann@a.example", "bob@b.example"),
        ]

        assert ["250 2.0.0 Ok"] * 2 == [reply[:12] for reply in told]
        assert (1, 1) == (a.front.messages, b.front.messages)


async def test_mail_that_crosses_flows_too() -> None:
    async with both() as (a, b):
        told = await asyncio.gather(
            a.offer("bob@b.example", "ann@a.example"), b.offer("ann@a.example", "bob@b.example")
        )

        assert ["250"] * 2 == [reply[:3] for reply in told]


async def test_a_forged_sender_is_refused_by_either() -> None:
    async with both() as (a, b):
        told = [
            await a.offer("nobody@b.example", "ann@a.example"),
            await b.offer("nobody@a.example", "bob@b.example"),
        ]

        assert ["550 5.1.7"] * 2 == [reply[:9] for reply in told]


async def test_the_null_sender_of_a_callout_raises_no_callout() -> None:
    async with both() as (a, b):
        await a.offer("bob@b.example", "ann@a.example")
        await until_quiet()

        assert ["bob@b.example"] == a.called
        assert [] == b.called
        (real, control) = b.asked_about
        assert ("", "bob@b.example") == real
        assert ("", "@b.example") == (control[0], control[1][-10:])
        assert ["not_asked"] * 2 == [event.report.reason for event in b.watch.decided]


@pytest.mark.slow
async def test_probe_senders_that_verify_each_other_come_to_an_end() -> None:
    """Each calls about the other's probe sender while the other waits for that very answer."""
    patience: dict[str, dict[str, Any]] = {"smtp": {"answer_within_s": 0.2}}
    probes = [
        {**patience, "identity": {"probe_sender": f"probe@{domain}"}} for domain in sorted(IPS)
    ]
    async with both(*probes) as (a, b):
        told = []
        for _ in range(5):
            told.append((await a.offer("bob@b.example", "ann@a.example"))[:3])
            await until_quiet()
            for one in (a, b):
                one.clock.advance(1_200)

        assert "250" == told[-1], "at most max_deferrals times"
        assert {"bob@b.example", "probe@b.example"} >= set(a.called)
        assert {"probe@a.example"} >= set(b.called)
        assert 20 > len(a.called) + len(b.called)
