"""What was said in one conversation, as evidence. Not here: what is said next (wire/probe.py)."""

from ..values.endpoint import Endpoint
from ..values.evidence import Exchange, Fault, Reading
from .reply import Reply
from .steps import Step

# Of each reply, as evidence: five lines of a talkative host, and not what a flood says. All of it was read.
MAX_KEPT_CHARS = 4_000

# Why a reply was not read: with PIPELINING, what follows a refused command says nothing of its own.
VOID_RULE = "void: an earlier command of the same flight was refused"


class Transcript:
    """`said` grows with every answer of the host at `endpoint`, and with what came in place of one."""

    __slots__ = ("_connection", "_endpoint", "said")

    def __init__(self, endpoint: Endpoint, connection: int) -> None:
        self._endpoint, self._connection = endpoint, connection
        self.said: list[Exchange] = []

    def hear(self, at: float, step: Step, reply: Reply, reading: Reading | None) -> Exchange:
        """Add the reply to `step`; it was void where there is no `reading`."""
        exchange = Exchange(
            at,
            step.stage,
            self._connection,
            self._endpoint.host,
            self._endpoint.ip,
            self._endpoint.preference,
            step.about,
            step.command,
            reply.code,
            None if reply.contradicts_itself else reply.enhanced,
            reply.text[:MAX_KEPT_CHARS],
            reading.meaning if reading else None,
            reading.rule if reading else VOID_RULE,
            reading.weak if reading else False,
        )
        self.said.append(exchange)
        return exchange

    def note(self, at: float, step: Step, text: str = "", fault: Fault | None = None) -> None:
        """Add what happened at `step` without a reply."""
        exchange = Exchange(
            at,
            step.stage,
            self._connection,
            self._endpoint.host,
            self._endpoint.ip,
            self._endpoint.preference,
            step.about,
            step.command,
            text=text[:MAX_KEPT_CHARS],
            fault=fault,
        )
        self.said.append(exchange)
