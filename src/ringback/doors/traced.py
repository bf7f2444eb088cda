"""Callers as text and as JSON, and what one can do about them. Not here: finding them (rules/callers.py)."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ..rules.callbacks import Callback, Ground, Maker
from ..rules.callers import Caller, CallersSeen, Others
from ..values.record import Record
from ..values.text import printable
from .instants import utc, utc_or_none
from .words import counted

_ACCEPTED = "accepted"
# What a person reads of each list, and of all callers; JSON has all that is kept.
SHOWN, SHOWN_CALLERS = 4, 20

GROUNDS: Mapping[Ground, str] = MappingProxyType(
    {
        Ground.ASKED_AND_LEFT: "asked as bounces do, for a recipient that was accepted, and sent nothing",
        Ground.SENDER_UNSURE: (
            "asked for a recipient that was accepted, and left; from a sender that is not in the log, "
            "or may have mail"
        ),
        Ground.CONTROL: "asked for an address that Exim makes up to try a host",
        Ground.REFUSED: "asked as bounces do, for a mailbox that is not there; a bounce may have, too",
        Ground.LOST: "asked for a recipient that was accepted, and were cut off; a bounce may be, too",
    }
)
MAKERS: Mapping[Maker, str] = MappingProxyType(
    {
        Maker.EXIM: "Exim (verify = sender/callout=random)",
        Maker.POSTFIX: "Postfix (reject_unverified_sender)",
        Maker.RINGBACK: "Ringback, perhaps (the address made up to try a host is like one of its)",
        Maker.UNKNOWN: "",
    }
)


_WHAT_TO_DO = (
    "What you can do: write to their postmaster (--notice CALLER writes the mail); publish SPF and DMARC,",
    "so that fewer senders of yours are forged; and where you want no callouts, publish",
    'TXT "v=CALLOUT1; p=none" at _callout.YOUR.DOMAIN, which Ringback heeds (docs/called.md).',
)


class LogSeen(Record, frozen=True):
    """What was read: its lines, how many told something, when the first and last of these were."""

    lines: int
    told: int
    first_at: float | None
    last_at: float | None
    dropped_sessions: int = 0
    since_at: float = 0.0  # what is older was passed over
    unread: int = 0  # lines whose form is not known


def encode_caller(caller: Caller) -> dict[str, object]:
    """A caller for a program."""
    return {
        "caller": caller.name,
        "callbacks": caller.sessions,
        "certain": caller.certain,
        "likely": caller.sessions - caller.certain,
        "grounds": dict(caller.grounds),
        "first_at": utc(caller.first_at),
        "last_at": utc(caller.last_at),
        "busiest_hour": {"at": utc(caller.peak_at), "callbacks": caller.peak},
        "recipients_accepted": caller.accepted,
        "recipients_named": caller.recipients,
        "recipients_missing": caller.missing,
        "recipients_at_least": caller.at_least,
        "bounces": caller.bounces,
        "software": [maker for maker in caller.makers if maker is not Maker.UNKNOWN],
        "ips": list(caller.ips),
        "hosts": list(caller.hosts),
        "helos": list(caller.helos),
        "senders": list(caller.senders),
        "examples": [_encode_callback(callback) for callback in caller.examples],
    }


def _encode_callback(callback: Callback) -> dict[str, object]:
    client = callback.client
    return {
        "at": utc(callback.at),
        "ip": client.ip,
        "host": client.name or None,
        "helo": client.helo or None,
        "sure": callback.ground.sureness,
        "ground": callback.ground,
        "sender": callback.sender,
        "asked": [
            {"recipient": one.recipient, "refused": one.code or None, "missing": one.missing}
            for one in callback.asked
        ],
        "accepted_unnamed": callback.unnamed,
    }


def encode_rest(seen: CallersSeen, log: LogSeen) -> dict[str, object]:
    """What there is beside the callers, for a program."""
    return {
        "lines": log.lines,
        "lines_told": log.told,
        "lines_unread": log.unread,
        "first_at": utc_or_none(log.first_at),
        "last_at": utc_or_none(log.last_at),
        "callers": len(seen.callers),
        "callbacks": sum(caller.sessions for caller in seen.callers),
        "set_aside_as_bounces": _encode_others(Others().plus(seen.bouncing)),
        "not_kept": _encode_others(seen.dropped),
        "sessions_given_up": log.dropped_sessions,
    }


def _encode_others(others: Others) -> dict[str, int]:
    return {"callers": others.callers, "sessions": others.sessions}


def tell_seen(seen: CallersSeen, log: LogSeen) -> Iterator[str]:
    """What was found, for a person, line by line."""
    sessions = sum(caller.sessions for caller in seen.callers)
    certain = sum(caller.certain for caller in seen.callers)
    if log.first_at is None or log.last_at is None:
        yield f"{counted(log.lines, 'line')}, none of them about mail{_since(log)}."
        yield from _tell_unread(log)
        return
    yield (
        f"{counted(log.lines, 'line')}, {log.told:,} of them about mail, "
        f"{_from_to(log.first_at, log.last_at)}"
    )
    yield from _tell_unread(log)
    yield (
        f"{counted(sessions, 'callback')} by {counted(len(seen.callers), 'caller')}; "
        f"{certain:,} for sure, {sessions - certain:,} likely"
    )
    for caller in seen.callers[:SHOWN_CALLERS]:
        yield ""
        yield from tell_caller(caller)
    if more := seen.callers[SHOWN_CALLERS:]:
        yield ""
        theirs = sum(caller.sessions for caller in more)
        yield (
            f"And {counted(len(more), 'caller')} with {counted(theirs, 'callback')}: "
            "--caller CALLER shows one, --json all."
        )
    yield from _tell_others(seen, log)
    if seen.callers:
        yield ""
        yield from _WHAT_TO_DO


def _since(log: LogSeen) -> str:
    return f" since {utc(log.since_at)}" if log.since_at else ""


def _tell_unread(log: LogSeen) -> Iterator[str]:
    if log.unread:
        yield f"Not read: {counted(log.unread, 'line')} of a form that is not known here."


def _tell_others(seen: CallersSeen, log: LogSeen) -> Iterator[str]:
    bouncing, dropped = Others().plus(seen.bouncing), seen.dropped
    if bouncing.sessions:
        yield ""
        yield (
            f"Set aside: {counted(bouncing.sessions, 'session')} of {counted(bouncing.callers, 'site')} that "
            "bring bounces, too: most likely these were bounces to senders that were forged."
        )
    if dropped.sessions:
        yield ""
        yield (
            f"Not shown: {counted(dropped.sessions, 'callback')} of at most {dropped.callers:,} "
            "callers with few each; there were too many to keep."
        )
    if log.dropped_sessions:
        yield ""
        yield f"Not seen to their end: {counted(log.dropped_sessions, 'session')}, too many at a time."


def tell_caller(caller: Caller) -> Iterator[str]:
    """A caller for a person, line by line."""
    yield f"{printable(caller.name)}  {counted(caller.sessions, 'callback')}, {_how_sure(caller)}"
    yield f"  when        {_from_to(caller.first_at, caller.last_at)}"
    yield f"  at most     {caller.peak:,} in an hour, from {utc(caller.peak_at)}"
    for ground, count in sorted(caller.grounds.items(), key=lambda item: -item[1]):
        yield f"  shown by    {count:,} that {GROUNDS[ground]}"
    yield f"  asked for   {_asked_for(caller)}"
    if caller.senders:
        yield f"  sender      {_some(f'<{sender}>' for sender in caller.senders)}"
    yield f"  from        {_some(caller.ips)}"
    if names := tuple(dict.fromkeys((*caller.hosts, *caller.helos))):
        yield f"  called      {_some(names)}"
    if software := "; ".join(filter(None, (MAKERS[maker] for maker in caller.makers))):
        yield f"  software    {software}"
    for callback in caller.examples[:SHOWN]:
        yield f"  {tell_callback(callback)}"


def tell_callback(callback: Callback) -> str:
    """One callback, in a line."""
    steps = [f"{command} {answer}".rstrip() for command, answer in steps_of(callback)]
    return f"{utc(callback.at)}  {printable(callback.client.ip)}  {', '.join(steps)}"


def steps_of(callback: Callback) -> Iterator[tuple[str, str]]:
    """The commands of a callback, and how each was answered, "" where that goes without saying."""
    sender = callback.sender
    yield "MAIL" if sender is None else f"MAIL FROM:<{_within_brackets(sender)}>", ""
    for one in callback.asked:
        yield f"RCPT TO:<{_within_brackets(one.recipient)}>", str(one.code or _ACCEPTED)
    if callback.unnamed:
        yield counted(callback.unnamed, "RCPT"), _ACCEPTED


def _within_brackets(address: str) -> str:
    """An address, which cannot pretend to end its brackets: a quoted local part may hold others."""
    return printable(address).replace("<", "\\x3c").replace(">", "\\x3e")


def _how_sure(caller: Caller) -> str:
    certain = caller.certain
    if certain == caller.sessions:
        return "all for sure"
    return f"{certain:,} for sure, the others likely" if certain else "likely, none for sure"


def _asked_for(caller: Caller) -> str:
    parts = []
    if caller.recipients:
        more = "at least " if caller.at_least else ""
        parts.append(
            f"{more}{counted(caller.recipients, 'recipient')} by name, without a mailbox: {caller.missing:,}"
        )
    if caller.accepted:
        parts.append(f"{caller.accepted:,} RCPT accepted")
    return "; ".join(parts) or "nobody whom the log names"


def _some(texts: Iterable[str]) -> str:
    listed = [printable(text) for text in texts]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more


def _from_to(first_at: float, last_at: float) -> str:
    return f"{utc(first_at)} to {utc(last_at)}"
