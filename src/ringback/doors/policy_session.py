"""The conversation with one client of the policy door: requests in, answers out in the same order.

It has no task of its own: it goes on when its connection has news, and when an answer has been worked out.
A connection that waits holds some few kilobytes, and Postfix keeps hundreds.
Not here: what is answered (doors/policy_server.py) and worked out (doors/policy_answer.py), the protocol
(wire/policy.py), sockets (net/connection.py).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from ..engine.ports import Sink
from ..errors import RemoteProtocolError
from ..values.events import DoorClosed, Event, Trouble
from ..values.query import Query
from ..values.record import Record
from ..wire.policy import PolicyReader, PolicyRequest
from .judging import GRACE_S

DOOR = "policy"


class AtHand(Record, frozen=True):
    """An answer, and what is told of it when the client has it."""

    octets: bytes
    event: Event | None = None


class Limits(Record, frozen=True):
    """What one client may take of us. Seconds, and requests at a time."""

    idle_s: float = 900.0  # doors.md promises at least 600 s, and Postfix keeps connections as long
    half_request_s: float = 10.0
    in_flight: int = 16  # beyond it we stop reading, and TCP makes the client wait
    grace_s: float = GRACE_S


class Connection(Protocol):
    """What is needed of net/connection.py."""

    @property
    def peer(self) -> str: ...

    @property
    def is_lost(self) -> bool: ...

    @property
    def has_room(self) -> bool: ...

    def attend(self, heed: Callable[[], None], /) -> None: ...

    def read_nowait(self) -> bytes | None:
        """Return what has arrived; None if nothing has, b"" at the end of input. Raises OSError."""
        ...

    def write_nowait(self, octets: bytes, /) -> None:
        """Raises OSError."""
        ...

    def stand_in_line(self) -> None:
        """Have `heed` called after all others whose requests wait."""
        ...

    def at_end_of_round(self, act: Callable[[], None], /) -> None:
        """Have `act` called when all whose turn it is have had theirs; at once if it is nobody's.

        What is asked for there comes after all that was asked for before.
        """
        ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Answer(Protocol):
    """What is needed of doors/policy_answer.py."""

    @property
    def is_there(self) -> bool: ...

    def octets(self) -> bytes:
        """Raises what went wrong with it, and CancelledError."""
        ...

    def cancel(self) -> None: ...


class Answers(Protocol):
    """What is needed of doors/policy_server.py."""

    def queries(self, request: PolicyRequest, /) -> Sequence[Query]: ...

    def answer_nowait(self, queries: Sequence[Query], /) -> AtHand | None: ...

    def begin(self, queries: Sequence[Query], heed: Callable[[], None], /) -> Answer: ...


class PolicySession:
    """One client. Its connection keeps it."""

    __slots__ = (
        "_answers",
        "_asked",
        "_at_hand",
        "_connection",
        "_given",
        "_heard_at",
        "_limits",
        "_loop",
        "_over",
        "_pending",
        "_reader",
        "_sink",
        "_timer",
        "_whole_by_at",
    )

    def __init__(
        self, connection: Connection, answers: Answers, limits: Limits, sink: Sink
    ) -> None:
        self._connection, self._answers = connection, answers
        self._limits, self._sink = limits, sink
        self._loop = asyncio.get_running_loop()
        self._reader = PolicyReader()
        self._asked: list[PolicyRequest] = []  # read, and not taken up yet; the last comes first
        self._pending: list[Answer] = []  # in the order of their requests
        self._at_hand: list[AtHand] = []  # they leave at the end of the round
        self._given: list[AtHand] = []  # they have left, and nobody was told of them
        self._over = False  # nothing more will be read
        self._heard_at = self._loop.time()
        self._whole_by_at: float | None = None  # when what is here in part must be here whole
        self._timer = self._loop.call_later(limits.idle_s, self._look)
        connection.attend(self.heed)

    def heed(self) -> None:
        """Write what has been answered, and take up what has been asked."""
        if self._connection.is_lost:
            self._drop()
            return
        try:
            if self._pending:
                self._write()
            self._take_up()
        except (Exception, asyncio.CancelledError) as error:
            self._fail(error)
        if self._at_hand:
            self._connection.at_end_of_round(self._give)

    def _write(self) -> None:
        """Write what has been waited for, after what was at hand before it."""
        pending = self._pending
        while pending and pending[0].is_there and self._connection.has_room and not self._at_hand:
            self._connection.write_nowait(pending.pop(0).octets())
            self._heard_at = self._loop.time()

    def _take_up(self) -> None:
        """Answer what can be answered now, and begin what must be worked out: one before others have a turn.

        Where thousands ask at once, callouts go on while others have not begun, and less waits half done.
        """
        begun = False
        for _ in range(self._limits.in_flight):
            if len(self._pending) >= self._limits.in_flight or not self._connection.has_room:
                return
            request = self._asked.pop() if self._asked else self._read()
            if request is None:
                self._await_rest()
                return
            self._whole_by_at = None
            if begun:
                self._asked.append(request)
                break
            queries = self._answers.queries(request)
            at_hand = None if self._pending else self._answers.answer_nowait(queries)
            if at_hand is not None:
                self._at_hand.append(at_hand)
            else:
                self._pending.append(self._answers.begin(queries, self.heed))
                begun = True
        self._connection.stand_in_line()

    def _give(self) -> None:
        """Write what was at hand, and tell of it when all others have theirs: nobody waits for that."""
        at_hand, self._at_hand = self._at_hand, []
        if not at_hand:  # the connection was lost meanwhile, or had two turns in this round
            return
        self._given += at_hand
        try:
            if answers := b"".join([it.octets for it in at_hand]):
                self._connection.write_nowait(answers)
        except Exception as error:  # here nobody is left to whom a bug of ours could be passed on
            self._fail(error)
        self._connection.at_end_of_round(self._tell)
        if self._pending and self._pending[0].is_there:  # it waited for these
            self.heed()
        elif self._over:
            self._end()

    def _tell(self) -> None:
        given, self._given = self._given, []
        for it in given:
            if it.event is not None:
                self._sink(it.event)

    def _read(self) -> PolicyRequest | None:
        """The next request, if one has arrived."""
        if self._over:
            return None
        octets = b"" if self._reader.broken else self._connection.read_nowait()
        if octets is None:
            return None
        self._heard_at = self._loop.time()
        self._over = not octets
        try:
            requests = self._reader.feed(octets)
            if not (octets or self._reader.idle):
                raise RemoteProtocolError("the input ends within a request")
        except RemoteProtocolError as error:
            self._turn_away(str(error))
            return None
        self._asked = requests[::-1]
        return self._asked.pop() if requests else None

    def _turn_away(self, why: str) -> None:
        """Read no more, and tell why, after what is told of the answers before."""
        self._at_hand.append(AtHand(b"", DoorClosed(DOOR, self._connection.peer, why)))
        self._over = True

    def _await_rest(self) -> None:
        """There is nothing to take up: wait for more, or close.

        What is here in part must be here whole in time; not while it waits for us, and we do not read.
        """
        if self._over:
            self._end()
        elif self._whole_by_at is None and not self._reader.idle:
            self._whole_by_at = self._loop.time() + self._limits.half_request_s
            self._look_at(self._whole_by_at)

    def _end(self) -> None:
        """Close when all have their answers."""
        self._timer.cancel()
        if not (self._pending or self._at_hand):
            self._connection.close()

    def _look_at(self, at: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        """See whether the client has been silent for too long, which it is not while it waits for us.

        Who was heard since is looked at later: so no timer is made for each whole request.
        """
        now, limits = self._loop.time(), self._limits
        since = now if self._pending or self._asked else self._heard_at
        ends_at = since + limits.idle_s if self._whole_by_at is None else self._whole_by_at
        if now < ends_at:
            self._look_at(ends_at)
            return
        self._over = True
        if self._whole_by_at is not None:
            self._turn_away(f"a request that is not whole after {limits.half_request_s:g} s")
            self._give()
        self._end()

    def _fail(self, error: BaseException) -> None:
        """What goes wrong costs this connection, and no other."""
        # Else the client is gone, and nobody waits for the rest of its answers; or the service ends.
        if not isinstance(error, OSError | asyncio.CancelledError):
            self._sink(Trouble.of_bug(DOOR, error))
        self._drop()

    def _drop(self) -> None:
        """Let go of all but what is at hand: nobody is there any more, or will be served any more."""
        self._over = True
        self._asked.clear()
        pending, self._pending = self._pending, []
        for answer in pending:
            answer.cancel()
        self._give()
        self._end()
        self._connection.abort()
