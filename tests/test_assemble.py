"""What is made of settings: a store, a verifier, and the name we go by."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from ringback import assemble
from ringback.assemble import (
    flag_lists,
    make_engine,
    make_verifier,
    open_store,
    organisations,
    phrasebook,
    running_lists,
    running_verifier,
)
from ringback.engine.verifier import Waiting
from ringback.errors import ConfigError, StoreError
from ringback.lab.plan import DomainPlan, NamePlan, Plan
from ringback.lab.world import ALLOWED_NETWORKS, HELO_NAME, World
from ringback.store.memory import MemoryStore
from ringback.store.sqlite import SqliteStore
from ringback.values.events import Event, Examined
from ringback.values.fitness import Aspect, Severity
from ringback.values.job import Task
from ringback.values.query import Purpose, Query
from ringback.values.settings import (
    Budget,
    Bulk,
    Dns,
    Etiquette,
    Identity,
    Recipient,
    RecipientRoute,
    RouteTls,
    Settings,
    Smtp,
    StoreSettings,
)
from ringback.values.verdict import Reason

IP = "192.0.2.7"
POINTER = "7.2.0.192.in-addr.arpa"


def hear(event: Event) -> None:
    """The sink of tests that hear nothing."""


def settings_for(world: World, identity: Identity) -> Settings:
    return Settings(
        identity=identity,
        dns=Dns(nameservers=(world.nameserver,), canary=""),
        smtp=Smtp(port=world.smtp_port, allowed_networks=ALLOWED_NETWORKS),
        etiquette=Etiquette(),
        store=StoreSettings("memory:"),
    )


def world_of(**names: NamePlan) -> World:
    shop = DomainPlan(persona="normal", mailboxes=("ann",))
    return World(Plan({"shop.example": shop}, names))


def pointing(*names: str) -> NamePlan:
    return NamePlan(records={"PTR": names})


def named(*addresses: str) -> NamePlan:
    return NamePlan(records={"A": addresses})


@pytest.mark.parametrize(("url", "kind"), [("memory:", MemoryStore), ("", SqliteStore)])
async def test_the_store_is_the_one_that_is_named(url: str, kind: type, tmp_path: Path) -> None:
    named_store = StoreSettings(url or f"sqlite://{tmp_path}/a.db")
    store = await open_store(Settings(store=named_store), hear)
    await store.close()

    assert isinstance(store, kind)


async def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(StoreError, match='no store for "postgresql:…"; write sqlite://'):
        await open_store(Settings(store=StoreSettings("postgresql://me:pw@host")), hear)


async def test_the_name_is_the_confirmed_reverse_name() -> None:
    identity = Identity(
        contact="a@shop.example", public_addresses=("192.0.2.8", IP), require_fit=False
    )
    names = {
        POINTER: pointing("liar.example", "mail.shop.example"),
        "liar.example": named("192.0.2.99"),
        "mail.shop.example": named(IP),
    }
    async with (
        world_of(**names) as world,
        running_verifier(settings_for(world, identity), hear) as verifier,
    ):
        report = await verifier.verify("ann@shop.example")

    assert "EHLO mail.shop.example" in {exchange.command for exchange in report.evidence}


async def test_who_has_no_name_may_not_call() -> None:
    identity = Identity(contact="a@shop.example", public_addresses=(IP,))
    async with world_of() as world:
        with pytest.raises(ConfigError, match=r"identity\.helo_name"):
            await make_verifier(settings_for(world, identity), MemoryStore(), hear)


async def test_a_store_is_closed_where_no_verifier_comes_about() -> None:
    nobody = Dns(nameservers=("127.0.0.1:1",), timeout_s=0.1)
    settings = Settings(store=StoreSettings("memory:"), dns=nobody)

    with pytest.raises(ConfigError, match=r"identity\.helo_name"):
        async with running_verifier(settings, hear):
            pass


async def test_a_list_is_worked_on_with_the_store_that_is_named(tmp_path: Path) -> None:
    identity = Identity(helo_name=HELO_NAME, contact="a@shop.example")
    tasks = [Task.parse(f"{name}@shop.example") for name in ("ann", "nobody")]
    async with world_of() as world:
        settings = settings_for(world, identity).but(
            store=StoreSettings(f"sqlite://{tmp_path}/a.db"), bulk=Bulk(consent=True)
        )
        for _ in range(2):  # the second one finds all done
            async with running_lists(settings, hear) as bulk:
                work = await bulk.open("digest", tasks)
                assert await bulk.run(work) is None
                reports = await bulk.jobs.load_reports(work.number, tasks)
        (host,) = world.hosts.values()

    assert {
        "ann@shop.example": Reason.ACCEPTED,
        "nobody@shop.example": Reason.NO_SUCH_MAILBOX,
    } == {key: report.reason for key, report in reports.items()}
    assert len(host.sessions) <= 2


async def test_without_consent_no_list_is_worked_on() -> None:
    identity = Identity(helo_name=HELO_NAME, contact="a@shop.example")
    async with (
        world_of() as world,
        running_lists(settings_for(world, identity), hear) as bulk,
    ):
        tasks = [Task.parse("ann@shop.example")]
        said = await bulk.run(await bulk.open("digest", tasks))
        (host,) = world.hosts.values()

    assert said and "no_consent" == said.gate
    assert not host.sessions


async def test_a_verifier_goes_on_with_the_budgets_of_the_store() -> None:
    identity, store = Identity(helo_name=HELO_NAME, contact="a@shop.example"), MemoryStore()
    reasons = []
    async with world_of() as world:
        settings = settings_for(world, identity).but(budget=Budget(per_host=1))
        for address in ("first@shop.example", "second@shop.example"):
            verifier = await make_verifier(settings, store, hear)
            reasons.append((await verifier.verify(address)).reason)
            await verifier.close()

    assert [Reason.NO_SUCH_MAILBOX, Reason.OVER_BUDGET] == reasons


async def test_a_verifier_goes_on_with_the_connections_of_the_one_before() -> None:
    identity = Identity(helo_name=HELO_NAME, contact="a@shop.example")
    async with world_of() as world:
        settings = settings_for(world, identity)
        short = settings.smtp.but(callout_deadline_s=0.2)
        settings = settings.but(smtp=short, budget=Budget(concurrent=1))
        before = await make_engine(settings, MemoryStore(), hear)
        await before.pacer.wait_slot(IP)
        engine = await make_engine(settings, MemoryStore(), hear, before=before)
        report = await engine.verifier.verify("first@shop.example")
        await engine.close()

    assert Reason.OVER_BUDGET is report.reason


async def test_a_verifier_shares_the_callouts_of_the_one_before() -> None:
    identity, query = Identity(HELO_NAME, "a@shop.example"), Query("first@shop.example")
    async with world_of() as world:
        settings = settings_for(world, identity).but(budget=Budget(concurrent=1))
        before = await make_engine(settings, MemoryStore(), hear)
        await before.pacer.wait_slot(IP)
        asked = [await before.verifier.ask(query)]
        engine = await make_engine(settings, MemoryStore(), hear, before=before)
        asked.append(await engine.verifier.ask(query))
        before.pacer.release(IP)
        waiting = [one.wait() for one in asked if isinstance(one, Waiting)]
        reasons = [report.reason for report in await asyncio.gather(*waiting)]
        await asyncio.gather(before.close(1.0), engine.close(1.0))
        (host,) = world.hosts.values()

    assert [Reason.NO_SUCH_MAILBOX] * 2 == reasons
    assert 1 == len(host.sessions)


class HeldDns(asyncio.DatagramProtocol):
    """Passes on questions to a name server, and holds its answers until they are let go."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = host, int(port)
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.nameserver = "{}:{}".format(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked.set()
        self._answering.add(asyncio.create_task(self._answer(data, addr)))

    async def _answer(self, data: bytes, client: tuple[str, int]) -> None:
        await self.may_answer.wait()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect(self._server)
            sock.send(data)
            answer = await asyncio.get_running_loop().sock_recv(sock, 65_535)
        self._transport.sendto(answer, client)


@asynccontextmanager
async def held_dns(server: str) -> AsyncIterator[HeldDns]:
    transport, held = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: HeldDns(server), local_addr=("127.0.0.1", 0)
    )
    try:
        yield held
    finally:
        transport.close()


@pytest.mark.parametrize("helo_name", [HELO_NAME, "other.example"])
async def test_an_engine_that_is_replaced_answers_who_waits_for_its_doctor(helo_name: str) -> None:
    store = MemoryStore()
    identity = Identity(helo_name=HELO_NAME, contact="a@shop.example")
    async with world_of() as world, held_dns(world.nameserver) as held:
        settings = settings_for(world, identity)
        settings = settings.but(dns=settings.dns.but(nameservers=(held.nameserver,)))
        before = await make_engine(settings, store, hear)
        asking = asyncio.create_task(before.verifier.verify("nobody@shop.example"))
        await held.asked.wait()  # by the doctor: nobody else asks before he has an answer
        settings = settings.but(identity=identity.but(helo_name=helo_name))
        after = await make_engine(settings, store, hear, before=before)
        after.attend_nowait(before=before)
        giving_way = asyncio.create_task(before.give_way(after))
        await asyncio.sleep(0)
        held.may_answer.set()
        report = await asking
        await giving_way
        await after.close()

    assert Reason.NO_SUCH_MAILBOX is report.reason
    assert (helo_name == HELO_NAME) is (before.doctor is after.doctor)


async def test_an_engine_that_is_replaced_remembers_nothing_of_routes() -> None:
    store = MemoryStore()
    identity = Identity(helo_name=HELO_NAME, contact="a@shop.example")
    query = Query("nobody@shop.example", Purpose.RECIPIENT)
    async with world_of() as world, held_dns(world.nameserver) as held:
        settings = settings_for(world, identity)
        route = RecipientRoute("shop.example", ("mx:shop.example",), port=world.smtp_port)
        dns = settings.dns.but(nameservers=(held.nameserver,))
        settings = settings.but(dns=dns, recipient=Recipient(route=(route,)))
        before = await make_engine(settings, store, hear)
        asking = asyncio.create_task(before.verifier.verify(query))
        await held.asked.wait()
        after = await make_engine(settings, store, hear, before=before)
        giving_way = asyncio.create_task(before.give_way(after))
        await asyncio.sleep(0)
        held.may_answer.set()
        report = await asking
        await giving_way
        kept = await store.load("to:nobody@shop.example")
        await after.verifier.verify(query)
        kept_by_next = await store.load("to:nobody@shop.example")
        await after.close()

    assert (Reason.NO_SUCH_MAILBOX, None) == (report.reason, kept)
    assert kept_by_next


async def test_without_a_fit_identity_nobody_is_called() -> None:
    identity = Identity(helo_name="nobody.example.net", contact="a@shop.example")
    events: list[Event] = []
    async with (
        world_of() as world,
        running_verifier(settings_for(world, identity), events.append) as verifier,
    ):
        report = await verifier.verify("ann@shop.example")
        calls = sum(host.connections for host in world.hosts.values())

    assert (Reason.IDENTITY_UNFIT, 0) == (report.reason, calls)
    assert [False] == [event.may_call for event in events if isinstance(event, Examined)]


async def test_an_engine_without_a_name_can_be_examined() -> None:
    identity = Identity(contact="a@shop.example", public_addresses=(IP,))
    async with (
        world_of() as world,
        assemble.running_engine(settings_for(world, identity), hear) as engine,
    ):
        fitness = await engine.doctor.examine(engine.means)

    assert fitness.has(Aspect.HELO_NAME, Severity.FATAL)


async def test_a_service_reads_the_phrases_before_anybody_asks() -> None:
    phrasebook.cache_clear()
    async with world_of() as world:
        settings = settings_for(world, Identity(HELO_NAME, "a@shop.example"))
        async with running_verifier(settings, hear):
            by_a_command = phrasebook.cache_info().currsize
        async with assemble.running_engine(settings, hear):
            by_an_engine = phrasebook.cache_info().currsize

    assert (0, 1) == (by_a_command, by_an_engine)


@pytest.mark.parametrize(("tls", "read"), [(RouteTls.VERIFIED, 1), (RouteTls.REQUIRED, 0)])
async def test_a_service_reads_whom_to_trust_beside_the_loop(
    tls: RouteTls, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []
    monkeypatch.setattr(
        assemble, "verifying_context", lambda: readers.append(threading.current_thread())
    )
    route = RecipientRoute("shop.example", ("mx.shop.example",), tls=tls)
    async with world_of() as world:
        settings = settings_for(world, Identity(HELO_NAME, "a@shop.example"))
        settings = settings.but(recipient=Recipient((route,)))
        async with running_verifier(settings, hear):
            by_a_command = len(readers)
        engine = await make_engine(settings, MemoryStore(), hear)
        await engine.close()

    assert (0, read) == (by_a_command, len(readers))
    assert threading.main_thread() not in readers


def test_what_is_shipped_is_read_once() -> None:
    assert phrasebook() is phrasebook()
    assert flag_lists() is flag_lists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mx.shop.example", "shop.example"),
        ("a.b.shop.co.uk", "shop.co.uk"),
        ("mx.laden.xn--55qx5d.cn", "laden.xn--55qx5d.cn"),  # a suffix beyond ASCII
        ("co.uk", "co.uk"),
    ],
)
def test_organisations_go_by_the_list_of_suffixes(name: str, expected: str) -> None:
    assert expected == organisations()(name)
