"""SMTP replies: bytes in, Reply out. No I/O, no clock. Not here: what they mean (rules/classify.py).

Grammar: RFC 5321 section 4.2. Enhanced status codes: RFC 2034 and RFC 3463.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import RemoteProtocolError

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line, and real servers exceed it: lines of 4,000
# characters, 200 continuation lines. So this bounds the whole reply: what a hostile MX can make us hold.
MAX_REPLY_BYTES = 65_536
# Hosts say the same words again and again: of what comes at once and is no longer than this, so much is
# kept as read. Replies of short lines take five times their octets.
MAX_REMEMBERED_BYTES = 512
MAX_REMEMBERED = 256

# Continuation lines of one code, as many as there are, or a last line. All that a host sends is looked
# at here and nowhere else, so that a line more costs next to nothing.
_LINES = re.compile(rb"([2-5][0-9]{2})(?:(-)[^\n]*\n(?:\1-[^\n]*\n)*|(?: [^\n]*|\r?)\n)")
# What stands for an octet that is no UTF-8. The error handler that does the same takes four times as long
# where a host sends nothing else.
_NO_UTF8 = {0xDC00 + octet: f"\\x{octet:02x}" for octet in range(0x80, 0x100)}
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
    text: str = field(init=False, repr=False, compare=False)  # the lines joined by LF
    # RFC 2034 section 4: the class of the enhanced code must agree with the reply code.
    contradicts_itself: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once: all who are told the same hold the same text.
        object.__setattr__(self, "text", "\n".join(self.lines))
        contradicts = self.enhanced is not None and self.enhanced[0] != str(self.code)[0]
        object.__setattr__(self, "contradicts_itself", contradicts)


@dataclass(slots=True)
class _Rest:
    """What has come of replies that are not whole."""

    partial: bytearray = field(default_factory=bytearray)  # a line whose end has not arrived
    code: bytes = b""
    held: list[bytes] = field(default_factory=list)  # whole lines of the reply that is being read
    held_bytes: int = 0  # in them, without LF

    def take(self, octets: bytes, replies: list[Reply]) -> None:
        """Add to `replies` those that `octets` complete."""
        end = octets.rfind(b"\n") + 1
        if end:
            whole = octets[:end]
            self._take_lines(bytes(self.partial) + whole if self.partial else whole, replies)
            self.partial.clear()
        if rest := octets[end:]:
            self._limit(len(self.partial) + len(rest))
            self.partial += rest

    def _take_lines(self, lines: bytes, replies: list[Reply]) -> None:
        """Take in whole lines, at once what belongs together."""
        at = 0
        while at < len(lines):
            found = _LINES.match(lines, at)
            if found is None or self.code not in (b"", found[1]):  # RFC 5321 section 4.2.1
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
        self.held_bytes += octets
        self.code = code
        self.held.append(lines)

    def _end(self) -> Reply:
        octets = b"".join(self.held)
        self.code, self.held, self.held_bytes = b"", [], 0
        return _parse(octets)

    def _limit(self, more: int) -> None:
        """Refuse a reply of which so many octets more have come. LF counts for nothing."""
        if self.held_bytes + more > MAX_REPLY_BYTES:
            raise RemoteProtocolError(f"reply exceeds {MAX_REPLY_BYTES} bytes")


class ReplyReader:
    """Reassembles replies from a stream, each line looked at once.

    What is read does not depend on how the stream was cut: replies before an error are handed out
    first. The error then stands in `broken`, and the next call raises it.
    """

    __slots__ = ("_rest", "broken")

    def __init__(self) -> None:
        # Mostly None: a reply comes whole, and ten thousand may wait for one.
        self._rest: _Rest | None = None
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two replies, with nothing of the next one held."""
        return self._rest is None and self.broken is None

    def feed(self, octets: bytes) -> list[Reply]:
        """Return the replies that `octets` complete, oldest first.

        Raises RemoteProtocolError. The two sides are then out of step and the connection must be
        closed: a later reply could be paired with the wrong command, and so with the wrong mailbox.
        """
        if self.broken:
            raise self.broken
        if (
            not self._rest
            and len(octets) <= MAX_REMEMBERED_BYTES
            and (known := _read_often(octets))
        ):
            return [*known]
        return self.read(octets)

    def read(self, octets: bytes) -> list[Reply]:
        """The same, whether or not these octets have been read before."""
        rest, replies = self._rest or _Rest(), list[Reply]()
        try:
            rest.take(octets, replies)
        except RemoteProtocolError as error:
            self.broken = error
            if not replies:
                raise
        self._rest = rest if rest.partial or rest.held else None
        return replies


def _parse(octets: bytes) -> Reply:
    """Read the lines of a whole reply, codes and line ends included."""
    text = _decode(octets).replace("\r\n", "\n")
    lines = [line[4:] for line in text.split("\n")]
    lines.pop()  # behind the last line end
    enhanced = None
    for at, line in enumerate(lines):
        # RFC 2034 section 4 wants the code on every line; servers that forget it on one are still read.
        if line[1:2] == "." and (found := _ENHANCED.match(line)):
            enhanced, lines[at] = found[1], line[found.end() :]
    return Reply(int(octets[:3]), tuple(lines), enhanced)


def _decode(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("utf-8", "surrogateescape").translate(_NO_UTF8)


@lru_cache(MAX_REMEMBERED)
def _read_often(octets: bytes) -> tuple[Reply, ...]:
    """Return the replies that `octets` are, and nothing where they are anything else."""
    reader = ReplyReader()
    try:
        replies = reader.read(octets)
    except RemoteProtocolError:
        return ()
    return tuple(replies) if reader.idle else ()


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
