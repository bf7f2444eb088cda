"""The name server over its two transports."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import pytest

from ringback.lab.clock import HandClock
from ringback.lab.dns import DnsServer
from ringback.lab.zone import Behaviour, Node

PATIENCE_S = 5.0


@asynccontextmanager
async def serving(**zone: Node) -> AsyncIterator[DnsServer]:
    server = DnsServer({f"{name}.example": node for name, node in zone.items()}, HandClock())
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def ask(
    server: DnsServer,
    name: str,
    kind: str = "A",
    *,
    tcp: bool = False,
    timeout_s: float = PATIENCE_S,
) -> dns.message.Message:
    query = dns.message.make_query(f"{name}.example", kind)
    transport = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await transport(query, server.ip, timeout=timeout_s, port=server.port)


async def test_both_transports_answer_at_one_port() -> None:
    async with serving(a=Node({"A": ("127.0.0.1",)})) as server:
        over_udp, over_tcp = await ask(server, "a"), await ask(server, "a", tcp=True)

    assert over_udp.answer == over_tcp.answer
    assert 1 == len(over_udp.answer)


async def test_questions_are_counted() -> None:
    async with serving(a=Node({"A": ("127.0.0.1",)})) as server:
        await ask(server, "A")
        await ask(server, "a", tcp=True)
        await ask(server, "a", "MX")

    assert {("a.example", "A"): 2, ("a.example", "MX"): 1} == server.asked
    assert [False, True, False] == [question.tcp for question in server.questions]


async def test_a_silent_name_gets_no_answer_and_others_do() -> None:
    zone = {"mute": Node(behaviour=Behaviour.SILENT), "a": Node({"A": ("127.0.0.1",)})}
    async with serving(**zone) as server:
        with pytest.raises(dns.exception.Timeout):
            await ask(server, "mute", timeout_s=0.02)
        answer = await ask(server, "a")

    assert 1 == len(answer.answer)
    assert 1 == server.asked["mute.example", "A"]


async def test_a_truncated_answer_is_whole_over_tcp() -> None:
    node = Node({"A": ("127.0.0.1",)}, behaviour=Behaviour.TRUNCATED)
    async with serving(cut=node) as server:
        over_udp, over_tcp = await ask(server, "cut"), await ask(server, "cut", tcp=True)

    assert over_udp.flags & dns.flags.TC
    assert [] == over_udp.answer
    assert not over_tcp.flags & dns.flags.TC
    assert 1 == len(over_tcp.answer)


async def test_an_answer_too_large_for_udp_is_truncated() -> None:
    texts = tuple(f"{number:03}" + "x" * 200 for number in range(10))
    async with serving(big=Node({"TXT": texts})) as server:
        over_udp = await ask(server, "big", "TXT")
        over_tcp = await ask(server, "big", "TXT", tcp=True)

    assert over_udp.flags & dns.flags.TC
    assert 10 == len(over_tcp.answer[0])


async def test_failures_carry_their_codes() -> None:
    zone = {
        "fails": Node(behaviour=Behaviour.SERVFAIL),
        "refuses": Node(behaviour=Behaviour.REFUSED),
        "empty": Node(behaviour=Behaviour.NODATA),
    }
    async with serving(**zone) as server:
        codes = [(await ask(server, name)).rcode() for name in (*zone, "nowhere")]

    expected = [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOERROR, dns.rcode.NXDOMAIN]
    assert expected == codes


async def test_lying_begins_and_ends_while_it_runs() -> None:
    async with serving(a=Node({"A": ("127.0.0.1",)})) as server:
        server.lie = Behaviour.NXDOMAIN
        lied = await ask(server, "a")
        server.lie = None
        honest = await ask(server, "a")

    assert (dns.rcode.NXDOMAIN, dns.rcode.NOERROR) == (lied.rcode(), honest.rcode())


async def test_garbage_is_no_message() -> None:
    async with serving(odd=Node(behaviour=Behaviour.GARBLED)) as server:
        with pytest.raises(dns.exception.DNSException):
            await ask(server, "odd", timeout_s=0.02)


@pytest.mark.parametrize("wire", [b"", b"\0", b"x" * 500, b"\xff" * 12])
async def test_bytes_that_are_no_question_are_passed_over(wire: bytes) -> None:
    async with serving(a=Node({"A": ("127.0.0.1",)})) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(wire, (server.ip, server.port))
        answer = await ask(server, "a")

    assert 1 == len(answer.answer)
    assert 1 == sum(server.asked.values())


async def test_an_idle_connection_does_not_hold_up_the_end() -> None:
    async with serving() as server:
        _, writer = await asyncio.open_connection(server.ip, server.port)
        writer.write(b"\0")
        await ask(server, "a", tcp=True)
    writer.close()

    assert not server._open
