"""The pump: a socket on one side, a wire machine on the other, deadlines over both.

One object a call, with one timer, and a read buffer shared by all calls: ten thousand hosts that let us
wait are ten thousand of these. Not here: the socket (net/dial.py), whether its connection stands
(net/connect.py), what is said (wire/probe.py), TLS itself (net/tls.py).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol, TypeVarTuple

from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault, Stage
from .clock import TellsTime
from .connect import begin_connecting, judge_connection
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

    def begin(
        self, sock: socket.socket, endpoint: Endpoint, probe: Conversation, patience: Patience
    ) -> "Call":
        """Connect `sock`, and carry octets between it and `probe` until that is closed."""
        return Call(self, sock, endpoint, probe, patience)


_Ts = TypeVarTuple("_Ts")


class Call:
    """One connection. Whoever began it waits for `ended`, and calls `end` whatever happens.

    `ended` raises what the probe raises, which is a bug of ours. `_due_at` is when the stage must be over;
    the timer may go off before it. There is no transport of asyncio: it takes twice the room of all this.
    """

    __slots__ = (
        "_due_at",
        "_endpoint",
        "_loop",
        "_mark",
        "_patience",
        "_probe",
        "_pump",
        "_read_bytes",
        "_sock",
        "_timer",
        "_timer_at",
        "_tls",
        "_unsent",
        "_whole_at",
        "ended",
    )

    def __init__(
        self,
        pump: Pump,
        sock: socket.socket,
        endpoint: Endpoint,
        probe: Conversation,
        patience: Patience,
    ) -> None:
        self._pump, self._sock, self._endpoint = pump, sock, endpoint
        self._probe, self._patience = probe, patience
        self._loop = asyncio.get_running_loop()
        self._tls: TlsSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = self._whole_at = self._timer_at = self._loop.time() + patience.whole_s
        self._mark: tuple[Stage, int] | None = None
        self._read_bytes = 0
        self._unsent = b""
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._move(self._connect)

    def end(self) -> None:
        """Close the connection, if it is not."""
        self._forget_deadline()
        if (number := self._sock.fileno()) != -1:
            self._loop.remove_reader(number)
            self._loop.remove_writer(number)
            self._sock.close()

    # What the event loop calls.

    def _connected(self) -> None:
        # In this order the loop goes on watching the socket, and needs not begin anew.
        self._loop.add_reader(self._sock.fileno(), self._read)
        self._loop.remove_writer(self._sock.fileno())
        self._move(self._begin)

    def _read(self) -> None:
        try:
            count = self._sock.recv_into(self._pump.buffer)
        except BlockingIOError:
            return
        except OSError as error:
            fault = Fault.TIMEOUT if isinstance(error, TimeoutError) else Fault.CLOSED
            self._move(self._lose, fault, in_words(error))
            return
        if count:
            self._move(self._take, bytes(self._pump.buffer[:count]))
        else:
            self._move(self._lose, Fault.CLOSED, "the host closed the connection")

    def _write(self) -> None:
        octets, self._unsent = self._unsent, b""
        self._loop.remove_writer(self._sock.fileno())
        self._send(octets)

    # One move of the conversation, and what follows from it.

    def _move(self, move: Callable[[*_Ts], None], *args: *_Ts) -> None:
        if self.ended.done():
            return
        try:
            move(*args)
        except Exception as bug:  # out of a callback it would reach the loop's log and nobody else
            self.ended.set_exception(bug)
            return
        if self._probe.closed:
            self._hang_up()
        else:
            self._renew_deadline()

    def _connect(self) -> None:
        try:
            stands = begin_connecting(self._sock, self._endpoint)
        except OSError as error:
            self._lose(Fault.REFUSED, in_words(error))
            return
        if stands:
            self._loop.add_reader(self._sock.fileno(), self._read)
            self._begin()
        else:
            self._loop.add_writer(self._sock.fileno(), self._connected)

    def _begin(self) -> None:
        """The connection stands, or has failed."""
        failure = judge_connection(self._sock, self._endpoint)
        if failure:
            self._lose(failure.fault, failure.detail)
        else:
            self._probe.connected(self._now())

    def _take(self, octets: bytes) -> None:
        self._read_bytes += len(octets)
        if self._read_bytes > MAX_CALL_BYTES:
            self._lose(Fault.NOT_SMTP, f"the host sent more than {MAX_CALL_BYTES} bytes")
        elif self._tls is None:
            self._say(self._probe.receive(octets, self._now()))
            if self._probe.stage is Stage.TLS and not self._probe.closed:
                self._tls = TlsSession(self._pump.tls_context(), self._endpoint.host)
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
        if self._unsent or not octets:
            self._unsent += octets
            return
        try:
            sent = self._sock.send(octets)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # what the host said before that, and why it is gone, is to be read
        if sent < len(octets):
            self._unsent = octets[sent:]
            self._loop.add_writer(self._sock.fileno(), self._write)

    def _lose(self, fault: Fault, detail: str) -> None:
        if fault is Fault.CLOSED and self._tls is not None and not self._tls.established:
            fault = Fault.TLS_FAILED  # many hosts end a handshake they dislike without an alert
        self._probe.lose(fault, detail, self._now())

    def _now(self) -> float:
        return self._pump.clock.now()

    def _hang_up(self) -> None:
        if self._tls is not None:
            self._tls.end()
            self._send(self._tls.outgoing())
        # Where the host does not read, there is nothing to wait for.
        self.end()
        self.ended.set_result(None)

    # The deadline: of a stage, not of a read, or a byte a second would hold us for ever.

    def _renew_deadline(self) -> None:
        mark = (self._probe.stage, self._probe.answers)
        if mark == self._mark:
            return
        self._mark = mark
        wait_s = self._patience.stage_s
        if mark[0] is Stage.QUIT:
            wait_s = min(wait_s, QUIT_WAIT_S)
        self._due_at = min(self._loop.time() + wait_s, self._whole_at)
        # A deadline that moves on, as most do, leaves the timer alone: it is set anew when it goes off.
        if self._timer is None or self._timer_at > self._due_at:
            self._forget_deadline()
            self._set_timer()

    def _set_timer(self) -> None:
        # Kept here, as what uvloop returns for an instant that has come has no when().
        self._timer_at = self._due_at
        self._timer = self._loop.call_at(self._due_at, self._look_at_clock)

    def _look_at_clock(self) -> None:
        if self._loop.time() < self._due_at:
            self._set_timer()
        else:
            self._move(self._lose, Fault.TIMEOUT, self._what_took_too_long())

    def _what_took_too_long(self) -> str:
        stage_s, whole_s = self._patience.stage_s, self._patience.whole_s
        if self._probe.stage is Stage.CONNECT:
            return f"no connection within {min(stage_s, whole_s):g} s"
        if self._due_at < self._whole_at:
            return f"no answer within {stage_s:g} s"
        return "no answer by the end of the call's time"

    def _forget_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _in_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message  # its reason says only that there is one
    return error.reason or str(error)
