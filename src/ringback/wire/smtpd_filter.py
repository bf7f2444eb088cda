"""OpenSMTPD's filter protocol, as a filter speaks it: lines in, moves out. No I/O, no clock.

Protocol: smtpd-filters(7), versions 0.5 to 0.7. Of the reports only those of the link are read: those of a
transaction changed the order of their fields from version to version, and the requests hold the addresses.
Time passes here by the instants that the lines themselves bear.
Not here: what is asked of each recipient and what follows (doors/smtpd_filter.py).
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..errors import LocalProtocolError, RemoteProtocolError
from ..values.record import Record
from .octets import decode_text

# OpenSMTPD 6.8 takes SMTP lines of up to 65,535 bytes, and puts about a hundred before what they say.
MAX_LINE_BYTES = 66_560
# As many clients at a time are in no session limit of OpenSMTPD's; what is forgotten passes unasked.
MAX_SESSIONS = 10_000
# OpenSMTPD ends a session that was silent for 300 s, and says so; this is for what it did not say.
MAX_IDLE_S = 3_600.0
# RFC 5321 section 4.5.3.1 allows paths 256 octets and names 255; senders with VERP and SRS are longer.
MAX_ADDRESS_CHARS = 1_024
MAX_NAME_CHARS = 255
# OpenSMTPD 6.8 reads answers into a buffer of LINE_MAX, which is 2,048.
MAX_REPLY_CHARS = 1_000

UNKNOWN_NAME = "unknown"  # as Postfix says where it could confirm no reverse name

_ID = re.compile(r"[0-9A-Za-z]{1,64}")
_INSTANT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
_REPLY = re.compile(r"[45][0-9]{2} [ -~]+")
_WHOLE_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"@.+', re.DOTALL)
_RESULTS = frozenset({"pass", "fail", "error"})
_IN = "smtp-in"


class RecipientAsked(Record, frozen=True):
    """OpenSMTPD waits for a word on one recipient: `encode_proceed` or `encode_reject`."""

    session: str
    token: str
    client_address: str
    client_name: str
    helo_name: str
    username: str  # "" where nobody has logged in
    sender: str  # "" is the null sender
    recipient: str


@dataclass(slots=True)
class _Session:
    seen_at: float  # Unix seconds
    address: str
    name: str
    helo: str = ""
    username: str = ""
    sender: str | None = None  # None where there is none to ask about


class LineReader:
    """Reassembles lines from a stream. Of one that is too long, the end is dropped."""

    def __init__(self) -> None:
        self._partial = bytearray()  # a line whose end has not arrived

    def feed(self, octets: bytes) -> list[bytes]:
        """Return the lines that `octets` complete, oldest first."""
        lines = []
        *ended, rest = octets.split(b"\n")
        for piece in ended:
            self._hold(piece)
            lines.append(bytes(self._partial))
            self._partial.clear()
        self._hold(rest)
        return lines

    def _hold(self, octets: bytes) -> None:
        self._partial += octets[: MAX_LINE_BYTES - len(self._partial)]


class Conversation:
    """What OpenSMTPD has told of its sessions, as far as a question about a recipient needs it."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, _Session] = OrderedDict()  # the longest silent first
        self._registered = False

    def __len__(self) -> int:
        return len(self._sessions)

    def take(self, line: bytes) -> bytes | RecipientAsked | None:
        """Return what to write at once, a question to be answered, or None.

        Raises RemoteProtocolError for a line that makes no sense; the next one may.
        """
        if b"\0" in line:
            raise RemoteProtocolError("a NUL byte")
        stream, _, rest = decode_text(line).partition("|")
        match stream:
            case "config":
                return self._configure(rest)
            case "report":
                self._hear(rest)
                return None
            case "filter":
                return self._answer(rest)
        raise RemoteProtocolError("a line that is no config, report or filter")

    def _configure(self, rest: str) -> bytes | None:
        if rest != "ready" or self._registered:
            return None
        self._registered = True
        hooks = [f"report|{_IN}|{event}" for event in _REPORTS]
        hooks += [f"filter|{_IN}|{phase}" for phase in ("mail-from", "rcpt-to")]
        return "".join(f"register|{hook}\n" for hook in (*hooks, "ready")).encode()

    def _hear(self, rest: str) -> None:
        fields = rest.split("|", 5)
        if len(fields) < 5:
            raise RemoteProtocolError("a report of too few fields")
        _, at, subsystem, event, name = fields[:5]
        if subsystem != _IN:
            return
        now = _instant(at)
        parameters = fields[5] if len(fields) == 6 else ""
        if event == "link-connect":
            self._sessions[_id(name)] = _connected(now, parameters)
        session = self._find(name, now)
        if event == "link-disconnect":
            self._sessions.pop(name, None)
        elif session is not None and event in _REPORTS:
            _REPORTS[event](session, parameters)

    def _answer(self, rest: str) -> bytes | RecipientAsked | None:
        fields = rest.split("|", 6)
        if len(fields) < 6:
            raise RemoteProtocolError("a request of too few fields")
        _, at, _, phase, name, token = fields[:6]
        parameter = fields[6] if len(fields) == 7 else ""
        session = self._find(_id(name), _instant(at))
        if phase == "data-line":  # its answers are others, and we did not ask for it
            raise RemoteProtocolError("a line of a message")
        if session is not None and phase == "mail-from":
            session.sender = _sender(parameter)
        if session is None or session.sender is None or phase != "rcpt-to" or not session.address:
            return encode_proceed(name, _id(token))
        return RecipientAsked(
            session=name,
            token=_id(token),
            client_address=session.address,
            client_name=session.name,
            helo_name=session.helo,
            username=session.username,
            sender=session.sender,
            recipient=_path(parameter)[:MAX_ADDRESS_CHARS],
        )

    def _find(self, name: str, now: float) -> _Session | None:
        """Return a session that is known, and forget those that must have ended."""
        session = self._sessions.get(name)
        if session is not None:
            session.seen_at = now
            self._sessions.move_to_end(name)
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if len(self._sessions) <= MAX_SESSIONS and oldest.seen_at >= now - MAX_IDLE_S:
                break
            self._sessions.popitem(last=False)
        return session


def encode_proceed(session: str, token: str) -> bytes:
    """Encode that we have no objection."""
    return f"filter-result|{session}|{token}|proceed\n".encode("ascii")


def encode_reject(session: str, token: str, reply: str) -> bytes:
    """Encode an SMTP reply to the client, such as "550 5.1.7 text".

    Raises LocalProtocolError for what is no 4xx or 5xx in one line of printable ASCII.
    """
    if not _REPLY.fullmatch(reply) or len(reply) > MAX_REPLY_CHARS:
        raise LocalProtocolError(f"not a refusal: {reply[:MAX_REPLY_CHARS]!a}")
    return f"filter-result|{session}|{token}|reject|{reply}\n".encode("ascii")


def _connected(now: float, parameters: str) -> _Session:
    # From the right: whoever runs a reverse zone may put a bar into a name.
    fields = parameters.rsplit("|", 3)
    if len(fields) < 4:
        raise RemoteProtocolError("a link-connect of too few fields")
    name, confirmed, source, _ = fields
    known = confirmed == "pass" and name and len(name) <= MAX_NAME_CHARS
    return _Session(now, _client_address(source), name if known else UNKNOWN_NAME)


def _client_address(source: str) -> str:
    """Read "ADDRESS:PORT"; "" for a client of this host at the Unix socket."""
    if source.startswith("unix:"):
        return ""
    address, _, _ = source.rpartition(":")
    return address.strip("[]").removeprefix("IPv6:")[:MAX_NAME_CHARS]


def _identified(session: _Session, parameters: str) -> None:
    session.helo = parameters.partition("|")[2][:MAX_NAME_CHARS]  # HELO or EHLO stands before it


def _authenticated(session: _Session, parameters: str) -> None:
    # Up to 0.6 the result stands behind the name, then before it. Taken is only what reads one way: a client
    # may give itself any name, one with bars and results in it, too.
    first, _, last = parameters.partition("|")
    if "|" in last or (first in _RESULTS) is (last in _RESULTS):
        return
    result, name = (first, last) if first in _RESULTS else (last, first)
    if result == "pass":
        session.username = name[:MAX_NAME_CHARS]


def _reset(session: _Session, _: str) -> None:
    session.sender = None


def _nothing(_: _Session, __: str) -> None:
    """The event was all there is to it."""


_REPORTS: Mapping[str, Callable[[_Session, str], None]] = MappingProxyType(
    {
        "link-connect": _nothing,
        "link-identify": _identified,
        "link-auth": _authenticated,
        "link-disconnect": _nothing,
        "tx-reset": _reset,
    }
)


def _sender(parameter: str) -> str | None:
    """Read the sender; None where it is not one to ask about.

    OpenSMTPD completes a name without a domain with its own, and gives us an address up to the first ">",
    which a quoted local part may contain.
    """
    path = _path(parameter)
    if len(path) > MAX_ADDRESS_CHARS or (path and "@" not in path):
        return None
    return None if path.startswith('"') and not _WHOLE_QUOTED.fullmatch(path) else path


def _path(parameter: str) -> str:
    path = parameter.strip().removeprefix("<").removesuffix(">")
    if path.startswith("@") and ":" in path:  # RFC 5321 appendix C: accepted, and ignored
        return path.partition(":")[2]
    return path


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise RemoteProtocolError("a session or token that is none")
    return text


def _instant(text: str) -> float:
    if not _INSTANT.fullmatch(text):
        raise RemoteProtocolError("an instant that is none")
    return float(text)
