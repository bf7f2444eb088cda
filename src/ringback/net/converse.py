"""The pump: a socket on one side, a wire machine on the other, deadlines over both.

One asyncio protocol a call, with one timer, and a read buffer shared by all calls: ten thousand hosts
that let us wait are ten thousand of these. Not here: connecting (net/dial.py), what is said
(wire/probe.py), TLS itself (net/tls.py).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from ..values.evidence import Fault, Stage
from .clock import TellsTime
from .tls import TlsSession
from .trouble import in_words

# One read; what a peer sends faster than that waits in the kernel, where it is the peer's problem.
READ_BYTES = 16 * 1024
# Everything one host may send in one call. A conversation has about twelve replies of at most 64 KiB
# each, and real ones stay under 10 KiB in all.
MAX_CALL_BYTES = 1024 * 1024
# All has been said by then: waiting longer for a goodbye would only hold a connection of theirs and ours.
QUIT_WAIT_S = 2.0


class Conversation(Protocol):
    """What the pump needs of wire.probe.Probe."""

    @property
    def stage(self) -> Stage: ...

    @property
    def closed(self) -> bool: ...

    @property
    def answers(self) -> int: ...

    def connected(self, at: float) -> None: ...

    def receive(self, octets: bytes, at: float) -> bytes: ...

    def secured(self, detail: str, at: float) -> bytes: ...

    def lose(self, fault: Fault, detail: str, at: float) -> None: ...


class Pump:
    """What all calls of one dialer share. It belongs to one event loop."""

    def __init__(self, clock: TellsTime, tls_context: Callable[[], ssl.SSLContext]) -> None:
        self.clock = clock
        self.tls_context = tls_context
        self.buffer = memoryview(bytearray(READ_BYTES))

    async def converse(
        self, sock: socket.socket, probe: Conversation, host: str, stage_s: float, whole_at: float
    ) -> None:
        """Carry octets until `probe` is closed; then the socket is, whatever happened.

        Each stage may take `stage_s`, all of them may take until `whole_at` (of the loop's time).
        Raises what `probe` raises, which is a bug of ours.
        """
        loop = asyncio.get_running_loop()
        call = _Call(self, probe, host, stage_s, whole_at)
        transport, _ = await loop.create_connection(lambda: call, sock=sock)
        try:
            await call.ended
        finally:
            call.forget_deadline()
            transport.abort()  # does nothing where the connection is closed


class _Call(asyncio.BufferedProtocol):
    """One connection. `_due_at` is when the stage must be over; the timer may go off before it."""

    __slots__ = (
        "_due_at",
        "_host",
        "_loop",
        "_mark",
        "_probe",
        "_pump",
        "_read_bytes",
        "_stage_s",
        "_timer",
        "_tls",
        "_transport",
        "_whole_at",
        "ended",
    )

    _transport: asyncio.Transport

    def __init__(
        self, pump: Pump, probe: Conversation, host: str, stage_s: float, whole_at: float
    ) -> None:
        self._pump, self._probe, self._host = pump, probe, host
        self._stage_s, self._whole_at = stage_s, whole_at
        self._loop = asyncio.get_running_loop()
        self._tls: TlsSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = whole_at
        self._mark: tuple[Stage, int] | None = None
        self._read_bytes = 0
        self.ended: asyncio.Future[None] = self._loop.create_future()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._move(lambda: self._probe.connected(self._now()))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._pump.buffer

    def buffer_updated(self, nbytes: int) -> None:
        octets = bytes(self._pump.buffer[:nbytes])
        self._move(lambda: self._take(octets))

    def eof_received(self) -> None:
        self._move(lambda: self._lose(Fault.CLOSED, "the host closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        fault = Fault.TIMEOUT if isinstance(exc, TimeoutError) else Fault.CLOSED
        detail = in_words(exc) if isinstance(exc, OSError) else "the connection was lost"
        self._move(lambda: self._lose(fault, detail))
        if not self.ended.done():
            self.ended.set_result(None)

    # One move of the conversation, and what follows from it.

    def _move(self, move: Callable[[], None]) -> None:
        if self.ended.done():
            return
        try:
            move()
        except Exception as bug:  # out of a callback it would reach the loop's log and nobody else
            self.ended.set_exception(bug)
            return
        if self._probe.closed:
            self._hang_up()
        else:
            self._renew_deadline()

    def _take(self, octets: bytes) -> None:
        self._read_bytes += len(octets)
        if self._read_bytes > MAX_CALL_BYTES:
            self._lose(Fault.NOT_SMTP, f"the host sent more than {MAX_CALL_BYTES} bytes")
        elif self._tls is None:
            self._say(self._probe.receive(octets, self._now()))
            if self._probe.stage is Stage.TLS and not self._probe.closed:
                self._tls = TlsSession(self._pump.tls_context(), self._host)
                self._secure(self._tls)
        else:
            self._tls.feed(octets)
            self._secure(self._tls)

    def _secure(self, tls: TlsSession) -> None:
        """Do what the octets that were fed allow: shake hands, or read."""
        try:
            if not tls.established:
                tls.shake_hands()
                if tls.established:
                    self._say(self._probe.secured(tls.detail, self._now()))
            if tls.established and (octets := tls.decrypt()):
                self._say(self._probe.receive(octets, self._now()))
        except ssl.SSLError as error:
            self._lose(Fault.TLS_FAILED, _in_words(error))
        if tls.over:
            self._lose(Fault.CLOSED, "the host ended the TLS session")
        self._send(tls.outgoing())

    def _say(self, octets: bytes) -> None:
        if self._tls is None:
            self._send(octets)
        elif octets:
            self._tls.encrypt(octets)

    def _send(self, octets: bytes) -> None:
        # No back-pressure is needed: what a machine has to say is short, and a host that does not
        # read it does not answer it in time either.
        if octets and not self._transport.is_closing():
            self._transport.write(octets)

    def _lose(self, fault: Fault, detail: str) -> None:
        if fault is Fault.CLOSED and self._tls is not None and not self._tls.established:
            fault = Fault.TLS_FAILED  # many hosts end a handshake they dislike without an alert
        self._probe.lose(fault, detail, self._now())

    def _now(self) -> float:
        return self._pump.clock.now()

    def _hang_up(self) -> None:
        self.forget_deadline()
        if self._tls is not None and not self._transport.is_closing():
            self._tls.end()
            self._send(self._tls.outgoing())
        self._transport.close()
        if self._transport.get_write_buffer_size():  # the host does not read: nothing to wait for
            self._transport.abort()

    # The deadline: of a stage, not of a read, or a byte a second would hold us for ever.

    def _renew_deadline(self) -> None:
        mark = (self._probe.stage, self._probe.answers)
        if mark == self._mark:
            return
        self._mark = mark
        wait_s = min(self._stage_s, QUIT_WAIT_S) if mark[0] is Stage.QUIT else self._stage_s
        self._due_at = min(self._loop.time() + wait_s, self._whole_at)
        # A deadline that moves on, as most do, leaves the timer alone: it is set anew when it goes off.
        if self._timer is None or self._timer.when() > self._due_at:
            self.forget_deadline()
            self._timer = self._loop.call_at(self._due_at, self._look_at_clock)

    def _look_at_clock(self) -> None:
        if self._loop.time() < self._due_at:
            self._timer = self._loop.call_at(self._due_at, self._look_at_clock)
        elif self._due_at < self._whole_at:
            self._move(lambda: self._lose(Fault.TIMEOUT, f"no answer within {self._stage_s:g} s"))
        else:
            self._move(lambda: self._lose(Fault.TIMEOUT, "no answer by the end of the call's time"))

    def forget_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _in_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message  # its reason says only that there is one
    return error.reason or str(error)
