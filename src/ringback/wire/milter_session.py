"""One conversation with an MTA over the milter protocol: packets in, moves out. No I/O, no clock.

It knows what may follow what, what an abort resets and what it keeps, which answers the MTA waits for, and
how many headers of our name a message brought along.
Not here: the packets (wire/milter.py, wire/milter_answers.py), what is decided (doors/milter_server.py).
"""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import reduce
from operator import or_
from types import MappingProxyType

from ..errors import RemoteProtocolError
from ..values.query import Client
from ..values.record import Record
from .milter import (
    Actions,
    Command,
    Options,
    Packet,
    Peer,
    Steps,
    parse_connect,
    parse_header_name,
    parse_macros,
    parse_options,
    parse_path,
    parse_text,
)
from .milter_answers import (
    CONTINUE,
    MacroStage,
    encode_first_header,
    encode_options,
    encode_removal,
)

VERSION, OLDEST_VERSION = 6, 2
RESULT_HEADER = "Ringback-Result"
# Postfix takes 100 KiB of headers, Sendmail 32: more of ours are in no message that an MTA took.
MAX_FORGED_HEADERS = 10_000

_WANTED_ACTIONS = Actions.ADD_HEADERS | Actions.CHANGE_HEADERS | Actions.SET_MACROS
# A recipient and the end of a message are answered; all else is only to be told, or not even that.
_MUTE: Mapping[Command, Steps] = MappingProxyType(
    {
        Command.CONNECT: Steps.MUTE_CONNECT,
        Command.HELO: Steps.MUTE_HELO,
        Command.MAIL: Steps.MUTE_MAIL,
        Command.DATA: Steps.MUTE_DATA,
        Command.HEADER: Steps.MUTE_HEADER,
        Command.END_OF_HEADERS: Steps.MUTE_END_OF_HEADERS,
        Command.BODY: Steps.MUTE_BODY,
        Command.UNKNOWN: Steps.MUTE_UNKNOWN,
    }
)
_UNWANTED = Steps.NO_BODY | Steps.NO_END_OF_HEADERS | Steps.NO_UNKNOWN | Steps.NO_DATA
_WANTED_STEPS = reduce(or_, _MUTE.values(), _UNWANTED)

# Either of them says that the client has shown who it is.
_AUTH_MACROS = ("auth_authen", "auth_type")
_MACROS = {MacroStage.MAIL: " ".join(f"{{{name}}}" for name in _AUTH_MACROS)}
_NO_NAME = "unknown"  # Postfix; Sendmail puts the address in brackets


class Phase(Enum):
    """How far a conversation is, in the words of the reason why it is ended."""

    NEW = "before the options"
    AGREED = "before a client was named"
    OPEN = "outside a message"
    MESSAGE = "within a message"


_ALWAYS = frozenset(Phase)
_LATER = _ALWAYS - {Phase.NEW}
_NAMED = frozenset({Phase.OPEN, Phase.MESSAGE})
_WITHIN = frozenset({Phase.MESSAGE})
# A new MAIL, HELO or client ends a message without ABORT, as it does in SMTP (RFC 5321 section 4.1.4).
_EXPECTED: Mapping[Command, frozenset[Phase]] = MappingProxyType(
    {
        Command.OPTIONS: frozenset({Phase.NEW}),
        Command.QUIT: _ALWAYS,
        Command.QUIT_NEW: _LATER,
        Command.ABORT: _LATER,
        Command.MACRO: _LATER,
        Command.CONNECT: _LATER,
        Command.HELO: _NAMED,
        Command.UNKNOWN: _NAMED,
        Command.MAIL: _NAMED,
        Command.RCPT: _WITHIN,
        Command.DATA: _WITHIN,
        Command.HEADER: _WITHIN,
        Command.END_OF_HEADERS: _WITHIN,
        Command.BODY: _WITHIN,
        Command.END_OF_MESSAGE: _WITHIN,
    }
)


class Envelope(Record, frozen=True):
    """Who sends a message, and through whom. Each MAIL makes a new one."""

    client: Client
    sender: str  # "" is the null sender


class RecipientAsked(Record, frozen=True):
    """The MTA waits for a word on one recipient: CONTINUE or a reply."""

    envelope: Envelope
    recipient: str


class MessageEnded(Record, frozen=True):
    """The MTA waits for what is to be done with a message; `forged` of its headers bear our name."""

    envelope: Envelope
    forged: int
    may_add: bool

    def encode(self, lines: tuple[str, ...]) -> bytes:
        """Remove what bears our name, write `lines` in its place, and let the message go on."""
        # From the last to the first, so that no removal changes the number of the next.
        removals = [encode_removal(RESULT_HEADER, index) for index in range(self.forged, 0, -1)]
        ours = encode_first_header(RESULT_HEADER, lines) if self.may_add else b""
        return b"".join((*removals, ours, CONTINUE))


# Octets to send, perhaps none; a question; or None: the MTA has gone.
Move = bytes | RecipientAsked | MessageEnded | None


class MilterSession:
    """Takes the packets of one connection, one after the other."""

    __slots__ = ("_envelope", "_forged", "_helo", "_macros", "_options", "_peer", "_phase")

    def __init__(self) -> None:
        self._phase = Phase.NEW
        self._options = Options(VERSION, 0, 0)
        self._peer = Peer("", "")
        self._helo = ""
        self._macros: frozenset[str] = frozenset()  # those with a value, for the MAIL to come
        self._envelope = Envelope(Client(""), "")
        self._forged = 0

    def take(self, packet: Packet) -> Move:
        """Return what the packet calls for. Raises RemoteProtocolError; close the connection then."""
        command = packet.command
        if self._phase not in _EXPECTED[command]:
            raise RemoteProtocolError(f"{command} {self._phase.value}")
        return _MOVES[command](self, packet)

    def _agree(self, packet: Packet) -> bytes:
        offer = parse_options(packet.octets)
        if offer.version < OLDEST_VERSION:
            raise RemoteProtocolError(f"version {offer.version} of the milter protocol")
        actions = offer.actions & _WANTED_ACTIONS
        steps = offer.steps & _WANTED_STEPS
        if not actions & Actions.CHANGE_HEADERS:  # headers are looked at to remove some
            steps |= offer.steps & Steps.NO_HEADERS
        self._options = Options(min(offer.version, VERSION), actions, steps)
        self._phase = Phase.AGREED
        return encode_options(self._options, _MACROS if actions & Actions.SET_MACROS else {})

    def _connect(self, packet: Packet) -> bytes:
        self._forget_client()
        self._peer = parse_connect(packet.octets)
        self._phase = Phase.OPEN
        return self._go_on(packet)

    def _greet(self, packet: Packet) -> bytes:
        self._forget_message()
        self._helo = parse_text(packet.octets)
        return self._go_on(packet)

    def _note_macros(self, packet: Packet) -> bytes:
        letter, macros = parse_macros(packet.octets)
        if letter == Command.MAIL.value:
            self._macros = frozenset(name for name in _AUTH_MACROS if macros.get(name))
        return b""

    def _begin(self, packet: Packet) -> bytes:
        authenticated = bool(self._macros)
        self._forget_message()
        client = Client(self._peer.address, _name(self._peer), self._helo, authenticated)
        self._envelope = Envelope(client, parse_path(packet.octets))
        self._phase = Phase.MESSAGE
        return self._go_on(packet)

    def _ask(self, packet: Packet) -> RecipientAsked:
        return RecipientAsked(self._envelope, parse_path(packet.octets))

    def _count_header(self, packet: Packet) -> bytes:
        self._forged += parse_header_name(packet.octets).lower() == RESULT_HEADER.lower()
        if self._forged > MAX_FORGED_HEADERS:
            raise RemoteProtocolError(f"more than {MAX_FORGED_HEADERS} headers {RESULT_HEADER}")
        return self._go_on(packet)

    def _end(self, packet: Packet) -> MessageEnded:
        actions = self._options.actions
        forged = self._forged if actions & Actions.CHANGE_HEADERS else 0
        ended = MessageEnded(self._envelope, forged, bool(actions & Actions.ADD_HEADERS))
        self._forget_message()
        return ended

    def _abort(self, packet: Packet) -> bytes:
        self._forget_message()
        return b""

    def _part(self, packet: Packet) -> bytes:
        self._forget_client()
        return b""

    def _quit(self, packet: Packet) -> None:
        return None

    def _go_on(self, packet: Packet) -> bytes:
        return b"" if self._options.steps & _MUTE[packet.command] else CONTINUE

    def _forget_message(self) -> None:
        """Keep what concerns the client, and nothing of its message."""
        self._macros, self._forged = frozenset(), 0
        if self._phase is Phase.MESSAGE:
            self._phase = Phase.OPEN

    def _forget_client(self) -> None:
        self._forget_message()
        self._peer, self._helo, self._phase = Peer("", ""), "", Phase.AGREED


_MOVES: Mapping[Command, Callable[[MilterSession, Packet], Move]] = MappingProxyType(
    {
        Command.OPTIONS: MilterSession._agree,
        Command.CONNECT: MilterSession._connect,
        Command.HELO: MilterSession._greet,
        Command.MACRO: MilterSession._note_macros,
        Command.MAIL: MilterSession._begin,
        Command.RCPT: MilterSession._ask,
        Command.DATA: MilterSession._go_on,
        Command.UNKNOWN: MilterSession._go_on,
        Command.HEADER: MilterSession._count_header,
        Command.END_OF_HEADERS: MilterSession._go_on,
        Command.BODY: MilterSession._go_on,
        Command.END_OF_MESSAGE: MilterSession._end,
        Command.ABORT: MilterSession._abort,
        Command.QUIT_NEW: MilterSession._part,
        Command.QUIT: MilterSession._quit,
    }
)


def _name(peer: Peer) -> str:
    """The confirmed name of a client; "" where the MTA could confirm none."""
    return "" if peer.name == _NO_NAME or peer.name.startswith("[") else peer.name
