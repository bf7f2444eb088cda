"""The pump against hosts that behave and hosts that do not."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence

import pytest

from ringback.errors import LocalProtocolError
from ringback.net import connect, converse
from ringback.net.clock import SystemClock
from ringback.net.converse import MAX_CALL_BYTES, Call, Conversation, Pump
from ringback.net.tls import opportunistic_context
from ringback.net.watch import READABLE, WRITABLE, Watch, Watched
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import About, Exchange, Fault, Meaning, Reading, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe
from ringback.wire.question import Question
from ringback.wire.reply import Reply

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Host = Callable[[Serve], Awaitable[int]]


class Script:
    """A conversation by rote: each whole line is an answer, to which the next turn is said."""

    def __init__(self, *turns: tuple[Stage, bytes]) -> None:
        self._turns = list(turns)
        self._partial = b""
        self.stage = Stage.CONNECT
        self.closed = False
        self.answers = 0
        self.lines: list[bytes] = []
        self.secured_with = ""
        self.lost: list[tuple[Fault, str]] = []

    def connected(self, at: float) -> None:
        self.stage = Stage.GREETING
        self.answers += 1

    def receive(self, octets: bytes, at: float) -> bytes:
        *whole, self._partial = (self._partial + octets).split(b"\n")
        self.lines += whole
        self.answers += len(whole)
        return b"".join(self._next() for _ in whole)

    def secured(self, detail: str, at: float) -> bytes:
        self.secured_with = detail
        self.answers += 1
        return self._next()

    def lose(self, fault: Fault, detail: str, at: float) -> None:
        if not self.closed:
            self.lost.append((fault, detail))
        self.closed = True

    @property
    def faults(self) -> list[Fault]:
        return [fault for fault, _ in self.lost]

    def _next(self) -> bytes:
        if not self._turns:
            self.closed = True
            return b""
        self.stage, octets = self._turns.pop(0)
        return octets


async def converse_with(
    port: int,
    probe: Conversation,
    *,
    stage_s: float = 5.0,
    whole_s: float = 5.0,
    name: str = "mx",
    tls_context: Callable[[], ssl.SSLContext] = opportunistic_context,
) -> None:
    with socket.socket() as sock:
        sock.setblocking(False)
        pump = Pump(SystemClock(), tls_context)
        patience = Patience(stage_s, whole_s)
        call = Call(pump, sock, Endpoint(name, "127.0.0.1", port), probe, patience)
        try:
            call.begin()
            await call.ended
        finally:
            call.end()

        assert sock.fileno() == -1


def replying(*replies: bytes) -> Serve:
    """A host that greets, and says the next reply to each line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            writer.write(reply)
            await reader.readline()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_conversation_goes_on_until_the_probe_is_closed(host: Host) -> None:
    port = await host(replying(b"220 hi\n", b"250 ok\n", b"221 bye\n"))
    probe = Script((Stage.EHLO, b"EHLO x\n"), (Stage.QUIT, b"QUIT\n"))
    await converse_with(port, probe)

    assert probe.lines == [b"220 hi", b"250 ok", b"221 bye"]
    assert probe.lost == []


async def test_reply_in_single_bytes_is_one_reply(host: Host) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for octet in b"220 hi\n":
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    probe = Script()
    await converse_with(await host(serve), probe)

    assert probe.lines == [b"220 hi"]


@pytest.mark.parametrize("whole_s", [0.5, 5.0])
async def test_silence_ends_at_the_deadline_of_the_stage(host: Host, whole_s: float) -> None:
    probe = Script()
    await converse_with(await host(silent), probe, stage_s=0.03, whole_s=whole_s)

    assert probe.lost == [(Fault.TIMEOUT, "no answer within 0.03 s")]


async def test_dripping_host_does_not_move_the_deadline(host: Host) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(MAX_CALL_BYTES):
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(0)

    probe = Script()
    await converse_with(await host(drip), probe, stage_s=0.05)

    assert probe.faults == [Fault.TIMEOUT]


async def test_each_answer_gives_the_next_stage_its_own_time(host: Host) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(3):
            await reader.readline() if probe.lines else None
            loop.call_later(0.06, writer.write, b"250 ok\n")
        await reader.read()

    probe = Script((Stage.EHLO, b"1\n"), (Stage.MAIL, b"2\n"))
    await converse_with(await host(slow), probe, stage_s=0.1)

    assert probe.lost == []
    assert probe.lines == [b"250 ok"] * 3


async def test_whole_call_ends_at_its_deadline_however_lively(host: Host) -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        while await reader.readline():
            writer.write(b"250-and so on\n")

    probe = Script(*[(Stage.EHLO, b"go on\n")] * 100_000)
    await converse_with(await host(chat), probe, whole_s=0.05)

    assert probe.lost == [(Fault.TIMEOUT, "no answer by the end of the call's time")]


async def test_goodbye_is_not_waited_for_long(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converse, "QUIT_WAIT_S", 0.02)
    loop = asyncio.get_running_loop()
    probe = Script((Stage.QUIT, b"QUIT\n"))
    before = loop.time()
    await converse_with(await host(replying(b"220 hi\n", b"")), probe)

    assert probe.closed
    assert loop.time() - before < 1.0


@pytest.mark.slow
async def test_flood_is_cut_off(host: Host) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    probe = Script()
    probe.receive = lambda octets, at: b""  # type: ignore[method-assign]
    await converse_with(await host(flood), probe)

    assert probe.lost == [(Fault.NOT_SMTP, f"the host sent more than {MAX_CALL_BYTES} bytes")]


async def test_host_that_closes_is_closed(host: Host) -> None:
    probe = Script((Stage.EHLO, b"EHLO x\n"))
    await converse_with(await host(replying(b"220 hi\n")), probe)

    assert probe.lines == [b"220 hi"]
    assert probe.faults == [Fault.CLOSED]


async def test_reset_is_closed(host: Host) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    probe = Script()
    await converse_with(await host(reset), probe)

    assert probe.faults == [Fault.CLOSED]


async def test_last_words_before_the_end_are_heard(host: Host) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 go away\n")

    probe = Script()
    await converse_with(await host(leave), probe)

    assert probe.lines == [b"554 go away"]
    assert probe.lost == []


async def test_host_that_does_not_read_is_left_at_the_deadline(host: Host) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await left.wait()

    left = asyncio.Event()
    probe = Script((Stage.EHLO, b"x" * 8_000_000))
    await converse_with(await host(deaf), probe, stage_s=0.05)
    left.set()

    assert probe.faults == [Fault.TIMEOUT]


async def test_what_the_host_reads_late_arrives_whole_and_in_order(host: Host) -> None:
    said = b"".join(b"%d " % number for number in range(1_000_000))

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n220 again\n")
        heard.append(await reader.readexactly(len(said) + len(b"QUIT\n")))
        writer.write(b"221 bye\n")

    heard: list[bytes] = []
    probe = Script((Stage.EHLO, said), (Stage.QUIT, b"QUIT\n"))
    await converse_with(await host(slow), probe)

    assert probe.lines == [b"220 hi", b"220 again", b"221 bye"]
    assert heard == [said + b"QUIT\n"]


async def test_cancelled_call_closes_its_connection(host: Host) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        gone.set()

    came, gone = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(converse_with(await host(serve), Script()))
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(gone.wait(), 5)


async def test_bug_in_the_probe_ends_the_task_loudly(host: Host) -> None:
    class Broken(Script):
        def receive(self, octets: bytes, at: float) -> bytes:
            raise LocalProtocolError("a bug")

    with pytest.raises(LocalProtocolError, match="a bug"):
        await converse_with(await host(replying(b"220 hi\n")), Broken())


@pytest.mark.parametrize("next_door", [True, False])
async def test_bug_at_the_beginning_ends_it_too(
    host: Host, monkeypatch: pytest.MonkeyPatch, next_door: bool
) -> None:
    class Broken(Script):
        def connected(self, at: float) -> None:
            raise LocalProtocolError("a bug")

    monkeypatch.setattr(connect, "_has_peer", lambda _: next_door)
    with pytest.raises(LocalProtocolError, match="a bug"):
        await converse_with(await host(silent), Broken())


async def test_bug_is_told_once_and_not_at_all_to_who_has_left() -> None:
    first, second = ZeroDivisionError(), ZeroDivisionError()
    with socket.socket() as sock:
        pump, endpoint = Pump(SystemClock(), opportunistic_context), Endpoint("mx", "127.0.0.1", 25)
        told, gone = (Call(pump, sock, endpoint, Script(), Patience(5, 5)) for _ in range(2))
    gone.ended.cancel()
    for call in (told, gone):
        call.fail(first)
        call.fail(second)

    assert first is told.ended.exception()
    assert gone.ended.cancelled()


class Noting(Watch):
    """Notes what it is to watch for."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[int] = []

    def begin(self, number: int, events: int, watched: Watched) -> None:
        self.events.append(events)
        super().begin(number, events, watched)

    def change(self, number: int, events: int) -> None:
        self.events.append(events)
        super().change(number, events)


@pytest.mark.parametrize("next_door", [True, False])
async def test_room_is_watched_for_only_while_there_is_something_to_send(
    host: Host, monkeypatch: pytest.MonkeyPatch, next_door: bool
) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        await reader.readexactly(8_000_000)
        writer.write(b"250 ok\n")

    monkeypatch.setattr(connect, "_has_peer", lambda _: next_door)
    port, probe = await host(slow), Script((Stage.EHLO, b"x" * 8_000_000))
    with socket.socket() as sock:
        sock.setblocking(False)
        pump = Pump(SystemClock(), opportunistic_context)
        pump.watch = noting = Noting()
        endpoint = Endpoint("mx", "127.0.0.1", port)
        call = Call(pump, sock, endpoint, probe, Patience(5.0, 5.0))
        call.begin()
        await call.ended

    begun = [READABLE] if next_door else [WRITABLE, READABLE]
    assert [*begun, READABLE | WRITABLE] == noting.events[: len(begun) + 1]
    assert READABLE == noting.events[-1]


async def test_call_that_has_ended_hears_no_more(host: Host) -> None:
    probe = Script()
    port = await host(replying(b"220 hi\n"))
    with socket.socket() as sock:
        sock.setblocking(False)
        pump = Pump(SystemClock(), opportunistic_context)
        endpoint = Endpoint("mx", "127.0.0.1", port)
        call = Call(pump, sock, endpoint, probe, Patience(5.0, 5.0))
        call.begin()
        await call.ended
        call.go_on(READABLE)
        call.be_late()

    assert [b"220 hi"] == probe.lines
    assert [] == probe.lost


# TLS


def starttls(
    context: ssl.SSLContext, then: Serve, *, hear: list[str | None] | None = None
) -> Serve:
    """A host that greets, hears one line, and goes on over TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        await reader.readline()
        writer.write(b"220 go ahead\n")
        if hear is not None:
            context.sni_callback = lambda _object, name, _context: hear.append(name)
        with contextlib.suppress(ssl.SSLError):
            await writer.start_tls(context)
            await then(reader, writer)
        context.sni_callback = None

    return serve


def starting_tls(*turns: tuple[Stage, bytes]) -> Script:
    return Script((Stage.STARTTLS, b"STARTTLS\n"), (Stage.TLS, b""), *turns)


async def test_conversation_goes_on_over_tls_whatever_the_certificate(
    host: Host, server_tls: ssl.SSLContext
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.write(b"250 secret\n")
        heard.append(await reader.readline())
        writer.write(b"221 bye\n")

    heard: list[bytes] = []
    names: list[str | None] = []
    probe = starting_tls((Stage.EHLO, b"EHLO x\n"), (Stage.QUIT, b"QUIT\n"))
    port = await host(starttls(server_tls, serve, hear=names))
    await converse_with(port, probe, name="mx.shop.example")

    assert probe.lost == []
    assert probe.lines == [b"220 hi", b"220 go ahead", b"250 secret", b"221 bye"]
    assert heard == [b"EHLO x\n", b"QUIT\n"]
    assert names == ["mx.shop.example"]
    assert probe.secured_with.startswith("TLSv1.3 TLS_")


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".example", "b\\252cher.example"])
async def test_host_that_cannot_be_named_to_tls_is_still_called(
    host: Host, server_tls: ssl.SSLContext, name: str
) -> None:
    probe = starting_tls((Stage.EHLO, b"EHLO x\n"))
    port = await host(starttls(server_tls, replying(b"250 secret\n")))
    await converse_with(port, probe, name=name)

    assert probe.lost == []


async def test_old_version_of_tls_fails(host: Host, server_tls: ssl.SSLContext) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    server_tls.maximum_version = ssl.TLSVersion.TLSv1_2
    probe = starting_tls()
    try:
        port = await host(starttls(server_tls, silent))
        await converse_with(port, probe, tls_context=lambda: client)
    finally:
        server_tls.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED

    assert probe.faults == [Fault.TLS_FAILED]


async def test_host_that_closes_during_the_handshake_fails_at_tls(host: Host) -> None:
    probe = starting_tls()
    await converse_with(await host(replying(b"220 hi\n", b"220 go ahead\n")), probe)

    assert probe.lost == [(Fault.TLS_FAILED, "the host closed the connection")]


async def test_garbage_in_place_of_a_handshake_fails(host: Host) -> None:
    async def garble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        await reader.readline()
        writer.write(b"220 go ahead\n")
        await reader.read(1)
        writer.write(b"502 what is that?\n")
        await reader.read()

    probe = starting_tls()
    await converse_with(await host(garble), probe)

    assert probe.faults == [Fault.TLS_FAILED]


async def test_handshake_has_a_deadline_of_its_own(host: Host) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\n")
        await reader.readline()
        writer.write(b"220 go ahead\n")
        await reader.read()

    probe = starting_tls()
    await converse_with(await host(stall), probe, stage_s=0.03)

    assert probe.faults == [Fault.TIMEOUT]


async def test_end_of_the_tls_session_is_closed(host: Host, server_tls: ssl.SSLContext) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"250 secret\n")

    probe = starting_tls((Stage.EHLO, b"EHLO x\n"), (Stage.MAIL, b"MAIL\n"))
    await converse_with(await host(starttls(server_tls, serve)), probe)

    assert probe.lines[-1] == b"250 secret"
    assert probe.faults == [Fault.CLOSED]


async def test_long_reply_over_tls_is_whole(host: Host, server_tls: ssl.SSLContext) -> None:
    line = b"250 " + b"x" * 100_000 + b"\n"
    probe = starting_tls((Stage.EHLO, b"EHLO x\n"))
    await converse_with(await host(starttls(server_tls, replying(line))), probe)

    assert probe.lines[-1] == line.rstrip()


# With the real probe


class AskOnce:
    """A Guide that asks for one mailbox and believes every 250."""

    def read(self, stage: Stage, reply: Reply) -> Reading:
        return Reading(Meaning.ACCEPTED if reply.code < 300 else Meaning.UNCLEAR, "test")

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        asked = any(exchange.stage is Stage.RCPT for exchange in said)
        return None if asked else Question(About.ADDRESS, "ann@shop.example")


def real_probe(port: int, tls: TlsPolicy) -> Probe:
    return Probe(Endpoint("mx.shop.example", "127.0.0.1", port), 1, "me.example", tls, AskOnce())


async def serve_smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say yes to everything."""
    while line := await reader.readline():
        writer.write(b"221 bye\r\n" if line == b"QUIT\r\n" else b"250 ok\r\n")


async def test_probe_walks_through_a_whole_callout(host: Host) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await serve_smtp(reader, writer)

    port = await host(serve)
    probe = real_probe(port, TlsPolicy.OPPORTUNISTIC)
    await converse_with(port, probe)

    assert [(said.stage, said.code, said.fault) for said in probe.transcript] == [
        (Stage.CONNECT, None, None),
        (Stage.GREETING, 220, None),
        (Stage.EHLO, 250, None),
        (Stage.MAIL, 250, None),
        (Stage.RCPT, 250, None),
        (Stage.QUIT, 221, None),
    ]


async def test_probe_walks_through_a_whole_callout_over_tls(
    host: Host, server_tls: ssl.SSLContext
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-mx\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go ahead\r\n")
        await writer.start_tls(server_tls)
        await serve_smtp(reader, writer)

    port = await host(serve)
    probe = real_probe(port, TlsPolicy.OPPORTUNISTIC)
    await converse_with(port, probe)

    assert [said.stage.value for said in probe.transcript] == (
        ["connect", "greeting", "ehlo", "starttls", "tls", "ehlo", "mail", "rcpt", "quit"]
    )
    assert not any(said.fault for said in probe.transcript)


async def test_injection_before_the_handshake_is_refused(host: Host) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        await reader.readline()
        writer.write(b"250-mx\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go ahead\r\n250 injec")
        await reader.read()

    port = await host(serve)
    probe = real_probe(port, TlsPolicy.OPPORTUNISTIC)
    await converse_with(port, probe)

    assert probe.transcript[-1].fault is Fault.OUT_OF_STEP


def test_pump_runs_on_uvloop_too(server_tls: ssl.SSLContext) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def run() -> Script:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                await starttls(server_tls, replying(b"250 secret\n"))(reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        probe = starting_tls((Stage.EHLO, b"EHLO x\n"))
        async with server:
            await converse_with(server.sockets[0].getsockname()[1], probe)
        return probe

    probe = uvloop.run(run())

    assert probe.lost == []
    assert probe.lines[-1] == b"250 secret"


def test_call_that_has_no_time_ends_on_uvloop_too() -> None:
    uvloop = pytest.importorskip("uvloop")
    probe = Script()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        uvloop.run(converse_with(listening.getsockname()[1], probe, whole_s=0.0))

    assert probe.faults == [Fault.TIMEOUT]
