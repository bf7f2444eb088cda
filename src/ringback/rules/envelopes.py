"""Events of a mail log → envelopes: who wrote to whom, through which client, and what the site did. Pure.

A message of several recipients is as many envelopes: each is a question of its own to a verifier.
Not here: reading logs (wire/maillog/), and what would have become of the mail (lab/replay.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum

from ..values.evidence import Stage
from ..values.record import Record
from ..wire.maillog import (
    Abandoned,
    Arrived,
    Begun,
    Connected,
    Delivered,
    Disconnected,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
)

# Messages that are in a queue at a time, and their recipients together: a log whose messages never finish
# must not fill the memory. Beyond that the oldest goes, which has mostly named all its recipients by then.
MAX_MESSAGES = 50_000
MAX_NAMED = 200_000
# Sessions that are open at a time, of which only their first line says who connected.
MAX_SESSIONS = 50_000
# Refusals of one message that wait for the line that says from whom it was.
MAX_HELD = 100
# Recipients of one message: RFC 5321 section 4.5.3.1.8 wants 100 taken, and servers stop at 1,000.
MAX_RECIPIENTS = 1_000

# A refusal there comes before a verifier that is asked last is asked at all.
_BEFORE_ASKING = frozenset(
    {Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.MAIL, Stage.RCPT}
)
# The machine itself, or a filter on it.
_NO_CLIENTS = frozenset({"", "127.0.0.1", "::1"})


class Ending(StrEnum):
    """What the site did with an envelope."""

    TAKEN = "taken"
    PUT_OFF = "put_off"  # 4xx: its client may have come back
    REFUSED = "refused"  # 5xx, at RCPT or before
    TOO_LATE = "too_late"  # 5xx or given up after RCPT: a verifier had been asked by then


class Envelope(Record, frozen=True):
    """One recipient of one mail. `sender` is "" for the null sender. `at` is in Unix seconds."""

    at: float
    client: LoggedClient
    sender: str
    recipient: str
    ending: Ending


@dataclass(slots=True)
class _Message:
    """What is known of a message so far."""

    at: float
    client: LoggedClient | None = None
    sender: str | None = None
    recipients: set[str] = field(default_factory=set)
    held: list[Refused] = field(default_factory=list)  # until its sender is known
    ending: Ending = Ending.TAKEN
    is_forwarded: bool = False  # by a filter: who handed it the mail tells what became of it
    is_told: bool = False  # it was in the queue before


@dataclass(slots=True)
class Unread:
    """What the log has, and no envelope came of, for want of something that it does not say."""

    without_client: int = (
        0  # mail of the machine itself, or of a filter on it, or begun before the log
    )
    before_recipient: int = 0  # refused before one was named: nobody is asked there
    without_sender: int = 0
    without_recipient: int = 0

    def counts(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


class EnvelopeReader:
    """Joins the events of a log, in their order. One serves a whole log."""

    def __init__(self) -> None:
        self.unread = Unread()
        self._clients: dict[str, LoggedClient] = {}  # by session, the oldest first
        self._messages: dict[str, _Message] = {}  # the oldest first
        self._named = 0  # recipients of these

    def take(self, event: LogEvent) -> Iterator[Envelope]:
        """Yield the envelopes that `event` completes."""
        match event:
            case Connected():
                self._connect(event)
            case Disconnected():
                self._clients.pop(event.session, None)
            case Refused():
                yield from self._refused(event)
            case Abandoned():
                yield from self._abandoned(event)
            case Begun():
                self._begin(event)
            case Arrived():
                yield from self._arrived(event)
            case Delivered():
                yield from self._delivered(event)
            case _:
                self._finish(event)

    def close(self) -> None:
        """The log is over: count the messages that have named no recipient."""
        for name in list(self._messages):
            self._drop(name)

    def _connect(self, event: Connected) -> None:
        if not event.session:
            return
        if len(self._clients) >= MAX_SESSIONS:
            del self._clients[next(iter(self._clients))]
        self._clients[event.session] = event.client

    def _begin(self, event: Begun) -> None:
        if not event.message:  # a filter will bring it
            return
        if event.message in self._messages:  # one that ended unsaid: its id has come again
            self._drop(event.message)
        message = self._message(event)
        message.client = event.origin or event.client
        is_filter = event.client.ip in _NO_CLIENTS
        was_here = event.origin_message in self._messages
        message.is_told = was_here or (is_filter and event.origin_message != "")
        message.is_forwarded = message.is_told or (is_filter and event.origin is not None)

    def _client(
        self, event: Refused | Arrived, message: _Message | None = None
    ) -> LoggedClient | None:
        """Who it was, as this line says, or the first one of its session, or of its message."""
        session = self._clients.get(event.session)
        told = (event.client, session, message.client if message else None)
        return next((one for one in told if one and one.ip not in _NO_CLIENTS), None)

    def _refused(self, event: Refused) -> Iterator[Envelope]:
        message = self._messages.get(event.message)
        if event.stage is None and (event.message or event.sender is not None):
            yield from self._refused_whole(event, message)
        elif message and message.is_told:
            return
        elif not event.recipient:
            self.unread.before_recipient += 1
        elif event.sender is None and event.message:
            self._hold(event)
        else:
            client = self._client(event, message)
            yield from self._tell(event.at, client, event.sender, event.recipient, _ending(event))

    def _refused_whole(self, event: Refused, message: _Message | None) -> Iterator[Envelope]:
        """The message was refused, for all of its recipients: mostly one of them is named."""
        if event.sender is None:
            # Sendmail: other lines have its sender and recipients, before or after this one.
            if message:
                message.ending = _ending(event)
            return
        if message:
            self._forget(event.message)
        if message and message.is_forwarded:
            return
        if not event.recipient:
            self.unread.without_recipient += 1
            return
        client = self._client(event, message)
        yield from self._tell(event.at, client, event.sender, event.recipient, _ending(event))

    def _tell(
        self,
        at: float,
        client: LoggedClient | None,
        sender: str | None,
        recipient: str,
        ending: Ending,
    ) -> Iterator[Envelope]:
        """Yield an envelope, or count what it lacks."""
        if sender is None:
            self.unread.without_sender += 1
        elif client is None or client.ip in _NO_CLIENTS:
            self.unread.without_client += 1
        else:
            yield Envelope(at, client, sender, recipient, ending)

    def _hold(self, event: Refused) -> None:
        """Sendmail names the sender of a message in a line after those of what it refused of it."""
        held = self._message(event).held
        if len(held) < MAX_HELD:
            held.append(event)

    def _let_go(self, message: _Message) -> Iterator[Envelope]:
        """The sender of a message is known: so is that of what was refused of it."""
        held, message.held = message.held, []
        for event in held:
            yield from self._refused(event.but(sender=message.sender))

    def _abandoned(self, event: Abandoned) -> Iterator[Envelope]:
        if event.sender is None:
            # Where the line has a message, another one names its sender.
            self.unread.without_sender += not event.message
            return
        if event.message in self._messages:
            message = self._messages[event.message]
            message.sender, message.client = event.sender, event.client
            yield from self._let_go(message)
            self._forget(event.message)
        self.unread.without_recipient += bool(event.accepted and not event.recipients)
        for recipient in dict.fromkeys(event.recipients[:MAX_RECIPIENTS]):
            yield from self._tell(event.at, event.client, event.sender, recipient, Ending.TOO_LATE)

    def _arrived(self, event: Arrived) -> Iterator[Envelope]:
        if event.sender is None and event.client is None:
            return  # of an id, nothing that another line does not say
        message = self._message(event)
        message.client = self._client(event) or message.client
        if event.authenticated and message.client and not message.client.login:
            message.client = message.client.but(login="yes")
        if event.sender is not None:
            message.sender = event.sender
            yield from self._let_go(message)
        for recipient in event.recipients:
            yield from self._taken(message, recipient)

    def _delivered(self, event: Delivered) -> Iterator[Envelope]:
        message = self._messages.get(event.message)
        if message is None:
            self.unread.without_client += 1
            return
        if message.sender is None:
            message.sender = event.sender
        yield from self._taken(message, event.original or event.recipient)

    def _taken(self, message: _Message, recipient: str) -> Iterator[Envelope]:
        if message.sender is None or message.is_told or not recipient:
            return
        if self._name(message, recipient):
            yield from self._tell(
                message.at, message.client, message.sender, recipient, message.ending
            )

    def _message(self, event: Begun | Arrived | Refused) -> _Message:
        message = self._messages.get(event.message)
        if message is None:
            if len(self._messages) >= MAX_MESSAGES or self._named >= MAX_NAMED:
                self._drop(next(iter(self._messages)))
            message = self._messages[event.message] = _Message(event.at)
        return message

    def _name(self, message: _Message, recipient: str) -> bool:
        """Note a recipient; False if it was noted before, in any case, or there are too many."""
        named, recipient = message.recipients, recipient.lower()
        if recipient in named or len(named) >= MAX_RECIPIENTS:
            return False
        named.add(recipient)
        self._named += 1
        return True

    def _finish(self, event: Finished) -> None:
        if event.message in self._messages:
            self._drop(event.message)

    def _forget(self, name: str) -> _Message:
        message = self._messages.pop(name)
        self._named -= len(message.recipients)
        return message

    def _drop(self, name: str) -> None:
        """Forget a message, and count what the log has not said of it."""
        message = self._forget(name)
        if message.is_told:
            return
        if message.sender is None:
            self.unread.without_sender += 1
        elif not message.recipients:
            self.unread.without_recipient += 1


def _ending(event: Refused) -> Ending:
    # Where a log has words only, they begin with the enhanced code, if there is one.
    if 400 <= event.code < 500 or (not event.code and event.text.startswith("4.")):
        return Ending.PUT_OFF
    return Ending.REFUSED if event.stage in _BEFORE_ASKING else Ending.TOO_LATE
