"""The door for Postfix (check_policy_service) and Exim (readsocket): decode, ask, encode.

Answers go out in the order of their requests. One that waits for nobody is written as its request arrives.
Nothing that one client does is felt by another.
Not here: the conversation with one client (doors/policy_session.py), answers that wait
(doors/policy_answer.py), the protocol (wire/policy.py), what is asked and what follows (doors/judging.py),
sockets (net/connection.py).
"""

import asyncio
from collections.abc import Callable, Sequence

from ..engine.ports import Clock, Sink
from ..rules.actions import DUNNO
from ..values.address import external_form
from ..values.query import RECIPIENT, SENDER, Client, Query
from ..values.settings import Settings
from ..wire.policy import PolicyRequest, encode
from .judging import Judge, Verifies
from .policy_answer import PolicyAnswer
from .policy_session import DOOR, AtHand, Connection, Limits, PolicySession

# At other stages there is no envelope to judge, or it has been judged.
_STAGES = frozenset({"MAIL", "RCPT"})
_NO_NAME = "unknown"  # what Postfix says where it could confirm no reverse name
_NO_NEWS = encode(str(DUNNO))
_NOTHING_ASKED = AtHand(_NO_NEWS)


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

    def serve(self, connection: Connection) -> None:
        """Answer requests until the client has no more of them, or breaks the protocol."""
        PolicySession(connection, self, self._limits, self._sink)

    async def answer(self, request: PolicyRequest) -> bytes:
        """Return the answer to one request."""
        is_there = asyncio.Event()
        answer = self.begin(self.queries(request), is_there.set)
        try:
            await is_there.wait()
        finally:
            answer.cancel()
        return answer.octets()

    def begin(self, queries: Sequence[Query], heed: Callable[[], None]) -> PolicyAnswer:
        """Work the answer to the questions of one request out, and call `heed` when it is there."""
        return PolicyAnswer(self._judge, queries, heed)

    def answer_nowait(self, queries: Sequence[Query]) -> AtHand | None:
        """The same, if it waits for nobody, and what is told of it when the client has it.

        Only that of one question: none is judged twice.
        """
        if len(queries) != 1:
            return None if queries else _NOTHING_ASKED
        ruled = self._judge.rule_nowait(queries[0])
        if ruled is None:
            return None
        told, decided = ruled
        return AtHand(_NO_NEWS if told is DUNNO else encode(decided.told), decided)

    def queries(self, request: PolicyRequest) -> Sequence[Query]:
        """The questions that a request raises, the recipient's first."""
        if request.protocol_state not in _STAGES:
            return ()
        client = _client(request)
        by_at = self._judge.answer_by_at
        sender = external_form(request.sender)
        about_sender = Query(sender, SENDER, client, request.recipient, by_at)
        if not self._judge.has_routes:
            return (about_sender,)
        recipient = external_form(request.recipient)
        if not self._judge.forwards(recipient):
            return (about_sender,)
        about_recipient = Query(recipient, RECIPIENT, client, answer_by_at=by_at, sender=sender)
        return about_recipient, about_sender


def _client(request: PolicyRequest) -> Client:
    name = request.client_name
    authenticated = bool(request.sasl_username or request.sasl_method)
    return Client(
        request.client_address, "" if name == _NO_NAME else name, request.helo_name, authenticated
    )
