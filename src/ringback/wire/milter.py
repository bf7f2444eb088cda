"""The milter protocol as an MTA speaks it: octets in, packets and what they hold out. No I/O, no clock.

No standard defines it: it is what Sendmail 8.14 and Postfix 2.6 and later speak, protocol version 6, and
their predecessors from version 2 on. A packet is its length in four octets, a letter, and what belongs to it.
Not here: what we say (wire/milter_answers.py), which packet may follow which (wire/milter_session.py).
"""

import struct
from collections.abc import Iterator, Mapping
from enum import Enum, IntFlag
from ipaddress import ip_address
from types import MappingProxyType

from ..errors import RemoteProtocolError
from ..values.record import Record
from .octets import decode_text

# What MTAs keep to, and libmilter by default; this bounds what one of them can make us hold.
MAX_PACKET_BYTES = 65_536
# Packets of which we read at most the beginning: Postfix passes a header of 100 KiB in one, and the
# largest pieces of a body that can be agreed on are of 1 MiB. The rest is dropped as it arrives.
MAX_SKIMMED_BYTES = 1_048_576 + 1_024
# Longer than the one header name that we look for.
KEPT_HEADER_BYTES = 64

_HEAD = struct.Struct(">IB")
_OFFER = struct.Struct(">III")


class Command(Enum):
    """What an MTA says, by the letter of its packet."""

    ABORT = b"A"
    BODY = b"B"
    CONNECT = b"C"
    MACRO = b"D"
    END_OF_MESSAGE = b"E"
    HELO = b"H"
    QUIT_NEW = b"K"  # of one client; another follows on the same connection
    HEADER = b"L"
    MAIL = b"M"
    END_OF_HEADERS = b"N"
    OPTIONS = b"O"
    QUIT = b"Q"
    RCPT = b"R"
    DATA = b"T"
    UNKNOWN = b"U"  # an SMTP command that the MTA does not know

    def __str__(self) -> str:
        return self.name


class Actions(IntFlag):
    """What a filter may do to a message, as far as we want it."""

    ADD_HEADERS = 0x1
    CHANGE_HEADERS = 0x10
    SET_MACROS = 0x100


class Steps(IntFlag):
    """What an MTA need not tell us (NO…), and where it shall not wait for an answer (MUTE…)."""

    NO_BODY = 0x10
    NO_HEADERS = 0x20
    NO_END_OF_HEADERS = 0x40
    MUTE_HEADER = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    MUTE_CONNECT = 0x1000
    MUTE_HELO = 0x2000
    MUTE_MAIL = 0x4000
    MUTE_DATA = 0x1_0000
    MUTE_UNKNOWN = 0x2_0000
    MUTE_END_OF_HEADERS = 0x4_0000
    MUTE_BODY = 0x8_0000


# By command: how much is kept of a packet that may be longer than we want to hold.
_KEPT_BYTES: Mapping[Command, int] = MappingProxyType(
    {
        Command.BODY: 0,
        Command.END_OF_MESSAGE: 0,
        Command.UNKNOWN: 0,
        Command.HEADER: KEPT_HEADER_BYTES,
    }
)


class Packet(Record, frozen=True):
    """One packet of an MTA; `octets` is what follows its letter, as far as it is kept."""

    command: Command
    octets: bytes = b""


class Options(Record, frozen=True):
    """What an MTA offers, or a filter chooses of it."""

    version: int
    actions: int
    steps: int


class Peer(Record, frozen=True):
    """An SMTP client as the MTA knows it: its name as told, and its IP address, "" if it has none."""

    name: str
    address: str


class PacketReader:
    """Reassembles packets from a stream, each octet touched once.

    What is read does not depend on how the stream was cut: packets before an error are handed out
    first. The error then stands in `broken`, and the next call raises it.
    """

    __slots__ = ("_command", "_held", "_keep_bytes", "_left_bytes", "broken")

    def __init__(self) -> None:
        self._held = bytearray()  # a head that is not whole, and then what is kept of its packet
        self._command: Command | None = None  # of the packet whose head is whole
        self._left_bytes = 0  # of that packet, still to arrive
        self._keep_bytes = 0
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two packets, with nothing of the next one held."""
        return not (self._held or self._command or self.broken)

    def feed(self, octets: bytes) -> list[Packet]:
        """Return the packets that `octets` complete, oldest first.

        Raises RemoteProtocolError. The connection must then be closed: where the next packet begins
        is not known.
        """
        if self.broken:
            raise self.broken
        packets: list[Packet] = []
        try:
            self._split(octets, packets)
        except RemoteProtocolError as error:
            self.broken = error
            if not packets:
                raise
        return packets

    def _split(self, octets: bytes, packets: list[Packet]) -> None:
        start = 0
        while start < len(octets):
            if self._command is None:
                end = start + _HEAD.size - len(self._held)
                self._held += octets[start:end]
                if len(self._held) == _HEAD.size:
                    self._command = self._open()
            else:
                end = start + self._left_bytes
                piece = octets[start:end]
                self._left_bytes -= len(piece)
                self._held += piece[: self._keep_bytes - len(self._held)]
            start = end
            if self._command is not None and not self._left_bytes:
                packets.append(Packet(self._command, bytes(self._held)))
                self._held.clear()
                self._command = None

    def _open(self) -> Command:
        length, letter = _HEAD.unpack(self._held)
        try:
            command = Command(bytes([letter]))
        except ValueError:
            raise RemoteProtocolError("not a packet of the milter protocol") from None
        most = MAX_SKIMMED_BYTES if command in _KEPT_BYTES else MAX_PACKET_BYTES
        if not 0 < length <= most:
            raise RemoteProtocolError(f"{command} of {length} bytes, where at most {most} are read")
        self._held.clear()
        self._left_bytes = length - 1
        self._keep_bytes = _KEPT_BYTES.get(command, MAX_PACKET_BYTES)
        return command


# What belongs to a packet. All of these raise RemoteProtocolError.


def parse_options(octets: bytes) -> Options:
    """Read an offer; what versions to come put behind it is left alone."""
    if len(octets) < _OFFER.size:
        raise RemoteProtocolError("an offer of options that is too short")
    return Options(*_OFFER.unpack_from(octets))


def parse_connect(octets: bytes) -> Peer:
    """Read who is connected. A client on a Unix socket has no address, and neither has what is none."""
    name, _, rest = octets.partition(b"\0")
    family, port, address = rest[:1], rest[1:3], rest[3:]
    if family not in {b"U", b"L", b"4", b"6"}:
        raise RemoteProtocolError("CONNECT with an unknown family of addresses")
    if family == b"U":
        return Peer(decode_text(name), "")
    if len(port) < 2 or not address.endswith(b"\0"):
        raise RemoteProtocolError("CONNECT that is not whole")
    return Peer(decode_text(name), "" if family == b"L" else _ip(decode_text(address[:-1])))


def _ip(text: str) -> str:
    try:
        address = ip_address(text[5:] if text[:5].lower() == "ipv6:" else text)
    except ValueError:
        return ""
    # An MTA that listens for both kinds may show IPv4 clients as ::ffff:192.0.2.1.
    return str(getattr(address, "ipv4_mapped", None) or address)


def parse_text(octets: bytes) -> str:
    """Read the one string of HELO."""
    return next(_strings(octets))


def parse_path(octets: bytes) -> str:
    """Read the address of MAIL or RCPT, without brackets and source route; its parameters are not read."""
    path = parse_text(octets).strip()
    # Sendmail hands over what the client wrote: brackets may lack, or stand behind a name.
    if path.endswith(">") and "<" in path:
        path = path[path.index("<") + 1 : -1].strip()
    if path.startswith("@") and ":" in path:  # RFC 5321 appendix C: accepted, and ignored
        path = path.partition(":")[2]
    return path


def parse_macros(octets: bytes) -> tuple[bytes, Mapping[str, str]]:
    """Read the letter of the command that macros are for, and their values by name, without braces."""
    strings = list(_strings(octets[1:])) if octets[1:] else []
    if not octets or len(strings) % 2:
        raise RemoteProtocolError("a macro without its value")
    names = [name.removeprefix("{").removesuffix("}") for name in strings[::2]]
    return octets[:1], dict(zip(names, strings[1::2], strict=True))


def parse_header_name(octets: bytes) -> str:
    """Read the name of a header, or the beginning of it where it is long."""
    return decode_text(octets.partition(b"\0")[0]).strip()


def _strings(octets: bytes) -> Iterator[str]:
    if not octets.endswith(b"\0"):
        raise RemoteProtocolError("a string without its end")
    return (decode_text(string) for string in octets[:-1].split(b"\0"))
