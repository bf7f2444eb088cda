"""What lines of mail logs tell, whoever wrote them. Not here: reading lines, and what follows from them.

Text is as the log has it, bounded by the line it stood in: `printable` before anybody sees it. What a
line does not say is "" or None; a later line of the same session or message may. Instants are Unix seconds.
"""

from collections.abc import Mapping
from enum import StrEnum

from ...values.evidence import Stage
from ...values.record import Record


class Software(StrEnum):
    """Whose log it is."""

    POSTFIX = "postfix"
    EXIM = "exim"
    SENDMAIL = "sendmail"
    OPENSMTPD = "opensmtpd"


class Fate(StrEnum):
    """What became of a recipient of a message that was taken."""

    SENT = "sent"
    DEFERRED = "deferred"  # it will be tried again
    BOUNCED = "bounced"  # given up; the sender is told


class LoggedClient(Record, frozen=True):
    """Who connected. An empty `ip` is mail of the machine itself, such as its bounces."""

    ip: str
    name: str = ""  # the confirmed reverse name, in lower case; "" where the log says there is none
    helo: str = ""  # what it called itself, as the log writes it
    login: str = ""  # who it had proved to be, where the line says that it had


class LoggedLine(Record, frozen=True, kw_only=True):
    """What every event has.

    `session` ties the lines of one session of one software, until it ends: host and process, or host and
    number for OpenSMTPD. It is "" where the log does not say: without processes, and of Exim without +pid
    and +incoming_port.
    `message` ties those of one message: a queue id, with its host where the log is the system's, used again
    after a while; "" before there is one.
    """

    at: float
    software: Software
    session: str = ""
    message: str = ""


class Connected(LoggedLine, frozen=True, kw_only=True):
    """A session began."""

    client: LoggedClient


class Refused(LoggedLine, frozen=True, kw_only=True):
    """A step was answered 4xx or 5xx; the session goes on, unless `Disconnected` follows.

    `sender` is None where no MAIL was given or the log does not say; "" is the null sender. `code` is 450 or
    550 where only words are logged: by Exim always. An empty `client.ip` is that of the session or message.
    """

    client: LoggedClient
    stage: Stage | None  # None: the message, or a command that is none of these
    code: int
    text: str  # without the code; an enhanced one first, where there is one
    sender: str | None = None
    recipient: str = ""


class Begun(LoggedLine, frozen=True, kw_only=True):
    """A recipient was accepted, and nothing yet of the message: Postfix's "QUEUEID: client=…".

    Of what a content filter brings, `origin` is who had brought it to the filter, and `origin_message` what
    it was before, if it was in the queue then; both where the filter says so (XFORWARD).
    """

    client: LoggedClient
    origin: LoggedClient | None = None
    origin_message: str = ""


class Abandoned(LoggedLine, frozen=True, kw_only=True):
    """MAIL, and perhaps RCPT, were accepted, and no message followed, by the log's own word.

    Exim's "incomplete transaction" (log_selector +smtp_incomplete_transaction), Sendmail's "from=" of an
    envelope without a size, and "lost input channel" before it. `accepted` is how many recipients, where it
    says only that.
    """

    client: LoggedClient
    sender: str | None
    recipients: tuple[str, ...] = ()
    accepted: int = 0
    tidy: bool | None = None  # False: the connection was lost over it
    offered: bool = False  # a message was: DATA had been said


class Arrived(LoggedLine, frozen=True, kw_only=True):
    """A message was taken, or made by the machine itself.

    Told by Postfix in two lines or more (cleanup's "message-id=", qmgr's "from=", again at each attempt), by
    OpenSMTPD in one a recipient: each is an Arrived, with what it has. `client` is None where `message` or
    `session` tells.
    """

    client: LoggedClient | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()  # where the line names them
    accepted: int = 0  # how many there are, where it says so
    size_bytes: int = 0
    authenticated: bool = False


class Delivered(LoggedLine, frozen=True, kw_only=True):
    """A recipient of a message was served, put off or given up."""

    recipient: str
    fate: Fate
    original: str = ""  # as it was in RCPT, where rewriting made another of it
    sender: str | None = None  # where the line has it: Exim's +sender_on_delivery
    relay: str = ""
    text: str = ""  # what the next host said, or why there was none


class Finished(LoggedLine, frozen=True, kw_only=True):
    """Nothing of the message is left in the queue; its id may come again."""


class Disconnected(LoggedLine, frozen=True, kw_only=True):
    """A session ended.

    `commands` is by verb in lower case: how many were accepted, and how many given; empty where the log does
    not count. `tidy` is False for a connection that was lost or cut, None where the line does not say.
    """

    client: LoggedClient
    commands: Mapping[str, tuple[int, int]] = {}
    tidy: bool | None = None


LogEvent = Connected | Refused | Begun | Abandoned | Arrived | Delivered | Finished | Disconnected
