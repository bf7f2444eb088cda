"""Events of a mail log → the callbacks that others made at us, each when its session is over. Pure.

What is not over is held within bounds. Not here: which sessions are callbacks (rules/callbacks.py), and who
makes them (rules/callers.py).
"""

from collections import OrderedDict
from collections.abc import Iterator

from ..values.evidence import Meaning, Stage
from ..values.record import Record
from ..wire.maillog import (
    Abandoned,
    Arrived,
    Begun,
    Connected,
    Disconnected,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
)
from ..wire.reply import Reply
from .callbacks import Callback, SessionSeen, judge, seems_to_ask
from .classify import Book, classify

# Sessions and messages that are under way: more than a large site has at a time; some 20 MB. Where all that
# they say is as long as it may be, 200 MB in ASCII, and 500 in the widest characters.
MAX_OPEN = 20_000
# A session whose end the log does not tell is over when it has been quiet for longer than servers are patient
# (RFC 5321 section 4.5.3.2.7: five minutes at least).
QUIET_S = 600.0
# Where lines do not tell sessions apart, what one client does within so long is one: callbacks take seconds.
TALK_S = 30.0

# To RCPT out of sequence, or misspelled: nobody was asked for.
_NOT_ASKED = frozenset({500, 501, 502, 503, 504})
_WITH_MESSAGE = frozenset({"data", "bdat"})
_NO_MAILBOX = frozenset({Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED})
_UNTOLD = LoggedClient("")


class Bounce(Record, frozen=True):
    """A message came from the null sender, or one that seems to ask: who brings these does not only ask."""

    at: float
    client: LoggedClient


Sighting = Callback | Bounce


class _Open:
    """Sessions that are not over, by key, the one to close next first."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._sessions: OrderedDict[str, tuple[SessionSeen, float]] = OrderedDict()

    def load(self, key: str) -> SessionSeen | None:
        found = self._sessions.get(key)
        return found[0] if found else None

    def save(self, key: str, session: SessionSeen, seen_at: float) -> int:
        """Note that it was seen; return how many were given up for it."""
        self._sessions[key] = session, seen_at
        self._sessions.move_to_end(key)
        if len(self._sessions) <= MAX_OPEN:
            return 0
        self._sessions.popitem(last=False)
        return 1

    def take(self, key: str) -> SessionSeen | None:
        found = self._sessions.pop(key, None)
        return found[0] if found else None

    def take_quiet(self, now: float) -> Iterator[SessionSeen]:
        """Take those that are over by now."""
        while self._sessions:
            key, (session, seen_at) = next(iter(self._sessions.items()))
            if abs(now - seen_at) < self._patience_s:  # clocks step back, and then time is long
                return
            del self._sessions[key]
            yield session


class Spotter:
    """Hears what a log tells, and says what of it were callbacks. `book` reads refusals.

    `dropped` counts sessions that were given up for others, while there were too many at a time.
    """

    def __init__(self, book: Book) -> None:
        self.dropped = 0
        self._book = book
        self._told_apart, self._by_client = _Open(QUIET_S), _Open(TALK_S)
        self._by_message: OrderedDict[str, SessionSeen] = OrderedDict()

    def hear(self, event: LogEvent) -> Iterator[Sighting]:
        """Take an event in, and yield what it ends: to be read to its end, before the next."""
        yield from self._close_quiet(event.at)
        match event:
            case Connected():
                yield from self._close(event, event.client)
                self._see(event, event.client)
            case Begun():
                self._begin(event)
            case Refused():
                self._refuse(event)
            case Abandoned():
                self._abandon(event)
            case Arrived():
                yield from self._arrive(event)
            case Finished():
                self._by_message.pop(event.message, None)
            case Disconnected():
                yield from self._end(event)

    def close(self) -> Iterator[Callback]:
        """Yield what was under way when the log ended."""
        yield from self._close_quiet(float("inf"))

    def _sessions(self, event: LogEvent) -> _Open:
        return self._told_apart if event.session else self._by_client

    def _see(self, event: LogEvent, client: LoggedClient) -> SessionSeen:
        sessions, key = self._sessions(event), _key(event, client)
        session = sessions.load(key)
        new = session is None
        if session is None:
            session = SessionSeen(event.at, client)
        session.learn(client)
        if new or event.session:  # others have their time from their beginning
            self.dropped += sessions.save(key, session, event.at)
        return session

    def _begin(self, event: Begun) -> None:
        session = self._see(event, event.client)
        if event.origin:  # what a filter hands on, and who brought it
            session = SessionSeen(event.at, event.origin)
        if event.message:
            self._by_message[event.message] = session
            if len(self._by_message) > MAX_OPEN:
                self._by_message.popitem(last=False)

    def _refuse(self, event: Refused) -> None:
        session = self._see(event, event.client)
        session.come_from(event.sender)
        if event.code in _NOT_ASKED:
            return
        if event.stage is Stage.RCPT:
            session.ask(event.recipient, event.code, missing=self._is_missing(event))
        elif event.stage is None:
            session.brought = True  # a message, though it was not taken

    def _is_missing(self, event: Refused) -> bool:
        if event.code < 500:
            return False
        reply = Reply(event.code, (event.text,))
        return classify(event.stage, reply, self._book).meaning in _NO_MAILBOX

    def _abandon(self, event: Abandoned) -> None:
        session = self._see(event, event.client)
        session.come_from(event.sender)
        session.tidy &= event.tidy is not False
        session.brought |= event.offered
        session.unnamed += event.accepted - len(event.recipients)
        for recipient in event.recipients:
            session.ask(recipient)

    def _arrive(self, event: Arrived) -> Iterator[Bounce]:
        session = self._by_message.get(event.message)
        if session is None and event.session:
            session = self._see(event, event.client or _UNTOLD)
        if session is None and event.client is not None:
            session = SessionSeen(event.at, event.client)  # of which the next line says nothing
        if session is None:
            return
        session.brought = True
        if event.sender is not None and seems_to_ask(event.sender) and session.client.ip:
            self._by_message.pop(event.message, None)  # Postfix tells of it again at each attempt
            yield Bounce(event.at, session.client)

    def _end(self, event: Disconnected) -> Iterator[Callback]:
        session = self._sessions(event).load(_key(event, event.client))
        if session is None:
            return
        session.tidy &= event.tidy is not False
        session.brought |= not _WITH_MESSAGE.isdisjoint(event.commands)
        logins, _ = event.commands.get("auth", (0, 0))  # whose, it does not say where it refuses
        session.brought |= logins > 0
        accepted, _ = event.commands.get("rcpt", (0, 0))
        session.unnamed = max(session.unnamed, accepted)
        yield from self._close(event, event.client)

    def _close(self, event: LogEvent, client: LoggedClient) -> Iterator[Callback]:
        session = self._sessions(event).take(_key(event, client))
        if session and (callback := judge(session)):
            yield callback

    def _close_quiet(self, now: float) -> Iterator[Callback]:
        for sessions in (self._told_apart, self._by_client):
            for session in sessions.take_quiet(now):
                if callback := judge(session):
                    yield callback


def _key(event: LogEvent, client: LoggedClient) -> str:
    return f"{event.software} {event.session or client.ip}"
