"""Connecting, and everything that can prevent it."""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from ringback.net.clock import SystemClock
from ringback.net.dial import TcpDialer, outward_addresses
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Fault, Stage

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Host = Callable[[Serve], Awaitable[int]]

LOOPBACK = ("127.0.0.0/8", "::1/128")
PATIENCE = Patience(stage_s=5.0, whole_s=5.0)


class Hearer:
    """A conversation that ends with whatever it hears first."""

    stage = Stage.CONNECT
    answers = 0

    def __init__(self) -> None:
        self.closed = False
        self.heard = b""
        self.lost: tuple[Fault, str] | None = None

    def connected(self, at: float) -> None:
        self.stage = Stage.GREETING

    def receive(self, octets: bytes, at: float) -> bytes:
        self.heard, self.closed = octets, True
        return b""

    def secured(self, detail: str, at: float) -> bytes:
        raise AssertionError("nobody asked for TLS")

    def lose(self, fault: Fault, detail: str, at: float) -> None:
        if not self.closed:
            self.lost, self.closed = (fault, detail), True


def dialer(**settings: Any) -> TcpDialer:
    return TcpDialer(clock=SystemClock(), **{"allowed_networks": LOOPBACK, **settings})


async def call(
    to: TcpDialer, port: int, ip: str = "127.0.0.1", patience: Patience = PATIENCE
) -> Hearer:
    hearer = Hearer()
    await to.call(Endpoint("mx.example", ip, port), hearer, patience)

    assert hearer.closed
    return hearer


async def name_caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(writer.get_extra_info("peername")[0].encode())


def closed_port(family: socket.AddressFamily = socket.AF_INET) -> int:
    with socket.socket(family) as sock:
        sock.bind(("::1" if family is socket.AF_INET6 else "127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_conversation_is_carried(host: Host) -> None:
    hearer = await call(dialer(), await host(name_caller))

    assert hearer.heard == b"127.0.0.1"
    assert hearer.lost is None


@pytest.mark.parametrize("ip", ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"])
async def test_forbidden_network_is_not_connected(host: Host, ip: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)

    callers: list[asyncio.StreamWriter] = []
    port = await host(serve)
    hearer = await call(dialer(allowed_networks=()), port, ip)

    assert hearer.lost is not None
    assert hearer.lost[0] is Fault.FORBIDDEN_NETWORK
    assert callers == []


async def test_own_address_is_not_connected(host: Host) -> None:
    port = await host(name_caller)
    hearer = await call(dialer(own_addresses=["127.0.0.1"]), port)

    assert hearer.lost == (Fault.FORBIDDEN_NETWORK, "127.0.0.1 is our own address")


async def test_refused_connection_is_refused() -> None:
    hearer = await call(dialer(), closed_port())

    assert hearer.lost == (Fault.REFUSED, "Connection refused")


async def test_refused_connection_over_ipv6_is_refused() -> None:
    hearer = await call(dialer(), closed_port(socket.AF_INET6), "::1")

    assert hearer.lost == (Fault.REFUSED, "Connection refused")


async def test_connection_that_is_never_accepted_times_out() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # room for one; what comes after it waits
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        patience = Patience(stage_s=0.03, whole_s=5.0)
        hearer = await call(dialer(), full.getsockname()[1], patience=patience)

    assert hearer.lost == (Fault.TIMEOUT, "no connection within 0.03 s")


async def test_whole_deadline_counts_from_before_the_connection(host: Host) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    patience = Patience(stage_s=5.0, whole_s=0.03)
    hearer = await call(dialer(), await host(silent), patience=patience)

    assert hearer.lost == (Fault.TIMEOUT, "no answer by the end of the call's time")


async def test_cancelled_connection_leaves_no_socket() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for sock in (first, second):
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        task = asyncio.create_task(call(dialer(), full.getsockname()[1]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("sources", [["127.0.0.2"], ["::1", "127.0.0.2", "127.0.0.3"]])
async def test_first_source_address_of_the_family_is_used(host: Host, sources: list[str]) -> None:
    hearer = await call(dialer(source_addresses=sources), await host(name_caller))

    assert hearer.heard == b"127.0.0.2"


async def test_source_address_is_used_over_ipv6() -> None:
    hearer = await call(dialer(source_addresses=["::1"]), closed_port(socket.AF_INET6), "::1")

    assert hearer.lost == (Fault.REFUSED, "Connection refused")


async def test_host_of_a_family_without_a_source_address_is_not_called(host: Host) -> None:
    hearer = await call(dialer(source_addresses=["::1"]), await host(name_caller))

    assert hearer.lost == (Fault.REFUSED, "no source address is configured for IPv4")


@pytest.mark.parametrize(("source", "ip"), [("192.0.2.77", "127.0.0.1"), ("2001:db8::77", "::1")])
async def test_source_address_that_is_not_ours_is_our_fault(source: str, ip: str) -> None:
    hearer = await call(dialer(source_addresses=[source]), 25, ip)

    assert hearer.lost == (
        Fault.SOURCE_UNUSABLE,
        f"cannot use {source} as source: Cannot assign requested address",
    )


@pytest.mark.parametrize(
    ("number", "fault"),
    [(errno.EMFILE, Fault.SOURCE_UNUSABLE), (errno.EAFNOSUPPORT, Fault.REFUSED)],
)
async def test_socket_that_cannot_be_had_is_blamed_on_who_lacks_it(
    monkeypatch: pytest.MonkeyPatch, number: int, fault: Fault
) -> None:
    def fail(*_: object) -> socket.socket:
        raise OSError(number, "cannot")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", fail)
        hearer = await call(dialer(), 25)

    assert hearer.lost is not None
    assert hearer.lost[0] is fault


async def test_connection_to_another_address_than_judged_is_dropped(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere(socket.socket):
        def getpeername(self) -> Any:
            return ("10.0.0.1", 25)

    port = await host(name_caller)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", Elsewhere)
        hearer = await call(dialer(), port)

    assert hearer.lost == (
        Fault.FORBIDDEN_NETWORK,
        "connected to 10.0.0.1 in place of 127.0.0.1",
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"source_addresses": ["mx.example"]},
        {"own_addresses": ["10.0.0.0/8"]},
        {"allowed_networks": ["all"]},
    ],
)
def test_setting_that_is_no_address_is_refused(settings: dict[str, list[str]]) -> None:
    with pytest.raises(ValueError):
        dialer(**settings)


def test_our_way_out_is_found_without_sending_anything() -> None:
    found = [ip_address(address) for address in outward_addresses()]

    assert [] == [address for address in found if address.is_unspecified]


def test_no_way_out_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(socket, "socket", refuse)

    assert () == outward_addresses()


async def test_a_host_of_ours_may_stand_anywhere_even_in_the_file_system(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(greet, path)
    hearer = Hearer()
    async with server:
        endpoint = Endpoint("mx", f"unix:{path}", 0, ours=True)
        await dialer(source_addresses=["192.0.2.1"]).call(endpoint, hearer, PATIENCE)

    assert b"220 here\r\n" == hearer.heard


async def test_a_host_of_ours_is_called_on_loopback_and_from_wherever(host: Host) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        await writer.drain()
        writer.close()

    port, hearer = await host(greet), Hearer()
    strict = dialer(allowed_networks=(), source_addresses=["192.0.2.1"])
    await strict.call(Endpoint("mx", "127.0.0.1", port, ours=True), hearer, PATIENCE)

    assert b"220 here\r\n" == hearer.heard


async def test_a_socket_that_is_not_there_is_a_refused_connection(tmp_path: Path) -> None:
    hearer = Hearer()
    endpoint = Endpoint("mx", f"unix:{tmp_path}/none", 0, ours=True)
    await dialer().call(endpoint, hearer, PATIENCE)

    assert hearer.lost
    assert Fault.REFUSED is hearer.lost[0]
