"""A site's own mail put to the real engine, of which nobody learns: one engine for each way to take the mail.

Not here: the order of the mail, and the time it comes (replay.py); what hosts answer (assumed.py); DNS
(kept_dns.py); whose client it is (authorised.py); counting (tally.py).
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ..engine.callout import CONTROL_KEY
from ..engine.outside import Outside
from ..engine.pacer import Pacer
from ..engine.ports import Clock, Resolver, Sink
from ..engine.verifier import Verifier
from ..rules.actions import Action, Kind
from ..rules.classify import Book
from ..rules.envelopes import Ending, Envelope
from ..rules.exemptions import Exemptions
from ..rules.gates import Gate
from ..rules.organisation import Organisation
from ..rules.plan import control_local_part
from ..rules.waiting import wait_key
from ..store.memory import MemoryStore
from ..values.endpoint import Endpoint
from ..values.events import Event, Trouble
from ..values.query import Purpose, Query, Report
from ..values.settings import CallWhen, Settings
from ..values.verdict import Reason
from .assumed import AssumedHosts, Mailboxes, Source, Standing
from .authorised import Authorised, client_of, parsed
from .dice import Dice
from .tally import MAX_NAMES, Could, Tally

# What DNS or the look of an address says; no host has a part in it.
UNCALLED = frozenset(
    {Reason.BAD_SYNTAX, Reason.NO_SUCH_DOMAIN, Reason.NO_MAIL_HOST, Reason.NULL_MX}
)
# Mail about whose sender no client is ever asked, however the rest is set.
_NOBODY_ASKS = frozenset(
    {
        Gate.NULL_SENDER,
        Gate.AUTHENTICATED_CLIENT,
        Gate.EXEMPT_CLIENT,
        Gate.EXEMPT_SENDER,
        Gate.OWN_DOMAIN,
        Gate.POSTMASTER,
    }
)
# Mail that is yet to come back, at some 5 kB each. What is put off beyond it is taken as gone.
MAX_WAITING = 10_000
# Whoever comes back lets so much time pass, or he would never get anywhere.
_AGAIN_AFTER_S = 60.0

# The mail for which a host would be called; callouts run in tasks of their own.
_CAUSE: ContextVar[Envelope] = ContextVar("envelope")


class Ruling(Protocol):
    """What is needed of the one in doors/judging.py."""

    @property
    def report(self) -> Report: ...

    @property
    def told(self) -> Action: ...


class Judges(Protocol):
    """What is needed of doors/judging.py's Judge."""

    async def judge(self, query: Query, /) -> Ruling | None: ...


class MakesJudge(Protocol):
    """Makes the judge; Judge does when it is called."""

    def __call__(
        self, door: str, verifier: Verifier, clock: Clock, sink: Sink, *, settings: Settings
    ) -> Judges: ...


@dataclass(frozen=True, slots=True)
class Course:
    """One way to take the same log."""

    name: str
    call_when: CallWhen
    # Whether mail that the site took, and Ringback would put off, comes back: no log can show that.
    comes_back: bool = False


ALIGNED = Course("aligned", CallWhen.ALIGNED)
RETRIED = Course("retried", CallWhen.RETRIED)
RETRIED_BY_ALL = Course("retried_all_back", CallWhen.RETRIED, comes_back=True)
ALWAYS = Course("always", CallWhen.ALWAYS)
COURSES = (ALIGNED, RETRIED, RETRIED_BY_ALL, ALWAYS)
COURSE_OF = MappingProxyType(
    {CallWhen.ALIGNED: ALIGNED, CallWhen.RETRIED: RETRIED, CallWhen.ALWAYS: ALWAYS}
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all courses share. `forbidden` says why an IP address may not be called."""

    settings: Settings
    resolver: Resolver
    clock: Clock
    mailboxes: Mailboxes
    organisation: Organisation
    book: Book
    forbidden: Callable[[str], str | None]
    make_judge: MakesJudge


class Lane:
    """One course: an engine, and what came of it."""

    def __init__(self, course: Course, around: Surroundings, authorised: Authorised) -> None:
        self.course, self.tally = course, Tally()
        settings = around.settings
        self._settings = settings.but(etiquette=settings.etiquette.but(call_when=course.call_when))
        self._clock, self._mailboxes = around.clock, around.mailboxes
        self._authorised = authorised
        self._bugs: list[Trouble] = []
        dice = Dice(f"replay/{course.name}")
        self._store = MemoryStore(dice.of("secrets").octets)
        self.hosts = AssumedHosts(
            around.clock, around.mailboxes, self._is_control, around.forbidden, self._note_call
        )
        self._verifier = self._make_verifier(around, dice)
        self._judge = around.make_judge(
            "replay", self._verifier, around.clock, self._hear, settings=self._settings
        )
        self._waiting: set[asyncio.Task[None]] = set()

    async def meet(self, envelope: Envelope) -> None:
        """Have one envelope judged. Raises RuntimeError for a bug of ours."""
        _CAUSE.set(envelope)
        ruling = await self._ask(envelope)
        comes_back = self.course.comes_back and envelope.ending is Ending.TAKEN
        has_room = len(self._waiting) < MAX_WAITING
        if comes_back and _is_put_off(ruling) and has_room:
            self._waiting.add(task := asyncio.create_task(self._come_back(envelope, ruling)))
            task.add_done_callback(self._waiting.discard)
        else:
            self.tally.taken_as_gone += comes_back and _is_put_off(ruling)
            await self._note_end(envelope, ruling)

    async def close(self) -> None:
        """The log is over: let those come back who are yet to. Raises RuntimeError for a bug of ours."""
        await asyncio.gather(*self._waiting)
        await self._verifier.close(self._verifier.patience_s)
        self._complain()

    async def _come_back(self, envelope: Envelope, ruling: Ruling) -> None:
        """Try again as soon as it may help. The engine sees to it that this ends (rules/waiting.py)."""
        while _is_put_off(ruling):
            now = self._clock.now()
            again_at = ruling.report.retry_at or now + self._settings.etiquette.retried_wait_s
            await self._clock.sleep(max(_AGAIN_AFTER_S, again_at - now))
            ruling = await self._ask(envelope)
        await self._note_end(envelope, ruling)

    async def _ask(self, envelope: Envelope) -> Ruling:
        client = client_of(envelope)
        query = Query(envelope.sender, Purpose.SENDER, client, recipient=envelope.recipient)
        ruling = await self._judge.judge(query)
        if ruling is None:
            self._complain()
            raise RuntimeError("a question had no answer")
        self._note(envelope, ruling)
        return ruling

    def _note(self, envelope: Envelope, ruling: Ruling) -> None:
        """Count one question."""
        tally, report, ending = self.tally, ruling.report, envelope.ending
        tally.questions += 1
        tally.said[str(report.gate or report.reason)] += 1
        is_put_off = _is_put_off(ruling)
        if ending is Ending.TAKEN and report.gate not in _NOBODY_ASKS:
            could = Could.END_OTHERWISE if is_put_off else Could.NOTHING
            tally.senders.note(envelope.sender, could)
        if not (is_put_off or report.callouts or tally.put_off.count or tally.in_vain.count):
            return
        key = wait_key(envelope.client.ip, envelope.sender, envelope.recipient)
        tally.in_vain.note(key, report.callouts, ending)
        if not is_put_off:
            tally.put_off.note_passed(key, self._clock.now())
        elif report.gate == Gate.RETRIED:
            tally.put_off.note(key, self._clock.now(), ending)

    async def _note_end(self, envelope: Envelope, ruling: Ruling) -> None:
        """Count what became of a mail, once it is known."""
        if envelope.ending is not Ending.TAKEN:
            return
        tally, report = self.tally, ruling.report
        is_refused = ruling.told.kind is Kind.REFUSE
        if is_refused:
            tally.senders.note(envelope.sender, Could.BE_REFUSED)
        if report.reason in UNCALLED:
            tally.refused_uncalled[report.reason] += is_refused
        elif report.callouts or report.from_cache:
            tally.answered += 1
            tally.refused_called += is_refused
            if await self._is_known(envelope.sender):
                tally.known_to_exist += 1
            else:
                tally.senders.note(envelope.sender, Could.END_OTHERWISE)

    async def _is_known(self, address: str) -> bool:
        """Whether the mailbox has been shown to exist."""
        standing, source = await self._mailboxes.find(address)
        return source is not Source.ASSUMED and standing is Standing.EXISTS

    async def _note_call(self, endpoint: Endpoint) -> None:
        envelope, tally, now = _CAUSE.get(), self.tally, self._clock.now()
        tally.calls += 1
        tally.hosts.note(endpoint.host or endpoint.ip, now)
        address = parsed(envelope.sender)
        domain = address.domain if address else ""
        tally.domains.note(domain, now)
        if not await self._authorised.holds(envelope):
            tally.to_unauthorised += 1
            if len(tally.unauthorised_domains) < MAX_NAMES:
                tally.unauthorised_domains.add(domain)

    async def _is_control(self, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        key = await self._store.secret(CONTROL_KEY)
        return local == control_local_part(key, domain, self._clock.now())

    def _make_verifier(self, around: Surroundings, dice: Dice) -> Verifier:
        outside = Outside(
            resolver=around.resolver,
            dialer=self.hosts,
            store=self._store,
            clock=around.clock,
            pacer=Pacer(self._settings.budget),
            book=around.book,
            draw=dice.of("hosts").draw,
            organisation=around.organisation,
            is_fit=_is_fit,
        )
        return Verifier(self._settings, outside, Exemptions.parse(self._settings), self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Trouble):
            self._bugs.append(event)

    def _complain(self) -> None:
        if self._bugs:
            first = self._bugs[0]
            raise RuntimeError(f"{first.where}: {first.what}\n{first.trace}")


def _is_put_off(ruling: Ruling) -> bool:
    return ruling.told.kind in (Kind.DEFER_IF_PERMIT, Kind.DEFER)


async def _is_fit() -> bool:
    return True
