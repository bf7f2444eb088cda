"""What a session that a log told of was: a callback, and how sure that is, or none. Pure.

A callback asks for a recipient as a bounce would, and leaves: a null or a verifier's sender, RCPT, no
message. Whatever brings a message is none, nor are sessions that ask for nobody (scanners), for very many
(harvesters), or with a sender of their own (mail to an address that does not exist). A refusal answers one
only where it speaks of the mailbox: others may be of the client, of relaying or of the moment. Not here:
following sessions through a log (rules/spotting.py), and who makes callbacks (rules/callers.py).
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from ..values.record import Record
from ..wire.maillog import LoggedClient
from .plan import resembles_control

# An address, a control and postmaster make three, and Ringback asks for more in one session; who asks for
# more than these collects addresses.
MAX_ASKED = 20
# What is kept of names and addresses: a path (RFC 5321 section 4.5.3.1.3).
MAX_KEPT_CHARS = 256

# Exim's callout with "random": host name, time in Unix seconds, and a word.
_EXIM_CONTROL = re.compile(r"[a-z0-9._-]{1,255}-[0-9]{9,11}-testing", re.IGNORECASE)
# The default of Postfix's address_verify_sender, and what its notices to the postmaster come from.
_PROBE_SENDER = "double-bounce"
# From these, who has a message sends it.
_SENDERS_OF_CALLBACKS = frozenset({"", _PROBE_SENDER})
# Exim's documented alternative to the null sender, and what verifiers call themselves. Some bring mail.
_VERIFIERS = re.compile(
    r"postmaster|mailer-daemon|"
    r"(?:.*[^a-z])?(?:verif(?:y|ier|ication)|call(?:out|back)|sav|probe)(?:[^a-z].*)?",
    re.IGNORECASE,
)


class Sureness(StrEnum):
    """How sure it is that a session was a callback."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Ground(StrEnum):
    """What shows it."""

    # A recipient was accepted, and it took its leave without a message:
    ASKED_AND_LEFT = "asked_and_left"  # from the null sender, or that of Postfix's probes
    SENDER_UNSURE = "sender_unsure"  # from one who may send mail, or whom the log does not name
    CONTROL = "control"  # it asked for the address that Exim makes up to try a host
    REFUSED = "refused"  # there is no such mailbox: a bounce to a forged sender looks just so
    LOST = "lost"  # accepted, and the connection was lost: a bounce may have had bad luck

    @property
    def sureness(self) -> Sureness:
        return Sureness.CERTAIN if self in _CERTAIN else Sureness.LIKELY

    @property
    def may_be_bounce(self) -> bool:
        """Would a bounce have looked the same?"""
        return self in (Ground.REFUSED, Ground.LOST)


_CERTAIN = frozenset({Ground.ASKED_AND_LEFT, Ground.CONTROL})


class Maker(StrEnum):
    """The software that its manner tells of."""

    EXIM = "exim"
    POSTFIX = "postfix"
    RINGBACK = "ringback"
    UNKNOWN = "unknown"


class Asked(Record, frozen=True):
    """A recipient that was named, and what was answered: a code, 0 for an acceptance."""

    recipient: str
    code: int = 0
    missing: bool = False  # there is no such mailbox, by the words of a 5xx

    @property
    def is_exim_control(self) -> bool:
        return _EXIM_CONTROL.fullmatch(_local_part(self.recipient)) is not None

    @property
    def is_control(self) -> bool:
        """Was it made up to try the host, as far as one can tell?"""
        return self.is_exim_control or (
            self.code != 0 and resembles_control(_local_part(self.recipient))
        )


class Callback(Record, frozen=True):
    """A session that asked and brought nothing.

    `sender` is None where the log does not say, as Postfix's does not with accepted recipients; of these it
    names none, and `unnamed` counts them.
    """

    at: float
    client: LoggedClient
    ground: Ground
    maker: Maker
    sender: str | None
    asked: tuple[Asked, ...] = ()
    unnamed: int = 0


@dataclass(slots=True)
class SessionSeen:
    """What a log has told of one session up to now; each part is bounded."""

    began_at: float
    client: LoggedClient
    senders: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)
    unnamed: int = 0
    brought: bool = False  # a message; or a login, which callers do not have
    mixed: bool = False  # with that of another client, so that nothing is known of either
    tidy: bool = True  # nothing says that its connection was lost

    def learn(self, client: LoggedClient) -> None:
        """Add what a line says of the client to what others said."""
        ours = self.client
        name, helo = ours.name or client.name, client.helo or ours.helo
        ip = ours.ip or client.ip
        self.client = LoggedClient(ip, name[:MAX_KEPT_CHARS], helo[:MAX_KEPT_CHARS])
        self.brought |= bool(client.login)
        self.mixed |= client.ip not in ("", ip)

    def come_from(self, sender: str | None) -> None:
        """Note a MAIL, None where the line does not say which."""
        if sender is not None and len(self.senders) <= MAX_ASKED:
            self.senders.add(sender[:MAX_KEPT_CHARS])

    def ask(self, recipient: str, code: int = 0, *, missing: bool = False) -> None:
        """Note a RCPT, and what was answered."""
        if len(self.asked) <= MAX_ASKED:
            self.asked.append(Asked(recipient[:MAX_KEPT_CHARS], code, missing))


def judge(session: SessionSeen) -> Callback | None:
    """Say of a session that is over whether it was a callback."""
    asked = len(session.asked) + session.unnamed
    if session.brought or session.mixed or not session.client.ip or not 0 < asked <= MAX_ASKED:
        return None
    senders = {_local_part(sender).lower() for sender in session.senders}
    ground = _ground_of(session, senders)
    if ground is None:
        return None
    return Callback(
        session.began_at,
        session.client,
        ground,
        _maker_of(session, senders),
        min(session.senders, default=None),
        tuple(session.asked),
        session.unnamed,
    )


def _ground_of(session: SessionSeen, senders: set[str]) -> Ground | None:
    if any(one.is_exim_control for one in session.asked):
        return Ground.CONTROL
    if not all(map(_only_asks, senders)):
        return None
    accepted = session.unnamed or not all(one.code for one in session.asked)
    if accepted and session.tidy:
        is_sure = senders and senders <= _SENDERS_OF_CALLBACKS
        return Ground.ASKED_AND_LEFT if is_sure else Ground.SENDER_UNSURE
    if not senders:
        return None  # whose address it was is not told: mail, most likely
    if accepted:
        return Ground.LOST
    return Ground.REFUSED if any(one.missing for one in session.asked) else None


def seems_to_ask(sender: str) -> bool:
    """Is it a sender of callbacks, as far as its name tells?"""
    return _only_asks(_local_part(sender).lower())


def _only_asks(local: str) -> bool:
    return local in _SENDERS_OF_CALLBACKS or _VERIFIERS.fullmatch(local) is not None


def _maker_of(session: SessionSeen, senders: set[str]) -> Maker:
    if any(one.is_exim_control for one in session.asked):
        return Maker.EXIM
    if _PROBE_SENDER in senders:
        return Maker.POSTFIX
    return Maker.RINGBACK if any(one.is_control for one in session.asked) else Maker.UNKNOWN


def _local_part(address: str) -> str:
    return address.rpartition("@")[0] if "@" in address else address
