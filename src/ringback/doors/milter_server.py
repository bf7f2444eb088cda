"""The door for milters (Postfix, Sendmail): a word on each recipient, and a header on each message.

The sender is asked about when there is a recipient, since who may be called hangs on both; what was learned
of the sender then holds for the other recipients of the message.
Not here: the protocol (wire/milter.py, wire/milter_session.py), what is asked and what follows
(doors/judging.py), sockets (net/connection.py).
"""

from dataclasses import dataclass

from ..engine.ports import Clock, Sink
from ..errors import RemoteProtocolError
from ..rules.actions import DUNNO, Action, Kind
from ..values.address import external_form
from ..values.events import DoorClosed
from ..values.query import Purpose, Query, Report
from ..values.record import Record
from ..values.settings import Settings
from ..values.verdict import Reason
from ..wire.milter import Packet, PacketReader
from ..wire.milter_answers import CONTINUE, encode_reply
from ..wire.milter_session import Envelope, MessageEnded, MilterSession, RecipientAsked
from .intake import Connection, Intake, Patience
from .judging import GRACE_S, Judge, Ruling, Verifies
from .result_header import result_lines

DOOR = "milter"

_CODES = {Kind.REFUSE: "550", Kind.DEFER: "450", Kind.DEFER_IF_PERMIT: "450"}


class Limits(Record, frozen=True):
    """What one MTA's connection may take of us. Seconds."""

    # As libmilter: between the recipients and the end of a message lies all the time that its client
    # takes to send it.
    idle_s: float = 7_210.0
    half_packet_s: float = 10.0
    grace_s: float = GRACE_S


@dataclass(slots=True)
class _Notes:
    """What was found while the recipients of one message were asked about."""

    envelope: Envelope | None = None
    known: Report | None = None  # what holds for recipients to come
    ruling: Ruling | None = None  # the one to tell of in the header
    query: Query | None = None  # and what was asked there

    def add(self, query: Query, ruling: Ruling, told: Action) -> None:
        """Note what was found of the sender, where the MTA is `told` something of the recipient."""
        # A gate's no may be about the recipient; the next one is asked about anew.
        if ruling.report.reason is not Reason.NOT_ASKED:
            self.known = ruling.report
        # A recipient that was refused is none of the message's.
        if told.kind in _CODES:
            return
        if self.ruling is None or _weight(self.ruling) < _weight(ruling):
            self.query, self.ruling = query, ruling


class MilterServer:
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
        self._patience = Patience(limits.idle_s, limits.half_packet_s)
        self._judge = Judge(DOOR, verifier, clock, sink, settings=settings, grace_s=limits.grace_s)

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Answer by another engine and other settings from the next question on."""
        self._judge.adopt(verifier, settings)

    async def serve(self, connection: Connection) -> None:
        """Answer packets until the MTA has no more of them, or breaks the protocol. Raises OSError."""
        intake = Intake(connection, PacketReader(), self._patience, "packet")
        session, notes = MilterSession(), _Notes()
        try:
            while packets := await intake.wait_next():
                for packet in packets:
                    answer = await self._answer(session, notes, packet)
                    if answer is None:
                        return
                    if answer:
                        await connection.write(answer)
        except RemoteProtocolError as error:
            self._sink(DoorClosed(DOOR, connection.peer, str(error)))

    async def _answer(self, session: MilterSession, notes: _Notes, packet: Packet) -> bytes | None:
        match session.take(packet):
            case RecipientAsked() as asked:
                _turn_to(asked.envelope, notes)
                return await self._admit(asked, notes)
            case MessageEnded() as ended:
                _turn_to(ended.envelope, notes)
                return ended.encode(await self._conclude(notes))
            case move:
                return move

    async def _admit(self, asked: RecipientAsked, notes: _Notes) -> bytes:
        """Say whether a recipient may have the message: by the stricter of two answers."""
        action, told = await self._ask_recipient(asked)
        if action.kind is Kind.REFUSE:
            return _encode(told)
        ruling = await self._ask_sender(asked, notes)
        if ruling:
            told = max(told, ruling[1].told, key=lambda action: action.strictness)
            notes.add(*ruling, told)
        return _encode(told)

    async def _ask_recipient(self, asked: RecipientAsked) -> tuple[Action, Action]:
        """What follows, and what the MTA is told, from asking the host behind us."""
        recipient = external_form(asked.recipient)
        if not self._judge.forwards(recipient):
            return DUNNO, DUNNO
        query = Query(
            recipient,
            Purpose.RECIPIENT,
            asked.envelope.client,
            answer_by_at=self._judge.answer_by_at,
            sender=external_form(asked.envelope.sender),
        )
        return await self._judge.rule(query)

    async def _ask_sender(
        self, asked: RecipientAsked, notes: _Notes
    ) -> tuple[Query, Ruling] | None:
        sender = asked.envelope.sender
        if sender and "@" not in sender:
            return None  # a name alone: the MTA refuses it, or completes it with its own domain
        query = Query(
            external_form(sender),
            Purpose.SENDER,
            asked.envelope.client,
            asked.recipient,
            self._judge.answer_by_at,
        )
        ruling = await self._judge.judge(query, notes.known)
        return (query, ruling) if ruling else None

    async def _conclude(self, notes: _Notes) -> tuple[str, ...]:
        """Say what is known of the sender at the end of a message."""
        ruling = notes.ruling
        if ruling and notes.query and ruling.report.reason is Reason.DEADLINE:
            # The callout went on while the message came in. What was told stands.
            report = await self._judge.recall(notes.query)
            ruling = ruling.but(report=report or ruling.report)
        mode = self._judge.settings.policy.mode
        return result_lines(self._judge.verifier.helo_name, ruling, mode)


def _turn_to(envelope: Envelope, notes: _Notes) -> None:
    """Forget what was found of the message before."""
    if notes.envelope is not envelope:
        notes.envelope, notes.known = envelope, None
        notes.ruling, notes.query = None, None


def _encode(action: Action) -> bytes:
    # A milter's deferral cannot wait for what else may refuse; the action that could is told as 450.
    code = _CODES.get(action.kind)
    return encode_reply(f"{code} {action.enhanced} {action.text}") if code else CONTINUE


def _weight(ruling: Ruling) -> tuple[int, bool]:
    """The stricter one is told of, and of equals the one that somebody was asked about."""
    return ruling.action.strictness, ruling.report.reason is not Reason.NOT_ASKED
