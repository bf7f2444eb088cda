"""Hosts and DNS in memory: the real probe talks to personas, in virtual time."""

import asyncio
from collections.abc import Mapping
from importlib.resources import files

import pytest

from ringback.lab.mx import Door
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.lab.sim_net import CAUSE, Burden, SimDialer, SimHost, SimResolver
from ringback.lab.sites import PERSONAS
from ringback.lab.zone import Behaviour, Node
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import Plan
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
IP = "62.0.0.10"
PATIENCE = Patience(stage_s=20.0, whole_s=60.0)


class Scene:
    """One host, and calls to it."""

    def __init__(self, persona: str = "normal", *, door: Door = Door.OPEN) -> None:
        self.loop = SimLoop()
        self.clock = SimClock(self.loop)
        boxes = {"shop.example": {"ann"}}
        self.host = SimHost("mx.shop.example", IP, PERSONAS[persona], boxes, door=door)
        self.dialer = SimDialer([self.host], self.clock)

    def call(
        self, local: str = "ann", *, ip: str = IP, patience: Patience = PATIENCE
    ) -> tuple[Exchange, ...]:
        return run(self.loop, self.converse(local, ip, patience))

    async def converse(
        self, local: str = "ann", ip: str = IP, patience: Patience = PATIENCE
    ) -> tuple[Exchange, ...]:
        plan = Plan(BOOK, f"{local}@shop.example", control="nobody@shop.example")
        endpoint = Endpoint("mx.shop.example", ip, 25)
        probe = Probe(endpoint, 1, "verify.example.net", TlsPolicy.WHEN_REQUIRED, plan)
        await self.dialer.call(endpoint, probe, patience)
        return probe.transcript


def codes(said: tuple[Exchange, ...]) -> list[int | None]:
    return [one.code for one in said if one.stage is not Stage.CONNECT]


def test_a_conversation_takes_its_round_trips() -> None:
    scene = Scene()
    said = scene.call()

    assert [220, 250, 250, 250, 250, 250, 550, 221] == codes(said)
    # handshake, EHLO, address, control, QUIT; the greeting comes with the handshake
    assert pytest.approx(5 * scene.host.round_trip_s) == scene.loop.time()


def test_a_host_counts_what_it_bears_and_for_whose_sake() -> None:
    scene = Scene()

    async def work() -> None:
        CAUSE.set("honest")
        await asyncio.create_task(scene.converse())
        CAUSE.set("forged")
        await asyncio.create_task(scene.converse("eve"))

    run(scene.loop, work())

    assert ["honest", "forged"] == [burden.cause for burden in scene.host.connections]
    assert ["honest", "forged"] == [burden.cause for burden in scene.host.refused]
    assert Burden(0.0, "honest") == scene.host.connections[0]


@pytest.mark.parametrize(
    ("persona", "fault", "seconds"),
    [
        ("silent", Fault.TIMEOUT, 20.05),
        ("silent_at_rcpt", Fault.TIMEOUT, 20.15),
        ("endless_lines", Fault.TIMEOUT, 20.15),
        ("tarpit", Fault.TIMEOUT, 20.05),
        ("closes", Fault.CLOSED, 0.05),
        ("resets_at_rcpt", Fault.CLOSED, 0.15),
        ("half_a_reply", Fault.CLOSED, 0.15),
        ("web_server", Fault.NOT_SMTP, 0.05),
        ("tls_required_garbage", Fault.TLS_FAILED, 0.2),
    ],
)
def test_what_hosts_do_ends_in_the_transcript(persona: str, fault: Fault, seconds: float) -> None:
    scene = Scene(persona)
    *_, last = (one for one in scene.call() if one.fault)

    assert fault is last.fault
    assert pytest.approx(seconds) == scene.loop.time()


def test_a_slow_host_is_waited_for() -> None:
    scene = Scene("slow")

    assert 220 == codes(scene.call())[0]
    assert pytest.approx(5.25) == scene.loop.time()


def test_a_handshake_comes_about() -> None:
    stages = [one.stage for one in Scene("tls_required").call()]

    assert Stage.TLS in stages
    assert [Stage.MAIL, Stage.RCPT] == stages[stages.index(Stage.TLS) + 2 :][:2]


def test_the_whole_call_has_a_deadline() -> None:
    scene = Scene("slow")
    said = scene.call(patience=Patience(stage_s=20.0, whole_s=3.0))

    assert Fault.TIMEOUT is said[-1].fault
    assert pytest.approx(3.0) == scene.loop.time()


@pytest.mark.parametrize(
    ("door", "fault", "seconds"),
    [(Door.SHUT, Fault.REFUSED, 0.05), (Door.STUCK, Fault.TIMEOUT, 20)],
)
def test_doors_that_do_not_open_are_knocked_at_all_the_same(
    door: Door, fault: Fault, seconds: float
) -> None:
    scene = Scene(door=door)
    said = scene.call()

    assert [fault] == [one.fault for one in said]
    assert 1 == len(scene.host.connections)
    assert pytest.approx(seconds) == scene.loop.time()


def test_where_nobody_lives_nobody_answers() -> None:
    assert [Fault.TIMEOUT] == [one.fault for one in Scene().call(ip="62.9.9.9")]


def test_forbidden_networks_are_not_called() -> None:
    assert [Fault.FORBIDDEN_NETWORK] == [one.fault for one in Scene().call(ip="127.0.0.1")]


def test_a_host_that_was_asked_nothing_says_nothing() -> None:
    scene = Scene()

    async def work() -> bytes:
        call = scene.dialer.reach(IP)
        await call.connect(20.0)
        greeting = await call.read(20.0)
        with pytest.raises(TimeoutError):
            await call.read(20.0)
        return greeting

    assert b"220 mx.shop.example ESMTP\r\n" == run(scene.loop, work())
    assert pytest.approx(20.05) == scene.loop.time()


def test_greylisting_remembers_from_call_to_call() -> None:
    scene = Scene("greylisting")

    async def work() -> list[int | None]:
        first = await scene.converse()
        await scene.clock.sleep(301)
        return [codes(first)[3], codes(await scene.converse())[3]]

    assert [450, 250] == run(scene.loop, work())


ZONE: Mapping[str, Node] = {
    "shop.example": Node({"MX": ("10 MX.shop.example.",), "TXT": ("v=spf1 mx -all",)}, ttl_s=60),
    "mx.shop.example": Node({"A": (IP,)}),
    "www.shop.example": Node(cname="mx.shop.example"),
    "round.example": Node(cname="round.example"),
    "gone.example": Node({"A": (IP,)}, behaviour=Behaviour.NXDOMAIN),
    "broken.example": Node(behaviour=Behaviour.SERVFAIL),
    "silent.example": Node({"A": (IP,)}, by_kind={"TXT": Behaviour.SILENT}),
    "none.example": Node({"MX": ("0 .",)}),
    "1.0.0.62.in-addr.arpa": Node({"PTR": ("mx.shop.example",)}),
}


def ask(name: str, kind: RecordType) -> tuple[DnsAnswer, float]:
    loop = SimLoop()
    resolver = SimResolver(ZONE, SimClock(loop))
    return run(loop, resolver.ask(name, kind)), loop.time()


@pytest.mark.parametrize(
    ("name", "kind", "status", "texts"),
    [
        ("mx.shop.example", RecordType.A, DnsStatus.OK, (IP,)),
        ("MX.Shop.Example.", RecordType.A, DnsStatus.OK, (IP,)),
        ("www.shop.example", RecordType.A, DnsStatus.OK, (IP,)),
        ("mx.shop.example", RecordType.AAAA, DnsStatus.NODATA, ()),
        ("example", RecordType.A, DnsStatus.NODATA, ()),  # RFC 8020
        ("no.shop.example", RecordType.A, DnsStatus.NXDOMAIN, ()),
        ("gone.example", RecordType.A, DnsStatus.NXDOMAIN, ()),
        ("broken.example", RecordType.A, DnsStatus.FAILURE, ()),
        ("round.example", RecordType.A, DnsStatus.FAILURE, ()),
        ("shop.example", RecordType.TXT, DnsStatus.OK, ("v=spf1 mx -all",)),
        ("1.0.0.62.in-addr.arpa", RecordType.PTR, DnsStatus.OK, ("mx.shop.example",)),
    ],
)
def test_dns_answers(
    name: str, kind: RecordType, status: DnsStatus, texts: tuple[str, ...]
) -> None:
    answer, _ = ask(name, kind)

    assert (status, texts) == (answer.status, answer.texts)


def test_mx_records_and_the_one_that_says_no() -> None:
    said, _ = ask("shop.example", RecordType.MX)
    none, _ = ask("none.example", RecordType.MX)

    assert ((Mx(10, "mx.shop.example"),), 60) == (said.mx, said.ttl_s)
    assert (Mx(0, ""),) == none.mx


def test_questions_take_time_and_are_counted() -> None:
    loop = SimLoop()
    resolver = SimResolver(ZONE, SimClock(loop))

    async def work() -> None:
        await resolver.ask("mx.shop.example", RecordType.A)
        await resolver.ask("silent.example", RecordType.TXT)
        await resolver.close()

    run(loop, work())

    assert pytest.approx(5.02) == loop.time()
    assert {RecordType.A: 1, RecordType.TXT: 1} == resolver.asked
