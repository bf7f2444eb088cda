"""SMTP replies: bytes in, Reply out. No I/O, no clock. Not here: what they mean (rules/classify.py).

Grammar: RFC 5321 section 4.2. Enhanced status codes: RFC 2034 and RFC 3463.
"""

import re
from dataclasses import dataclass

from ..errors import RemoteProtocolError

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line, and real servers exceed it: lines of 4,000
# characters, 200 continuation lines. So this bounds the whole reply: what a hostile MX can make us hold.
MAX_REPLY_BYTES = 65_536

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete reply. `lines` is its text, without codes and line ends; `enhanced` stands apart.

    `enhanced` is the enhanced status code as written ("5.1.1"), whether or not its class agrees with
    `code`: a contradiction between them is something to know (evidence.md section 1).
    """

    code: int
    lines: tuple[str, ...]
    enhanced: str | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def contradicts_itself(self) -> bool:
        """RFC 2034 section 4: the class of the enhanced code must agree with the reply code."""
        return self.enhanced is not None and self.enhanced[0] != str(self.code)[0]


class ReplyReader:
    """Reassembles replies from a stream, each line parsed once.

    What is read does not depend on how the stream was cut: replies before an error are handed out
    first. The error then stands in `broken`, and the next call raises it.
    """

    __slots__ = ("_code", "_held_bytes", "_lines", "_partial", "broken")

    def __init__(self) -> None:
        self._partial = bytearray()  # a line whose end has not arrived
        self._code = b""
        self._lines: list[bytes] = []
        self._held_bytes = 0  # of the reply that is being read
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two replies, with nothing of the next one held."""
        return not (self._partial or self._lines or self.broken)

    def feed(self, octets: bytes) -> list[Reply]:
        """Return the replies that `octets` complete, oldest first.

        Raises RemoteProtocolError. The two sides are then out of step and the connection must be
        closed: a later reply could be paired with the wrong command, and so with the wrong mailbox.
        """
        if self.broken:
            raise self.broken
        replies: list[Reply] = []
        try:
            self._split(octets, replies)
        except RemoteProtocolError as error:
            self.broken = error
            if not replies:
                raise
        return replies

    def _split(self, octets: bytes, replies: list[Reply]) -> None:
        *ends, rest = octets.split(b"\n")
        for end in ends:
            self._count(end)
            if (reply := self._take(self._whole(end))) is not None:
                replies.append(reply)
        self._count(rest)
        self._partial += rest

    def _count(self, octets: bytes) -> None:
        self._held_bytes += len(octets)
        if self._held_bytes > MAX_REPLY_BYTES:
            raise RemoteProtocolError(f"reply exceeds {MAX_REPLY_BYTES} bytes")

    def _whole(self, end: bytes) -> bytes:
        """The line that ends so."""
        if not self._partial:
            return end
        line = bytes(self._partial) + end
        self._partial.clear()
        return line

    def _take(self, line: bytes) -> Reply | None:
        found = _LINE.fullmatch(line.removesuffix(b"\r"))
        if found is None:
            raise RemoteProtocolError("not an SMTP reply line")
        if self._code not in (b"", found[1]):  # RFC 5321 section 4.2.1
            raise RemoteProtocolError("reply code changed within one reply")
        self._code = found[1]
        self._lines.append(found[3] or b"")
        if found[2] == b"-":
            return None
        reply = _reply(self._code, self._lines)
        self._code, self._lines, self._held_bytes = b"", [], 0
        return reply


def _reply(code: bytes, raw: list[bytes]) -> Reply:
    lines: list[str] = []
    enhanced = None
    for octets in raw:
        line = octets.decode("utf-8", "backslashreplace")
        # RFC 2034 section 4 wants the code on every line; servers that forget it on one are still read.
        if found := _ENHANCED.match(line):
            enhanced, line = found[1], line[found.end() :]
        lines.append(line)
    return Reply(int(code), tuple(lines), enhanced)


def parse_reply(text: str) -> Reply:
    """Read one whole reply written as text, its lines ended by LF. Raises RemoteProtocolError."""
    try:
        octets = text.rstrip("\r\n").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, which no octets stand for
        raise RemoteProtocolError("not text") from None
    reader = ReplyReader()
    replies = reader.feed(octets + b"\n")
    if len(replies) != 1 or not reader.idle:
        raise RemoteProtocolError("not one whole SMTP reply")
    return replies[0]
