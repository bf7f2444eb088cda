"""What `ringback replay` does: logs in, their mail put to the engine in virtual time, an account out.

Not here: its options (replay.py), the replay (lab/replay.py), the account (replay_account.py).
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import tzinfo
from ipaddress import ip_address
from itertools import chain, islice

import click

from ...assemble import glimpse_store, organisations, phrasebook
from ...engine.ports import Resolver
from ...errors import UsageError
from ...lab.assumed import Mailboxes, Remembered, Shown, Standing, nothing_remembered
from ...lab.kept_dns import KeptDns, MadeUpDns
from ...lab.lane import ALWAYS, COURSES, Surroundings
from ...lab.outward import Outward
from ...lab.replay import Replay
from ...lab.scout import Scout
from ...lab.sim import SimClock
from ...net.clock import SystemClock
from ...net.identity import own_addresses
from ...net.resolver import DnsResolver
from ...rules.classify import classify
from ...rules.envelopes import Envelope, EnvelopeReader, Unread
from ...rules.freshness import Freshness, ages_of, judge
from ...rules.networks import forbidden, parse_networks
from ...values.evidence import Meaning
from ...values.record import Record
from ...values.settings import Mode, Settings
from ...values.verdict import Verdict
from ...wire.maillog import Delivered, Fate, LogEvent
from ..judging import Judge
from ..log_files import LogFiles
from ..replies import find_reply
from .replay_account import Account
from .replay_shown import unread_in_words
from .stored import require_store

# Mail whose DNS is asked for ahead, together.
BATCH = 500
_PROGRESS_CHARS = 40
# Who has not said yet who he would be, as one who has.
_SOMEBODY = {"helo_name": "verify.invalid", "contact": "postmaster@invalid"}

_STANDING_OF = {
    Verdict.DELIVERABLE: Standing.EXISTS,
    Verdict.UNDELIVERABLE: Standing.MISSING,
    Verdict.UNKNOWN: None,
}


_NOT_KNOWN = frozenset({Freshness.EXPIRED, Freshness.DOUBTFUL})


class _Mail(Record, frozen=True):
    """An envelope, and the stamp of the line that completed it. Unix seconds."""

    envelope: Envelope
    logged_at: float


# Or a mailbox, and what was shown of it on the way.
_Note = _Mail | tuple[str, Shown]


class Wish(Record, frozen=True):
    """What the user asked for, beside the logs."""

    assume: str  # a Standing
    asks_dns: bool = True
    asks_refused: bool = False
    looks_into_store: bool = False


def run(
    settings: Settings,
    wish: Wish,
    logs: Sequence[str],
    *,
    since_s: float | None = None,
    zone: tzinfo | None = None,
) -> Account:
    """Replay what logs tell, that of the last `since_s` seconds only. Raises RingbackError, OSError."""
    now = SystemClock().now()
    since_at = now - since_s if since_s is not None else 0.0
    events = LogFiles(logs, now, zone).events()
    return replay(settings, wish, (event for event in events if event.at >= since_at))


def replay(settings: Settings, wish: Wish, events: Iterable[LogEvent]) -> Account:
    """Replay what a log tells. Raises RingbackError, and UsageError where it has no mail."""
    with Outward() as outward, ExitStack() as stack:
        kept = _ask_dns(settings, outward, stack) if wish.asks_dns else None
        remembered = _remembered(settings, stack) if wish.looks_into_store else nothing_remembered
        dns = kept or MadeUpDns()
        mailboxes = Mailboxes(Standing(wish.assume), remembered, dns)
        log = _Log(events)
        clock = SimClock(outward.loop, log.first_at(mailboxes))
        around = _surroundings(settings, clock, mailboxes, dns, made_up=not kept)
        # Without a DNS nobody stands behind his clients, and the other courses would tell of nothing else.
        course = Replay(around, COURSES if kept else (ALWAYS,), asks_refused=wish.asks_refused)
        scout = Scout(settings, kept, clock, around.organisation) if kept else None
        while batch := list(islice(log.notes, BATCH)):
            if scout:
                ahead = [note.envelope for note in batch if isinstance(note, _Mail)]
                outward.outside(scout.look_ahead(ahead))
            outward.run(_take(course, mailboxes, batch))
            _show_progress(f"ringback: {sum(course.envelopes.values()):,} attempts")
        outward.run(course.close())
        _show_progress("")
        return Account.of(around.settings, course, log.unread, kept, Standing(wish.assume))


def _ask_dns(settings: Settings, outward: Outward, stack: ExitStack) -> KeptDns:
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    stack.callback(lambda: outward.outside(resolver.close()))
    return KeptDns(outward, resolver)


async def _take(replay: Replay, mailboxes: Mailboxes, batch: Iterable[_Note]) -> None:
    for note in batch:
        if isinstance(note, _Mail):
            await replay.meet(note.envelope, note.logged_at)
        else:
            mailboxes.note(*note)


def _show_progress(words: str) -> None:
    """Say how far it is, where somebody looks, in place of what was said before."""
    if sys.stderr.isatty():
        click.echo(f"\r{words:<{_PROGRESS_CHARS}}\r", nl=False, err=True)


class _Log:
    """What a log has for a replay, in its order. `unread` counts what it leaves out, up to there."""

    def __init__(self, events: Iterable[LogEvent]) -> None:
        self._reader = EnvelopeReader()
        self._events = 0
        self.notes = self._read(events)

    @property
    def unread(self) -> Unread:
        return self._reader.unread

    def first_at(self, mailboxes: Mailboxes) -> float:
        """When the first mail came; what stands before it is noted. Raises UsageError where there is none."""
        for note in self.notes:
            if isinstance(note, _Mail):
                self.notes = chain([note], self.notes)
                return note.envelope.at
            mailboxes.note(*note)
        raise UsageError(f"no mail was found in the log; {self._why_none()}")

    def _read(self, events: Iterable[LogEvent]) -> Iterator[_Note]:
        for event in events:
            self._events += 1
            if isinstance(event, Delivered) and (shown := _shown_by(event)):
                yield event.recipient, shown
            for envelope in self._reader.take(event):
                yield _Mail(envelope, event.at)
        self._reader.close()

    def _why_none(self) -> str:
        if not self._events:
            return "name the log of Postfix, Exim, Sendmail or OpenSMTPD"
        counts = "; ".join(
            " ".join(words.split()) for words in unread_in_words(self.unread.counts())
        )
        return f"{counts or 'its lines name no message'}; see docs/howto/replay.md, What the log has to have"


def _shown_by(event: Delivered) -> Shown | None:
    """What the next host has said of the recipient's mailbox, if it has."""
    try:
        said = find_reply(event.text) if event.relay else None
    except UsageError:  # cut off, or no reply after all
        return None
    if said is None:
        return None
    if event.fate is Fate.SENT:
        is_taken = said.reply.code < 300
        return Shown(Standing.EXISTS, event.at, event.relay) if is_taken else None
    reading = classify(said.stage, said.reply, phrasebook(), null_sender=False)
    is_missing = reading.meaning is Meaning.UNKNOWN_USER and not reading.weak
    return Shown(Standing.MISSING, event.at) if is_missing and said.reply.code >= 500 else None


def _surroundings(
    settings: Settings, clock: SimClock, mailboxes: Mailboxes, dns: Resolver, *, made_up: bool
) -> Surroundings:
    allowed = parse_networks(settings.smtp.allowed_networks)
    own = frozenset(map(ip_address, own_addresses(settings)))
    return Surroundings(
        settings=as_if_switched_on(settings),
        resolver=dns,
        clock=clock,
        mailboxes=mailboxes,
        organisation=organisations(),
        book=phrasebook(),
        forbidden=(lambda _: None) if made_up else (lambda ip: forbidden(ip, allowed, own)),
        make_judge=Judge,
    )


def as_if_switched_on(settings: Settings) -> Settings:
    """The settings, enforced, and with an identity where there is none yet."""
    given = {key: getattr(settings.identity, key) or name for key, name in _SOMEBODY.items()}
    return settings.but(
        identity=settings.identity.but(**given), policy=settings.policy.but(mode=Mode.ENFORCE)
    )


def _remembered(settings: Settings, stack: ExitStack) -> Remembered:
    """What the store knows, as of now: what it would not answer with any more, it does not know."""
    require_store(settings)
    store, now = stack.enter_context(closing(glimpse_store(settings))), SystemClock().now()
    ages = ages_of(settings.cache)

    def shown(address: str) -> Shown | None:
        entry = store.load(address)
        if entry is None or judge(entry, now, ages) in _NOT_KNOWN:
            return None
        standing = _STANDING_OF[entry.verdict]
        return Shown(standing, entry.checked_at) if standing else None

    return shown
