"""The door for Postfix (check_policy_service) and Exim (readsocket): decode, ask, encode.

One task reads from a connection and one writes to it; between them lie the answers that are being worked
out, in the order of their requests. Where there are none, an answer that waits for nobody is written at once.
Nothing that one client does is felt by another.
Not here: the protocol (wire/policy.py), what is asked and what follows (doors/judging.py), sockets
(net/listen.py).
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..engine.ports import Clock, Sink
from ..errors import RemoteProtocolError
from ..rules.actions import DUNNO, Kind
from ..values.address import external_form
from ..values.events import DoorClosed
from ..values.query import Client, Purpose, Query
from ..values.settings import Settings
from ..wire.policy import PolicyReader, PolicyRequest, encode
from .intake import Connection, Intake, Patience
from .judging import GRACE_S, Judge, Verifies

DOOR = "policy"

# At other stages there is no envelope to judge, or it has been judged.
_STAGES = frozenset({"MAIL", "RCPT"})
_NO_NAME = "unknown"  # what Postfix says where it could confirm no reverse name


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take of us. Seconds, and requests at a time."""

    idle_s: float = 900.0  # doors.md promises at least 600 s, and Postfix keeps connections as long
    half_request_s: float = 10.0
    in_flight: int = 16  # beyond it we stop reading, and TCP makes the client wait
    grace_s: float = GRACE_S


class _Answers:
    """The answers to one client that are being worked out, at most so many."""

    def __init__(self, most: int) -> None:
        self._room = asyncio.Semaphore(most)
        self._queue = asyncio.Queue[asyncio.Task[bytes] | None]()  # None: there will be no more
        self._count = 0

    @property
    def idle(self) -> bool:
        return not self._count

    async def wait_room(self) -> None:
        await self._room.acquire()

    def add(self, answer: asyncio.Task[bytes]) -> None:
        self._count += 1
        self._queue.put_nowait(answer)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def write_to(self, connection: Connection) -> None:
        while (answer := await self._queue.get()) is not None:
            await connection.write(await answer)
            self._count -= 1
            self._room.release()


class PolicyServer:
    """Serves any number of connections: a listener calls `serve` for each."""

    def __init__(
        self,
        verifier: Verifies,
        clock: Clock,
        sink: Sink,
        *,
        settings: Settings,
        limits: Limits | None = None,
    ) -> None:
        self._sink, self._limits = sink, limits or Limits()
        grace_s = self._limits.grace_s
        self._judge = Judge(DOOR, verifier, clock, sink, settings=settings, grace_s=grace_s)

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Answer by another engine and other settings from the next request on."""
        self._judge.adopt(verifier, settings)

    async def serve(self, connection: Connection) -> None:
        """Answer requests until the client has no more of them, or breaks the protocol."""
        answers = _Answers(self._limits.in_flight)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(answers.write_to(connection))
                await self._read(connection, answers, tasks)
                answers.end()
        except* OSError:
            pass  # the client is gone, and nobody waits for the rest of its answers

    async def answer(self, request: PolicyRequest) -> bytes:
        """Return the answer to one request."""
        return await self._answer(tuple(self._queries(request)))

    async def _answer(self, queries: Sequence[Query]) -> bytes:
        """Return the answer to the questions of one request: that of the strictest.

        Of equals it is the first, which is the recipient's; who is refused for it raises no other.
        """
        told = DUNNO
        for query in queries:
            action, answer = await self._judge.rule(query)
            told = max(told, answer, key=lambda action: action.strictness)
            if action.kind is Kind.REFUSE:
                break
        return encode(str(told))

    def _answer_nowait(self, queries: Sequence[Query]) -> bytes | None:
        """Return the same, if it waits for nobody, and is that of one question: none is judged twice."""
        if not queries:
            return encode(str(DUNNO))
        first, *others = queries
        ruled = None if others else self._judge.rule_nowait(first)
        return encode(str(ruled[1])) if ruled else None

    def _queries(self, request: PolicyRequest) -> Iterator[Query]:
        """The questions that a request raises, the recipient's first."""
        if request.protocol_state not in _STAGES:
            return
        client = _client(request)
        by_at = self._judge.answer_by_at
        sender, recipient = external_form(request.sender), external_form(request.recipient)
        if self._judge.forwards(recipient):
            yield Query(recipient, Purpose.RECIPIENT, client, answer_by_at=by_at, sender=sender)
        yield Query(sender, Purpose.SENDER, client, request.recipient, by_at)

    async def _read(
        self, connection: Connection, answers: _Answers, tasks: asyncio.TaskGroup
    ) -> None:
        """Answer each request, or start an answer to it, until there will be no more of them."""
        patience = Patience(self._limits.idle_s, self._limits.half_request_s)
        intake = Intake(connection, PolicyReader(), patience, "request")
        try:
            while await self._take(await intake.wait_next(), connection, answers, tasks):
                pass  # nothing of what was taken is held here while we wait for more
        except RemoteProtocolError as error:
            self._sink(DoorClosed(DOOR, connection.peer, str(error)))

    async def _take(
        self,
        requests: Sequence[PolicyRequest],
        connection: Connection,
        answers: _Answers,
        tasks: asyncio.TaskGroup,
    ) -> int:
        """Take up what was asked; return how much that is."""
        for number, request in enumerate(requests, 1):
            queries = tuple(self._queries(request))
            at_hand = self._answer_nowait(queries) if answers.idle else None
            if at_hand is not None:
                await connection.write(at_hand)
            else:
                await answers.wait_room()
                answers.add(tasks.create_task(self._answer(queries)))
            if not number % self._limits.in_flight:
                await asyncio.sleep(0)  # other clients ask, too
        return len(requests)


def _client(request: PolicyRequest) -> Client:
    return Client(
        address=request.client_address,
        name="" if request.client_name == _NO_NAME else request.client_name,
        helo=request.helo_name,
        authenticated=bool(request.sasl_username or request.sasl_method),
    )
