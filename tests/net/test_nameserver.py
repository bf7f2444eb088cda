"""One question to one server, and where the servers are named."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import pytest

from ringback.errors import UsageError
from ringback.lab.clock import WallClock
from ringback.lab.dns import DnsServer
from ringback.lab.zone import Behaviour, Node
from ringback.net.answers import MAX_RECORDS, read_response
from ringback.net.dns_message import Response, make_query, parse_name
from ringback.net.nameserver import (
    Nameserver,
    _Listener,
    exchange,
    parse_nameserver,
    system_nameservers,
)
from ringback.net.watch import READABLE, Watch
from ringback.values.dns import DnsAnswer, RecordType


@pytest.mark.parametrize(
    ("text", "server", "shown"),
    [
        ("192.0.2.1", Nameserver("192.0.2.1", 53), "192.0.2.1:53"),
        ("192.0.2.1:5353", Nameserver("192.0.2.1", 5353), "192.0.2.1:5353"),
        ("2001:db8::1", Nameserver("2001:db8::1", 53), "[2001:db8::1]:53"),
        ("[2001:db8::1]", Nameserver("2001:db8::1", 53), "[2001:db8::1]:53"),
        ("[::1]:5353", Nameserver("::1", 5353), "[::1]:5353"),
        ("fe80::1%eth0", Nameserver("fe80::1%eth0", 53), "[fe80::1%eth0]:53"),
    ],
)
def test_address_of_a_server(text: str, server: Nameserver, shown: str) -> None:
    assert parse_nameserver(text) == server
    assert str(server) == shown


@pytest.mark.parametrize(
    "text", ["", "ns.example", "192.0.2.1:", "192.0.2.1:x", "1.2.3.4:0", "[::1]:65536"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write"):
        parse_nameserver(text)


def test_servers_of_the_system(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("# nameserver 9.9.9.9\nsearch example\nnameserver 192.0.2.1\nnameserver\t::1\n")

    assert system_nameservers(conf) == (Nameserver("192.0.2.1"), Nameserver("::1"))


def test_system_without_servers_is_a_usage_error(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    with pytest.raises(UsageError, match=r"No such file.*set dns\.nameservers"):
        system_nameservers(conf)
    conf.write_text("search example\n")
    with pytest.raises(UsageError, match=r"names no name server; set dns\.nameservers"):
        system_nameservers(conf)


@pytest.fixture
async def lab() -> AsyncIterator[DnsServer]:
    server = DnsServer({}, WallClock())
    await server.start()
    yield server
    await server.close()


async def put_query(server: Nameserver, wait_s: float = 60.0) -> Response:
    query = make_query(parse_name("shop.example"), RecordType.TXT, edns=True)
    return await exchange(server, query, asyncio.get_running_loop().time() + wait_s, Watch())


def at(server: DnsServer) -> Nameserver:
    return parse_nameserver(server.nameserver)


async def test_response_comes_over_udp(lab: DnsServer) -> None:
    lab.zone["shop.example"] = Node({"TXT": ("hello",)})
    response = await put_query(at(lab))

    assert b"hello" in response.octets
    assert [asked.tcp for asked in lab.questions] == [False]


@pytest.mark.parametrize(
    "node",
    [Node({"TXT": ("x" * 5_000,)}), Node({"TXT": ("x",)}, behaviour=Behaviour.TRUNCATED)],
)
async def test_response_that_is_cut_comes_over_tcp(lab: DnsServer, node: Node) -> None:
    lab.zone["shop.example"] = node
    response = await put_query(at(lab))

    assert len(response.answer) == 1
    assert [asked.tcp for asked in lab.questions] == [False, True]


QUESTION = make_query(parse_name("shop.example"), RecordType.TXT, edns=True).question
Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Odd(asyncio.DatagramProtocol):
    """A server that sends what `reply` makes of each query."""

    def __init__(self, reply: Callable[[bytes], list[bytes]]) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for octets in self._reply(data):
            self.transport.sendto(octets, addr)  # type: ignore[attr-defined]


async def ask_odd(reply: Callable[[bytes], list[bytes]], wait_s: float = 60.0) -> Response:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Odd(reply), local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        return await put_query(Nameserver("127.0.0.1", port), wait_s)
    finally:
        transport.close()


def flags_of(response: Response) -> int:
    return dns.message.from_wire(response.octets).flags


def answered(wire: bytes) -> dns.message.Message:
    return dns.message.make_response(dns.message.from_wire(wire))


async def test_datagrams_that_answer_another_question_are_passed_over() -> None:
    def reply(wire: bytes) -> list[bytes]:
        other_id = answered(wire)
        other_id.id ^= 1
        other_name = answered(wire)
        other_name.question[0].name = dns.name.from_text("bank.example")
        right = answered(wire)
        right.flags |= dns.flags.AA
        octets = [message.to_wire() for message in (other_id, other_name, right, other_id)]
        return [b"", b"x", wire, *octets]

    response = await ask_odd(reply)

    assert dns.flags.AA & flags_of(response)


async def test_response_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match="a name that leads nowhere"):
        await ask_odd(lambda wire: [wire[:2] + b"\x80\x00\x00\x01\x00\x09\x00\x00\x00\x00rest"])


async def test_silence_has_an_end() -> None:
    with pytest.raises(TimeoutError):
        await ask_odd(lambda wire: [], 0.01)


async def test_response_that_has_come_counts_however_late_the_loop_is() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        watch, query = Watch(), make_query(parse_name("shop.example"), RecordType.TXT, edns=True)
        asking = asyncio.create_task(exchange(Nameserver(*server.getsockname()), query, 0.0, watch))
        await asyncio.sleep(0)
        wire, asker = server.recvfrom(1_232)
        server.sendto(answered(wire).to_wire(), asker)
        watch._look_at_clock()

        assert dns.flags.QR & flags_of(await asking)


async def test_listener_reads_what_there_is_till_it_has_its_response() -> None:
    query = make_query(parse_name("shop.example"), RecordType.TXT, edns=True)
    ours, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, server:
        ours.setblocking(False)
        listener = _Listener(ours, query, 0.0)
        listener.go_on(READABLE)  # a datagram with a wrong checksum is gone when it is read
        empty_handed = not listener.response.done()
        for octets in (answered(query.octets).to_wire(), b"never read"):
            server.send(octets)
            listener.go_on(READABLE)

        assert empty_handed
        assert dns.flags.QR & flags_of(listener.response.result())
        assert b"never read" == ours.recv(100)


async def test_socket_is_let_go_when_all_is_said(lab: DnsServer) -> None:
    lab.zone["shop.example"] = Node({"TXT": ("hello",)})
    watch, query = Watch(), make_query(parse_name("shop.example"), RecordType.TXT, edns=True)
    await exchange(at(lab), query, asyncio.get_running_loop().time() + 60.0, watch)

    assert {} == watch._watched


async def test_server_that_may_not_be_asked_is_an_error() -> None:
    with pytest.raises(PermissionError):
        await put_query(Nameserver("255.255.255.255"))


async def test_scope_of_a_link_local_server_is_kept() -> None:
    index, name = socket.if_nameindex()[0]
    server = Nameserver(f"fe80::1%{name}", 9)

    assert server.address == ("fe80::1", 9, 0, index)
    with pytest.raises(OSError) as caught:  # which one depends on the interface
        await put_query(server, 0.01)
    assert caught.value.errno != errno.EINVAL


async def test_scope_that_is_no_interface_is_an_error() -> None:
    with pytest.raises(socket.gaierror):
        await put_query(Nameserver("fe80::1%nowhere"))


async def test_server_that_is_not_there_is_noticed_at_once() -> None:
    with pytest.raises(ConnectionRefusedError):
        await put_query(Nameserver("127.0.0.1", 9))


async def test_response_over_tcp_is_whole_whatever_it_says() -> None:
    class Cutting(DnsServer):
        def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
            octets = super().answer(wire, tcp=tcp)
            return octets and octets[:2] + bytes([octets[2] | 2]) + octets[3:]

    server = Cutting({"shop.example": Node({"TXT": ("hello",)})}, WallClock())
    await server.start()
    response = await put_query(at(server))
    await server.close()

    assert not response.is_cut
    assert 1 == len(response.answer)


async def test_cut_response_from_a_server_without_tcp_is_an_error() -> None:
    def reply(wire: bytes) -> list[bytes]:
        message = answered(wire)
        message.flags |= dns.flags.TC
        return [message.to_wire() + b"\x00half a reco"]

    with pytest.raises(ConnectionRefusedError):
        await ask_odd(reply)


async def ask_over_tcp(serve: Serve, wait_s: float = 60.0) -> Response:
    """Ask a server that cuts what it says over UDP, and treats a connection as `serve` says."""
    ended = asyncio.Event()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2))
            await serve(await reader.readexactly(size), writer)
            await reader.read()
        finally:
            writer.close()
            ended.set()

    def reply(wire: bytes) -> list[bytes]:
        return [wire[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + QUESTION]

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Odd(reply), local_addr=address)
    try:
        return await put_query(Nameserver(*address), wait_s)
    finally:
        await ended.wait()  # whatever comes of it, the connection is closed
        transport.close()
        server.close()


def framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(2) + octets


async def test_records_over_tcp_come_in_their_order() -> None:
    texts = [b"\x0bv=spf1 -all", *(b"\x05t%04d" % n for n in range(149))]

    async def serve(wire: bytes, writer: asyncio.StreamWriter) -> None:
        head = wire[:2] + b"\x81\x80\0\1\0\x96\0\0\0\0" + QUESTION
        records = [b"\xc0\x0c\0\x10\0\1\0\0\0\x3c\0" + bytes([len(it)]) + it for it in texts]
        writer.write(framed(head + b"".join(records)))

    said = read_response(await ask_over_tcp(serve), "shop.example", RecordType.TXT)

    assert isinstance(said, DnsAnswer)
    assert tuple(it[1:].decode() for it in texts[:MAX_RECORDS]) == said.texts


async def test_answer_to_another_question_over_tcp_is_none() -> None:
    async def serve(wire: bytes, writer: asyncio.StreamWriter) -> None:
        other = answered(wire)
        other.question[0].name = dns.name.from_text("bank.example")
        writer.write(framed(other.to_wire()))

    with pytest.raises(ValueError, match="another question"):
        await ask_over_tcp(serve)


@pytest.mark.parametrize("octets", [b"", b"\0", b"\0\x40half"])
async def test_connection_that_ends_too_early_is_an_error(octets: bytes) -> None:
    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        writer.write_eof()

    with pytest.raises(EOFError):
        await ask_over_tcp(serve)


async def test_silence_over_tcp_has_an_end() -> None:
    async def serve(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\0")

    with pytest.raises(TimeoutError):
        await ask_over_tcp(serve, 0.1)
