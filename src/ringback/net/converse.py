"""The pump: a socket on one side, a wire machine on the other, deadlines over both.

One object a call: ten thousand hosts that let us wait are ten thousand of these. Not here: the socket
(net/dial.py), whether its connection stands (net/connect.py), when there is something to read
(net/watch.py), what is said (wire/probe.py), TLS itself (net/tls.py).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from ..values.endpoint import Endpoint, Patience
from ..values.evidence import Fault, Stage
from .clock import TellsTime
from .connect import begin_connecting, judge_connection
from .tls import TlsSession, verifying_context
from .trouble import in_words
from .watch import READABLE, WRITABLE, Watch

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

    def __init__(
        self,
        clock: TellsTime,
        tls_context: Callable[[], ssl.SSLContext],
        verifying: Callable[[], ssl.SSLContext] = verifying_context,
    ) -> None:
        self.now, self.watch = clock.now, Watch()
        self._tls_contexts = {False: tls_context, True: verifying}

    def tls_session(self, endpoint: Endpoint) -> TlsSession:
        return TlsSession(self._tls_contexts[endpoint.verified](), endpoint.host)


class Call:
    """One connection: octets between `sock` and `probe`, until that is closed.

    Whoever begins it waits for `ended`, and calls `end` whatever happens. Both `begin` and `ended` raise what
    the probe raises, which is a bug of ours. `due_at` is when the stage must be over.
    There is no transport of asyncio: it takes twice the room of all this.
    """

    __slots__ = (
        "_answers",
        "_endpoint",
        "_patience",
        "_probe",
        "_pump",
        "_read_bytes",
        "_sock",
        "_tls",
        "_unsent",
        "_whole_at",
        "due_at",
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
        self._tls: TlsSession | None = None
        self._answers = 0  # how many had come when the deadline was renewed
        self._read_bytes = 0
        self._unsent = b""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._whole_at = now + patience.whole_s
        self.due_at = min(now + patience.stage_s, self._whole_at)
        self.ended: asyncio.Future[None] = loop.create_future()

    def begin(self) -> None:
        """Connect."""
        try:
            stands = begin_connecting(self._sock, self._endpoint)
        except OSError as error:
            self._lose(Fault.REFUSED, in_words(error))
        else:
            events = READABLE if stands else WRITABLE
            self._pump.watch.begin(self._sock.fileno(), events, self)
            if stands:
                self._greet()
        self._follow_up()

    def end(self) -> None:
        """Close the connection, if it is not."""
        if (number := self._sock.fileno()) != -1:
            self._pump.watch.end(number)
            self._sock.close()

    # What the watch calls.

    def go_on(self, events: int) -> None:
        """Do what the socket is ready for."""
        if self.ended.done():
            return
        if self._probe.stage is Stage.CONNECT:
            self._pump.watch.change(self._sock.fileno(), READABLE)
            self._greet()
        else:
            if events & WRITABLE:
                self._write()
            if events & ~WRITABLE:
                self._read()
        self._follow_up()

    def be_late(self) -> None:
        """The stage's time is over, or all of it."""
        if not self.ended.done():
            self._lose(Fault.TIMEOUT, self._what_took_too_long())
            self._follow_up()

    def fail(self, bug: Exception) -> None:
        """Tell who waits: out of a callback it would reach the loop's log and nobody else."""
        if not self.ended.done():
            self.ended.set_exception(bug)

    # One move of the conversation, and what follows from it.

    def _greet(self) -> None:
        """The connection stands, or has failed."""
        failure = judge_connection(self._sock, self._endpoint)
        if failure:
            self._lose(failure.fault, failure.detail)
        else:
            self._probe.connected(self._pump.now())

    def _read(self) -> None:
        try:
            octets = self._sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            fault = Fault.TIMEOUT if isinstance(error, TimeoutError) else Fault.CLOSED
            self._lose(fault, in_words(error))
            return
        if octets:
            self._take(octets)
        else:
            self._lose(Fault.CLOSED, "the host closed the connection")

    def _write(self) -> None:
        octets, self._unsent = self._unsent, b""
        self._pump.watch.change(self._sock.fileno(), READABLE)
        self._send(octets)

    def _follow_up(self) -> None:
        if self._probe.closed:
            self._hang_up()
        elif (answers := self._probe.answers) != self._answers:
            self._answers = answers
            self._renew_deadline()

    def _take(self, octets: bytes) -> None:
        self._read_bytes += len(octets)
        if self._read_bytes > MAX_CALL_BYTES:
            self._lose(Fault.NOT_SMTP, f"the host sent more than {MAX_CALL_BYTES} bytes")
        elif self._tls is None:
            self._send(self._probe.receive(octets, self._pump.now()))
            if self._probe.stage is Stage.TLS and not self._probe.closed:
                self._tls = self._pump.tls_session(self._endpoint)
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
                    tls.encrypt(self._probe.secured(tls.detail, self._pump.now()))
            if tls.established and (octets := tls.decrypt()):
                tls.encrypt(self._probe.receive(octets, self._pump.now()))
        except ssl.SSLError as error:
            self._lose(Fault.TLS_FAILED, _in_words(error))
        if tls.over:
            self._lose(Fault.CLOSED, "the host ended the TLS session")
        self._send(tls.outgoing())

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
            self._pump.watch.change(self._sock.fileno(), READABLE | WRITABLE)

    def _lose(self, fault: Fault, detail: str) -> None:
        if fault is Fault.CLOSED and self._tls is not None and not self._tls.established:
            fault = Fault.TLS_FAILED  # many hosts end a handshake they dislike without an alert
        self._probe.lose(fault, detail, self._pump.now())

    def _hang_up(self) -> None:
        if self._tls is not None:
            self._tls.end()
            self._send(self._tls.outgoing())
        # Where the host does not read, there is nothing to wait for.
        self.end()
        self.ended.set_result(None)

    # The deadline: of a stage, not of a read, or a byte a second would hold us for ever.

    def _renew_deadline(self) -> None:
        wait_s = self._patience.stage_s
        if self._probe.stage is Stage.QUIT:
            wait_s = min(wait_s, QUIT_WAIT_S)
        due_at = min(self.ended.get_loop().time() + wait_s, self._whole_at)
        if due_at < self.due_at:
            self._pump.watch.hurry(due_at)
        self.due_at = due_at

    def _what_took_too_long(self) -> str:
        stage_s, whole_s = self._patience.stage_s, self._patience.whole_s
        if self._probe.stage is Stage.CONNECT:
            return f"no connection within {min(stage_s, whole_s):g} s"
        if self.due_at < self._whole_at:
            return f"no answer within {stage_s:g} s"
        return "no answer by the end of the call's time"


def _in_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message  # its reason says only that there is one
    return error.reason or str(error)
