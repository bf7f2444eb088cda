"""The milter protocol as a filter speaks it: answers as octets. No I/O, no clock.

Not here: which answer is due (wire/milter_session.py), and its text (rules/actions.py).
"""

import struct
from collections.abc import Mapping
from enum import Enum

from ..errors import LocalProtocolError
from .milter import Options

# Sendmail cuts a line of a reply there.
MAX_REPLY_BYTES = 980

_HEAD = struct.Struct(">IB")
_OPTIONS = struct.Struct(">III")
_INDEX = struct.Struct(">I")


class MacroStage(Enum):
    """Where macros that a filter asks for are to be told, by their numbers in the list of symbols."""

    MAIL = 2


def encode_packet(letter: bytes, octets: bytes = b"") -> bytes:
    """Encode one packet, of either side."""
    return _HEAD.pack(1 + len(octets), letter[0]) + octets


CONTINUE = encode_packet(b"c")


def encode_options(options: Options, macros: Mapping[MacroStage, str]) -> bytes:
    """Encode our choice of what was offered, and the macros that we want to be told."""
    chosen = _OPTIONS.pack(options.version, options.actions, options.steps)
    lists = (_INDEX.pack(stage.value) + _string(names) for stage, names in macros.items())
    return encode_packet(b"O", chosen + b"".join(lists))


def encode_reply(reply: str) -> bytes:
    """Encode an SMTP reply to the client, such as "550 5.1.7 text"; its percent signs are doubled.

    Raises LocalProtocolError for what is no 4xx or 5xx in one line of printable ASCII.
    """
    if reply[:1] not in ("4", "5") or not reply[:3].isdecimal() or reply[3:4] != " ":
        raise LocalProtocolError(f"not a refusal: {reply!r}")
    octets = _string(reply.replace("%", "%%"))
    if len(octets) > MAX_REPLY_BYTES:
        raise LocalProtocolError(f"a reply of {len(octets)} bytes")
    return encode_packet(b"y", octets)


def encode_removal(name: str, index: int) -> bytes:
    """Encode that the header `name` goes, of several the one at `index`, counted from 1."""
    return encode_packet(b"m", _INDEX.pack(index) + _string(name) + b"\0")


def encode_first_header(name: str, lines: tuple[str, ...]) -> bytes:
    """Encode a header above all others, its value folded where `lines` part."""
    return encode_packet(
        b"i", _INDEX.pack(0) + _string(name) + b"\n\t".join(map(_ascii, lines)) + b"\0"
    )


def _string(text: str) -> bytes:
    return _ascii(text) + b"\0"


def _ascii(text: str) -> bytes:
    if not (text.isascii() and text.isprintable()):
        raise LocalProtocolError(f"not printable ASCII: {text!r}")
    return text.encode("ascii")
