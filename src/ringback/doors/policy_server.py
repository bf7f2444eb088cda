"""The door for Postfix (check_policy_service) and Exim (readsocket): decode, ask, encode.

One task reads from a connection and one writes to it; between them lie the answers that are being worked
out, in the order of their requests. Nothing that one client does is felt by another.
Not here: the protocol (wire/policy.py), who is asked and what comes of it (engine/verifier.py), which
action follows (rules/actions.py), sockets (net/listen.py).
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from ..engine.ports import Clock, Sink, Store
from ..errors import RemoteProtocolError, StoreError
from ..rules.actions import DUNNO, Action, Kind, choose
from ..rules.waiting import may_defer, wait_key
from ..values.address import external_form
from ..values.events import Decided, DoorClosed, Trouble
from ..values.query import Client, Purpose, Query, Report
from ..values.settings import Mode, Settings
from ..wire.policy import PolicyReader, PolicyRequest, encode

DOOR = "policy"

# At other stages there is no envelope to judge, or it has been judged.
_STAGES = frozenset({"MAIL", "RCPT"})
_NO_NAME = "unknown"  # what Postfix says where it could confirm no reverse name


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take of us. Seconds, and requests at a time."""

    idle_s: float = 900.0  # doors.md promises at least 600 s, and Postfix keeps connections as long
    # A request as a whole: whoever drips, an octet a second, must not hold a connection for ever.
    half_request_s: float = 10.0
    in_flight: int = 16  # beyond it we stop reading, and TCP makes the client wait
    grace_s: float = 1.0  # what the engine may exceed answer_within_s by before it counts as stuck


class Verifies(Protocol):
    """What this door needs of engine/verifier.py."""

    async def verify(self, asked: Query, /) -> Report: ...


class Connection(Protocol):
    """What this door needs of net/listen.py, which closes the connection when `serve` returns."""

    @property
    def peer(self) -> str: ...

    async def read(self, timeout_s: float | None) -> bytes:
        """Return what has arrived, b"" at the end of input. Raises TimeoutError or another OSError."""
        ...

    async def write(self, octets: bytes) -> None:
        """Raises OSError."""
        ...


_Answers = asyncio.Queue[asyncio.Task[bytes] | None]  # None: there will be no more


class PolicyServer:
    """Serves any number of connections: a listener calls `serve` for each."""

    def __init__(
        self,
        verifier: Verifies,
        store: Store,
        clock: Clock,
        sink: Sink,
        *,
        settings: Settings,
        limits: Limits | None = None,
    ) -> None:
        self._verifier, self._store, self._clock, self._sink = verifier, store, clock, sink
        self._settings, self._limits = settings, limits or Limits()

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Answer by another engine and other settings from the next request on."""
        self._verifier, self._settings = verifier, settings

    async def serve(self, connection: Connection) -> None:
        """Answer requests until the client has no more of them, or breaks the protocol."""
        reader, answers = PolicyReader(), _Answers()
        room = asyncio.Semaphore(self._limits.in_flight)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_write(connection, answers, room))
                while requests := await self._next_requests(connection, reader):
                    for request in requests:
                        await room.acquire()
                        answers.put_nowait(tasks.create_task(self.answer(request)))
                answers.put_nowait(None)
        except* OSError:
            pass  # the client is gone, and nobody waits for the rest of its answers

    async def answer(self, request: PolicyRequest) -> bytes:
        """Return the answer to one request. Whatever goes wrong on our side, mail passes."""
        if request.protocol_state not in _STAGES:
            return encode(str(DUNNO))
        limit_s = self._settings.smtp.answer_within_s + self._limits.grace_s
        try:
            async with asyncio.timeout(limit_s):
                return encode(str(await self._decide(request)))
        except TimeoutError:
            self._sink(Trouble(DOOR, f"no verdict within {limit_s:g} s", "mail passes unasked"))
        except StoreError as error:
            self._sink(Trouble(DOOR, str(error), "mail passes unasked until it can be used again"))
        except Exception as error:
            # The one place where any error is caught: a bug of ours in one request must cost neither
            # this mail nor the other requests of its connection. It is told with all we know of it.
            self._sink(Trouble.of_bug(DOOR, error))
        return encode(str(DUNNO))

    async def _next_requests(
        self, connection: Connection, reader: PolicyReader
    ) -> list[PolicyRequest]:
        """Return at least one request, or none where there will be no more."""
        try:
            return await self._read_requests(connection, reader)
        except RemoteProtocolError as error:
            why = str(error)
        except TimeoutError:
            if reader.idle:
                return []
            why = f"a request that is not whole after {self._limits.half_request_s:g} s"
        self._sink(DoorClosed(DOOR, connection.peer, why))
        return []

    async def _read_requests(
        self, connection: Connection, reader: PolicyReader
    ) -> list[PolicyRequest]:
        async with asyncio.timeout(None) as patience:
            while not reader.broken:
                if not reader.idle and patience.when() is None:
                    end_at = asyncio.get_running_loop().time() + self._limits.half_request_s
                    patience.reschedule(end_at)
                octets = await connection.read(self._limits.idle_s)
                if requests := reader.feed(octets):
                    return requests
                if not octets:
                    break
        if reader.broken:
            raise reader.broken
        if not reader.idle:
            raise RemoteProtocolError("the input ends within a request")
        return []

    async def _decide(self, request: PolicyRequest) -> Action:
        started_at = self._clock.now()
        told = [
            await self._judge(query, request, started_at)
            for query in _queries(request, started_at + self._settings.smtp.answer_within_s)
        ]
        # The stricter one holds; of equals the first, which is the recipient's.
        return max(told, key=lambda action: action.strictness)

    async def _judge(self, query: Query, request: PolicyRequest, started_at: float) -> Action:
        report = await self._verifier.verify(query)
        action = choose(report, query.purpose, self._settings.etiquette.on_deadline)
        if action.kind is Kind.DEFER_IF_PERMIT:
            action = await self._bound(action, request)
        told = action if self._settings.policy.mode is Mode.ENFORCE else DUNNO
        took_s = max(0.0, self._clock.now() - started_at)  # clocks are set back at times
        self._sink(
            Decided(
                door=DOOR,
                purpose=query.purpose,
                address=query.address,
                client=request.client_address,
                action=str(action),
                told=str(told),
                report=report,
                took_s=took_s,
            )
        )
        return told

    async def _bound(self, action: Action, request: PolicyRequest) -> Action:
        """Let a mail through that was told to come back often enough."""
        key = wait_key(request.client_address, request.sender, request.recipient)
        wait = await self._store.load_wait(key)
        most = self._settings.etiquette.max_deferrals
        deferred, kept = may_defer(wait, key, self._clock.now(), most)
        if not deferred:
            return DUNNO
        if kept is not wait:
            self._store.save_wait(kept)
        return action


def _queries(request: PolicyRequest, answer_by_at: float) -> tuple[Query, ...]:
    """The questions that a request raises: the sender's, until recipients have their routes."""
    client = Client(
        address=request.client_address,
        name="" if request.client_name == _NO_NAME else request.client_name,
        helo=request.helo_name,
        authenticated=bool(request.sasl_username or request.sasl_method),
    )
    sender = external_form(request.sender)
    return (Query(sender, Purpose.SENDER, client, request.recipient, answer_by_at),)


async def _write(connection: Connection, answers: _Answers, room: asyncio.Semaphore) -> None:
    while (answer := await answers.get()) is not None:
        await connection.write(await answer)
        room.release()
