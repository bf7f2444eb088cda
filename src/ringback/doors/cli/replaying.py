"""What `ringback replay` does: logs in, their mail put to the engine in virtual time, an account out.

Not here: its options (replay.py), the replay (lab/replay.py), the account (replay_account.py).
"""

import sys
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from datetime import tzinfo
from ipaddress import ip_address
from itertools import chain, islice

import click

from ...assemble import open_store, organisations, phrasebook
from ...engine.ports import Resolver, Store
from ...errors import UsageError
from ...lab.assumed import Mailboxes, Remembered, Standing, nothing_remembered
from ...lab.kept_dns import KeptDns, MadeUpDns
from ...lab.lane import Surroundings
from ...lab.outward import Outward
from ...lab.replay import Replay
from ...lab.scout import Scout
from ...lab.sim import SimClock
from ...net.clock import SystemClock
from ...net.identity import own_addresses
from ...net.resolver import DnsResolver
from ...rules.classify import classify
from ...rules.envelopes import Envelope, EnvelopeReader
from ...rules.freshness import Entry
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
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    with Outward() as outward:
        try:
            return _replay(settings, wish, events, outward, resolver)
        finally:
            outward.outside(resolver.close())


def _replay(
    settings: Settings,
    wish: Wish,
    events: Iterable[LogEvent],
    outward: Outward,
    resolver: Resolver,
) -> Account:
    store = _open_store(settings, outward) if wish.looks_into_store else None
    try:
        remembered = _remembered(store, outward) if store else nothing_remembered
        mailboxes = Mailboxes(Standing(wish.assume), remembered)
        log = _Log(events, mailboxes)
        first = next(log.envelopes, None)
        if first is None:
            raise UsageError(f"no mail was found in the log; {_why_none(log)}")
        clock = SimClock(outward.loop, first.at)
        kept = KeptDns(outward, resolver) if wish.asks_dns else None
        around = _surroundings(settings, clock, mailboxes, kept or MadeUpDns(), made_up=not kept)
        scout = Scout(settings, kept.outer, clock, around.organisation) if kept else None
        course = Replay(around, asks_refused=wish.asks_refused)
        outward.run(_run(course, chain([first], log.envelopes), scout, outward))
        return Account.of(around.settings, course, log.reader.unread, kept, Standing(wish.assume))
    finally:
        if store:
            outward.outside(store.close())


async def _run(
    replay: Replay, envelopes: Iterator[Envelope], scout: Scout | None, outward: Outward
) -> None:
    done = 0
    while batch := list(islice(envelopes, BATCH)):
        if scout:
            await outward.ask(scout.look_ahead(batch))
        for envelope in batch:
            await replay.meet(envelope)
        _show_progress(f"ringback: {(done := done + len(batch)):,} mails")
    await replay.close()
    _show_progress("")


def _show_progress(words: str) -> None:
    """Say how far it is, where somebody looks, in place of what was said before."""
    if sys.stderr.isatty():
        click.echo(f"\r{words:<{_PROGRESS_CHARS}}\r", nl=False, err=True)


class _Log:
    """The envelopes of a log; on the way, what hosts have said of mailboxes that mail was sent to."""

    def __init__(self, events: Iterable[LogEvent], mailboxes: Mailboxes) -> None:
        self.reader = EnvelopeReader()
        self._mailboxes = mailboxes
        self.events = 0
        self.envelopes = self._read(events)

    def _read(self, events: Iterable[LogEvent]) -> Iterator[Envelope]:
        for event in events:
            self.events += 1
            if isinstance(event, Delivered) and (standing := _shown_by(event)):
                self._mailboxes.note(event.recipient, standing)
            yield from self.reader.take(event)
        self.reader.close()


def _shown_by(event: Delivered) -> Standing | None:
    """What the next host has said of the recipient's mailbox, if it has."""
    try:
        said = find_reply(event.text) if event.relay else None
    except UsageError:  # cut off, or no reply after all
        return None
    if said is None:
        return None
    if event.fate is Fate.SENT:
        return Standing.EXISTS if said.reply.code < 300 else None
    reading = classify(said.stage, said.reply, phrasebook(), null_sender=False)
    is_missing = reading.meaning is Meaning.UNKNOWN_USER and not reading.weak
    return Standing.MISSING if is_missing and said.reply.code >= 500 else None


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


def _open_store(settings: Settings, outward: Outward) -> Store:
    require_store(settings)
    return outward.outside(open_store(settings, lambda _: None))


def _remembered(store: Store, outward: Outward) -> Remembered:
    async def standing(address: str) -> Standing | None:
        asked: Awaitable[Entry | None] = outward.ask(store.load(address))
        entry = await asked
        return _STANDING_OF[entry.verdict] if entry else None

    return standing


def _why_none(log: _Log) -> str:
    if log.events:
        return "its lines tell of deliveries and sessions, but of no client, sender and recipient"
    return "name the log of Postfix, Exim, Sendmail or OpenSMTPD"
