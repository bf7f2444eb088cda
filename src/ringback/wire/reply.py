"""SMTP replies: bytes in, Reply out. No I/O, no clock. Not here: what they mean (rules/classify.py).

Grammar: RFC 5321 section 4.2. Enhanced status codes: RFC 2034 and RFC 3463.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import RemoteProtocolError

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line, and real servers exceed it: lines of 4,000
# characters, 200 continuation lines. So this bounds the whole reply: what a hostile MX can make us hold.
MAX_REPLY_BYTES = 65_536
# Hosts say the same words again and again: of what is no longer than this, so many replies are kept as
# read. One of short lines takes five times its octets.
MAX_REMEMBERED_BYTES = 512
MAX_REMEMBERED = 256

# Continuation lines of one code, as many as there are, or a last line. All that a host sends is looked
# at here and nowhere else, so that a line more costs next to nothing.
_LINES = re.compile(rb"([2-5][0-9]{2})(?:(-)[^\n]*\n(?:\1-[^\n]*\n)*|(?: [^\n]*|\r?)\n)")
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
    """Reassembles replies from a stream, each line looked at once.

    What is read does not depend on how the stream was cut: replies before an error are handed out
    first. The error then stands in `broken`, and the next call raises it.
    """

    __slots__ = ("_code", "_held", "_held_bytes", "_partial", "broken")

    def __init__(self) -> None:
        self._partial = bytearray()  # a line whose end has not arrived
        self._code = b""
        self._held: list[bytes] = []  # whole lines of the reply that is being read
        self._held_bytes = 0  # in them, without LF
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two replies, with nothing of the next one held."""
        return not (self._partial or self._held or self.broken)

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
        end = octets.rfind(b"\n") + 1
        if end:
            whole = octets[:end]
            self._take(bytes(self._partial) + whole if self._partial else whole, replies)
            self._partial.clear()
        if rest := octets[end:]:
            self._limit(len(self._partial) + len(rest))
            self._partial += rest

    def _take(self, lines: bytes, replies: list[Reply]) -> None:
        """Take in whole lines, at once what belongs together."""
        at = 0
        while at < len(lines):
            found = _LINES.match(lines, at)
            if found is None or self._code not in (b"", found[1]):  # RFC 5321 section 4.2.1
                self._limit(lines.index(b"\n", at) - at)
                changed = "reply code changed within one reply"
                raise RemoteProtocolError(changed if found else "not an SMTP reply line")
            self._hold(found[1], found[0])
            at = found.end()
            if not found[2]:
                replies.append(self._end())

    def _hold(self, code: bytes, lines: bytes) -> None:
        octets = len(lines) - lines.count(b"\n")
        self._limit(octets)
        self._held_bytes += octets
        self._code = code
        self._held.append(lines)

    def _end(self) -> Reply:
        octets = b"".join(self._held)
        self._code, self._held, self._held_bytes = b"", [], 0
        return (_parse_often if len(octets) <= MAX_REMEMBERED_BYTES else _parse)(octets)

    def _limit(self, more: int) -> None:
        """Refuse a reply of which so many octets more have come. LF counts for nothing."""
        if self._held_bytes + more > MAX_REPLY_BYTES:
            raise RemoteProtocolError(f"reply exceeds {MAX_REPLY_BYTES} bytes")


def _parse(octets: bytes) -> Reply:
    """Read the lines of a whole reply, codes and line ends included."""
    text = octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    lines = [line[4:] for line in text.split("\n")]
    lines.pop()  # behind the last line end
    enhanced = None
    for at, line in enumerate(lines):
        # RFC 2034 section 4 wants the code on every line; servers that forget it on one are still read.
        if line[1:2] == "." and (found := _ENHANCED.match(line)):
            enhanced, lines[at] = found[1], line[found.end() :]
    return Reply(int(octets[:3]), tuple(lines), enhanced)


_parse_often = lru_cache(MAX_REMEMBERED)(_parse)


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
