"""The door for tables of Postfix, such as relay_recipient_maps: is this recipient there?

Recipients without a route are there: nobody behind us could be asked, and a table that lacks them refuses
their mail. A domain alone ("@example.org") is not, or all of its recipients would be.
Not here: the protocol (wire/socketmap.py), what is asked and what follows (doors/judging.py), sockets
(net/connection.py).
"""

from ..engine.ports import Clock, Sink
from ..errors import RemoteProtocolError
from ..rules.actions import DUNNO, Action, Kind
from ..values.events import DoorClosed
from ..values.query import Purpose, Query
from ..values.record import Record
from ..values.settings import Settings
from ..wire.socketmap import Lookup, SocketmapReader, Status, encode
from .intake import Connection, Intake, Patience
from .judging import GRACE_S, Judge, Verifies

DOOR = "socketmap"
MAP = "ringback"  # the name of the one map that there is

_STATUSES = {Kind.REFUSE: Status.NOTFOUND, Kind.DEFER: Status.TEMP}


class Limits(Record, frozen=True):
    """What one client may take of us. Seconds."""

    idle_s: float = 900.0  # Postfix's proxymap keeps its connections while it lives
    half_lookup_s: float = 10.0
    grace_s: float = GRACE_S


class SocketmapServer:
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
        limits = limits or Limits()
        self._sink = sink
        self._patience = Patience(limits.idle_s, limits.half_lookup_s)
        self._judge = Judge(DOOR, verifier, clock, sink, settings=settings, grace_s=limits.grace_s)

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Answer by another engine and other settings from the next lookup on."""
        self._judge.adopt(verifier, settings)

    async def serve(self, connection: Connection) -> None:
        """Answer lookups, one after the other, until there are no more. Raises OSError."""
        intake = Intake(connection, SocketmapReader(), self._patience, "lookup")
        try:
            while lookups := await intake.wait_next():
                for lookup in lookups:
                    await connection.write(await self.answer(lookup))
        except RemoteProtocolError as error:
            self._sink(DoorClosed(DOOR, connection.peer, str(error)))

    async def answer(self, lookup: Lookup) -> bytes:
        """Return the answer to one lookup."""
        if lookup.name != MAP:
            return encode(Status.PERM, f'there is no such map; its name is "{MAP}"')
        local, _, domain = lookup.key.rpartition("@")
        if not (local and domain):
            return encode(Status.NOTFOUND)
        return _encode(await self._ask(lookup.key))

    async def _ask(self, recipient: str) -> Action:
        if not self._judge.forwards(recipient):
            return DUNNO
        query = Query(recipient, Purpose.RECIPIENT, answer_by_at=self._judge.answer_by_at)
        _, told = await self._judge.rule(query)
        return told


def _encode(told: Action) -> bytes:
    status = _STATUSES.get(told.kind, Status.OK)
    text = {Status.OK: "exists", Status.TEMP: f"{told.enhanced} {told.text}"}.get(status, "")
    return encode(status, text)
