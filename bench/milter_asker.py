"""The way of asking a milter: what an MTA tells it of a transaction up to RCPT, again and again.

Not here: the protocol beyond what these few packets need (ringback.wire.milter has the filter's side).
"""

import asyncio
import struct

from .askers import Asker
from .places import CLIENT, HELO_NAME, RECIPIENT

_VERSION, _ALL_ACTIONS = 6, 0x1FF
# Steps that a filter may ask to be spared.
_NO_CONNECT, _NO_HELO, _NO_RCPT, _STEPS = 0x01, 0x02, 0x08, 0x7F
_HEAD_BYTES = 4
_SAID_BYTES = 4  # "c", or "y" and a code
_STEPS_AT = 9  # behind the command, the version and the actions
_CLIENT_PORT = 25


def _packet(command: bytes, body: bytes = b"") -> bytes:
    return struct.pack("!I", len(command + body)) + command + body


_OPENING = _packet(b"O", struct.pack("!3I", _VERSION, _ALL_ACTIONS, _STEPS))
_CLIENT = b"client.test\x004" + struct.pack("!H", _CLIENT_PORT) + CLIENT.encode() + b"\x00"
_SESSION = {
    _NO_CONNECT: _packet(b"C", _CLIENT),
    _NO_HELO: _packet(b"H", f"{HELO_NAME}\x00".encode()),
}


class MilterAsker(Asker):
    """An answer is what is said last of a transaction: to RCPT, or to MAIL where RCPT is not wanted."""

    _spared: int | None = None
    _awaited = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._transport.write(_OPENING)

    def question(self, address: str) -> bytes:
        mail, rcpt = f"<{address}>\x00".encode(), f"<{RECIPIENT}>\x00".encode()
        packets = [_packet(b"M", mail), _packet(b"R", rcpt)]
        if self._spared and self._spared & _NO_RCPT:
            packets.pop()
        self._awaited = len(packets)
        macros = b"Mf\x00" + address.encode() + b"\x00"
        return b"".join((_packet(b"A"), _packet(b"D", macros), *packets))

    def read(self) -> None:
        while len(self._arrived) >= _HEAD_BYTES:
            (length,) = struct.unpack_from("!I", self._arrived)
            packet = self._arrived[_HEAD_BYTES : _HEAD_BYTES + length]
            if len(packet) < length:
                return
            self._arrived = self._arrived[_HEAD_BYTES + length :]
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        if self._spared is None:
            self._begin(packet)
            return
        self._awaited -= 1
        if self._awaited == 0 and self._asked_at:
            self.answered(packet[:_SAID_BYTES].decode("latin-1"))
        elif self._awaited == 0:
            self.ask()

    def _begin(self, negotiated: bytes) -> None:
        (self._spared,) = struct.unpack_from("!I", negotiated, _STEPS_AT)
        wanted = [packet for step, packet in _SESSION.items() if not self._spared & step]
        self._awaited = len(wanted)
        self._transport.write(b"".join(wanted))
        if not wanted:
            self.ask()
