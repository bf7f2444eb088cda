"""The socketmap protocol: bytes in, lookups out, answers as bytes. No I/O, no clock.

Each lookup and each answer is a netstring: "12:map ann@a.bc,". A lookup is the name of a map, a space, and a
key; answers begin with a word that says how to take the rest. Protocol: Postfix socketmap_table(5).
Not here: the answer that is chosen (doors/socketmap_server.py).
"""

from enum import StrEnum

from ..errors import LocalProtocolError, RemoteProtocolError
from ..values.record import Record
from .octets import decode_text

# A name and an address: what Postfix looks up is no longer than its lines, 2,048 bytes.
MAX_LOOKUP_BYTES = 8_192
_MAX_LENGTH_DIGITS = len(str(MAX_LOOKUP_BYTES))
# Postfix takes 100,000; ours are a line of text.
MAX_ANSWER_BYTES = 8_192


class Lookup(Record, frozen=True):
    """One question: `key` in the map `name`."""

    name: str
    key: str


class Status(StrEnum):
    """How an answer is to be taken."""

    OK = "OK"  # the key is there, and the text is its value
    NOTFOUND = "NOTFOUND"
    TEMP = "TEMP"  # ask again later
    PERM = "PERM"  # no use in asking again


class SocketmapReader:
    """Reassembles lookups from a stream, each octet looked at once.

    Lookups before an error are handed out first. The error then stands in `broken`, and the next call
    raises it.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._length: int | None = None  # of the lookup that is being read, once it is known
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two lookups, with nothing of the next one held."""
        return not (self._held or self._length is not None or self.broken)

    def feed(self, octets: bytes) -> list[Lookup]:
        """Return the lookups that `octets` complete, oldest first.

        Raises RemoteProtocolError. The connection must then be closed: where the next lookup begins is
        not known.
        """
        if self.broken:
            raise self.broken
        self._held += octets
        lookups: list[Lookup] = []
        try:
            while (payload := self._take()) is not None:
                lookups.append(_parse(payload))
        except RemoteProtocolError as error:
            self.broken = error
            if not lookups:
                raise
        return lookups

    def _take(self) -> bytes | None:
        """Take the next netstring out of what is held; None if it is not whole."""
        if self._length is None:
            self._length = self._take_length()
        if self._length is None or len(self._held) <= self._length:
            return None
        payload, end = bytes(self._held[: self._length]), self._held[self._length]
        if end != ord(","):
            raise RemoteProtocolError("a netstring that does not end where it says")
        del self._held[: self._length + 1]
        self._length = None
        return payload

    def _take_length(self) -> int | None:
        digits, colon, _ = self._held[: _MAX_LENGTH_DIGITS + 1].partition(b":")
        if not colon and len(digits) <= _MAX_LENGTH_DIGITS and _is_number(digits, b"0"):
            return None
        if not colon or not _is_number(digits, b""):
            raise RemoteProtocolError("not a netstring, or one that is too long")
        length = int(digits)
        if length > MAX_LOOKUP_BYTES:
            raise RemoteProtocolError(f"a lookup exceeds {MAX_LOOKUP_BYTES} bytes")
        del self._held[: len(digits) + 1]
        return length


def _is_number(digits: bytes | bytearray, empty: bytes) -> bool:
    """Digits without a leading zero; where there are none, those of `empty`."""
    text = bytes(digits) or empty
    return text.isdigit() and (text == b"0" or not text.startswith(b"0"))


def _parse(payload: bytes) -> Lookup:
    name, space, key = decode_text(payload).partition(" ")
    if not space:
        raise RemoteProtocolError("a lookup without a key")
    return Lookup(name, key)


def encode(status: Status, text: str = "") -> bytes:
    """Return one answer. NOTFOUND has no text, and a space all the same."""
    payload = f"{status} {text}".encode()
    if len(payload) > MAX_ANSWER_BYTES:
        raise LocalProtocolError(f"a socketmap answer exceeds {MAX_ANSWER_BYTES} bytes")
    return b"%d:%b," % (len(payload), payload)
