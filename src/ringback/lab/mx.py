"""An SMTP host on loopback that follows a persona, or a script, and records who said what to it.

Not here: what it answers (dialogue.py), how it is spelled out in TOML (personas.py).
"""

import asyncio
import socket
import ssl
from collections import Counter, deque
from collections.abc import Awaitable, Callable, MutableMapping
from enum import StrEnum
from types import TracebackType

from ..engine.ports import Clock
from .dialogue import Act, Brain, Conversation, Memory
from .personas import Manner, Persona, Step, Then
from .record import Ending, Heard, Session
from .stream import Stream

# Sessions and commands kept for tests to look at; a lab left running must not grow.
MAX_KEPT_SESSIONS = 1_000
MAX_COMMANDS = 10_000
# Far more than any test opens at one host.
MAX_OPEN = 1_000
# Connections that wait to be taken: a test may open as many at once.
BACKLOG = 1_000
# Connections that fill the queue of a socket that nobody accepts from, so that the next one hangs.
STUFFING = 4

# How often a flood says its piece in one write, so that it is the caller who is the slower one.
FLOOD_REPEATS = 1_000

_GARBAGE = b"\x16\x03this is no handshake\r\n"
_OLD_TLS = b"\x15\x03\x01\x00\x02\x02\x46"  # RFC 5246 section 7.2: fatal, protocol_version


class Door(StrEnum):
    """What happens to who knocks."""

    OPEN = "open"
    SHUT = "shut"  # connection refused
    STUCK = "stuck"  # the connection is never made


class Host:
    """One MX host. `persona` and `mailboxes` (local parts by domain) may be changed at any time.

    `tls` is the server's context for STARTTLS. `brain` replaces the persona, for one that follows a script.
    """

    def __init__(
        self,
        name: str,
        ip: str,
        persona: Persona,
        mailboxes: MutableMapping[str, set[str]],
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        brain: Callable[[], Brain] | None = None,
        door: Door = Door.OPEN,
    ) -> None:
        self.name, self.ip, self.persona, self.mailboxes = name, ip, persona, mailboxes
        self.door = door
        self.port = 0
        self.tls = tls
        self.brain = brain
        self.sessions: deque[Session] = deque(maxlen=MAX_KEPT_SESSIONS)
        self.connections = 0  # ever made
        self.counts: Counter[Step] = Counter()  # commands heard, in all sessions
        self._clock = clock
        self._memory = Memory()
        self._server: asyncio.Server | None = None
        self._stuck: list[socket.socket] = []
        self._open: dict[asyncio.Task[None], Stream] = {}
        self._gates: dict[Step, asyncio.Event] = {}
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Host":
        await self.start(self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self, port: int) -> None:
        """Listen at `port`; 0 is any free one. Raises OSError."""
        if self.door is Door.SHUT:
            self.port = port
        elif self.door is Door.STUCK:
            self.port = self._jam(port)
        else:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Stream(self._admit), self.ip, port, backlog=BACKLOG
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every session."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for jammed in self._stuck:
            jammed.close()
        self._stuck.clear()
        open_now = dict(self._open)
        for task, stream in open_now.items():
            task.cancel()
            stream.abort()
        await asyncio.gather(*open_now, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close their sockets in the next turn of the loop

    async def set_door(self, door: Door) -> None:
        """Open, shut or jam the way in, at the same port; sessions end."""
        await self.close()
        self.door = door
        await self.start(self.port)

    def hold(self, step: Step) -> asyncio.Event:
        """Answer nothing to `step` until the event returned is set."""
        return self._gates.setdefault(step, asyncio.Event())

    async def wait_heard(self, step: Step, count: int = 1) -> None:
        """Return when `step` was heard so many times, in all sessions together."""
        while self.counts[step] < count:
            await self._news.wait()

    async def wait_ended(self, count: int = 1) -> None:
        """Return when so many of the sessions kept have ended."""
        while sum(session.ending is not None for session in self.sessions) < count:
            await self._news.wait()

    def _jam(self, port: int) -> int:
        family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        listener = socket.socket(family)
        self._stuck.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.ip, port))
        listener.listen(0)
        bound: int = listener.getsockname()[1]
        for _ in range(STUFFING):
            stuffing = socket.socket(family)
            stuffing.setblocking(False)
            stuffing.connect_ex((self.ip, bound))
            self._stuck.append(stuffing)
        return bound

    def _admit(self, stream: Stream) -> None:
        if len(self._open) >= MAX_OPEN:
            stream.abort()
            return
        self.connections += 1
        session = Session(stream.peer_ip, self._clock.now(), received=stream.received)
        self.sessions.append(session)
        task = asyncio.get_running_loop().create_task(self._serve(stream, session))
        self._open[task] = stream
        task.add_done_callback(lambda done: self._open.pop(done, None))

    async def _serve(self, stream: Stream, session: Session) -> None:
        try:
            session.ending = await self._converse(stream, session, self._think(stream))
        finally:
            session.ending = session.ending or Ending.WE_LEFT
            stream.close()
            self._ring()

    def _think(self, stream: Stream) -> Brain:
        if self.brain is not None:
            return self.brain()
        return Conversation(self.persona, self.name, stream.peer_ip, self.mailboxes, self._memory)

    async def _converse(self, stream: Stream, session: Session, brain: Brain) -> Ending:
        act: Act | None = brain.greet(self._clock.now())
        heard: Heard | None = None
        early = False
        while True:
            if act is not None:
                early = await self._answer(stream, session, act, heard)
                ending = await self._follow(stream, session, brain, act)
                if ending is not None:
                    return ending
            line = await stream.read_line()
            if line is None or len(session.heard) >= MAX_COMMANDS:
                return Ending.PEER_LEFT if stream.ended else Ending.WE_LEFT
            now = self._clock.now()
            act = brain.hear(line, pipelined=early, now=now)
            heard = self._record(session, act, line, early, now)

    def _record(
        self, session: Session, act: Act | None, line: str, early: bool, now: float
    ) -> Heard | None:
        if act is None or act.step is Step.MESSAGE:
            return None
        heard = Heard(now, act.step, line, early)
        session.heard.append(heard)
        self.counts[act.step] += 1
        self._ring()
        return heard

    def _ring(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _answer(
        self, stream: Stream, session: Session, act: Act, heard: Heard | None
    ) -> bool:
        """Say what there is to say; return whether the client spoke before that."""
        if act.step in self._gates:
            await self._gates[act.step].wait()
        if act.rule.delay_s:
            await self._clock.sleep(act.rule.delay_s)
        early = stream.has_line
        text = act.octets.decode("utf-8", "backslashreplace")
        if heard is not None:
            heard.answer = text
        elif act.step is Step.GREETING:
            session.greeting = text
        await self._deliver(stream, act)
        return early

    async def _deliver(self, stream: Stream, act: Act) -> None:
        manner, every_s = act.rule.manner, act.rule.every_s
        if manner is Manner.WHOLE:
            await stream.write(act.octets)
            return
        pieces = _PIECES[manner](act.octets)
        if manner is Manner.ENDLESS and not every_s:
            pieces = [act.octets * FLOOD_REPEATS]
        while not stream.ended:
            for piece in pieces:
                await stream.write(piece)
                await self._clock.sleep(every_s)
                if stream.ended:
                    return
            if manner is not Manner.ENDLESS:
                return

    async def _follow(
        self, stream: Stream, session: Session, brain: Brain, act: Act
    ) -> Ending | None:
        """Do what comes after the reply; return how the session ended, if it did."""
        then = act.rule.then
        if then is Then.GO_ON:
            return None
        if then is Then.TLS and self.tls is not None:
            session.secure = await stream.start_tls(self.tls)
            if session.secure:
                brain.enter_tls()
            return None if session.secure else Ending.PEER_LEFT
        if then is Then.CLOSE and act.step is Step.QUIT:
            return Ending.QUIT
        await _LEAVE[then](stream)
        return Ending.PEER_LEFT if stream.ended else Ending.WE_LEFT


async def _close(stream: Stream) -> None:
    stream.close()


async def _reset(stream: Stream) -> None:
    stream.abort()


async def _fail_tls(stream: Stream) -> None:
    await stream.wait_news()
    await stream.write(_GARBAGE)


async def _refuse_tls(stream: Stream) -> None:
    await stream.wait_news()
    await stream.write(_OLD_TLS)


_LEAVE: dict[Then, Callable[[Stream], Awaitable[None]]] = {
    Then.CLOSE: _close,
    Then.RESET: _reset,
    Then.SILENCE: Stream.discard,
    Then.TLS: _fail_tls,  # there is no certificate
    Then.GARBAGE: _fail_tls,
    Then.OLD_TLS: _refuse_tls,
}


def _bytewise(octets: bytes) -> list[bytes]:
    return [octets[at : at + 1] for at in range(len(octets))]


_PIECES: dict[Manner, Callable[[bytes], list[bytes]]] = {
    Manner.PIECES: _bytewise,
    Manner.LINES: lambda octets: octets.splitlines(keepends=True),
    Manner.ENDLESS: lambda octets: [octets],
}
