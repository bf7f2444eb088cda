"""One callout: the hosts of a domain in order, until one of them decides. What peers do becomes evidence.

The answers are judged as they come, by the rules; this module only walks. Not here: whether to call
at all, who shares the answer, and what is remembered of the address (engine/verifier.py).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..rules.classify import Phrasebook
from ..rules.conclude import conclude
from ..rules.gates import Exemptions
from ..rules.lessons import REFUSAL_KEPT_S, REFUSAL_PAUSE_S, decides, pair
from ..rules.outcomes import Finding, Then, is_permanent, judge
from ..rules.plan import POSTMASTER, Plan, control_local_part
from ..values.address import Address
from ..values.dns import Mx
from ..values.endpoint import Endpoint, Patience
from ..values.evidence import About, Exchange, Fault, Meaning, Reading, Stage
from ..values.facts import DomainFact, Fact, HostFact
from ..values.query import Purpose
from ..values.settings import Method, Settings, TlsPolicy
from ..values.verdict import Verdict
from ..wire.probe import Probe, Question
from ..wire.reply import Reply
from .pacer import Pacer
from .ports import Clock, Dialer, Resolver, Store
from .router import Router

CONTROL_KEY = "control"  # the name of the store's secret behind control addresses


@dataclass(frozen=True, slots=True)
class News:
    """What is known in the middle of a callout: its asker need not wait for the rest.

    `complete`: what is still to come (QUIT) will not change the conclusion.
    """

    evidence: tuple[Exchange, ...]
    complete: bool


OnNews = Callable[[News], None]


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a callout needs beyond the rules."""

    resolver: Resolver
    dialer: Dialer
    store: Store
    clock: Clock
    pacer: Pacer
    book: Phrasebook
    draw: Callable[[], float]  # numbers from 0 to 1, to shuffle hosts of equal preference


@dataclass(slots=True)
class _Walk:
    """One callout under way."""

    address: Address
    purpose: Purpose
    plan: Plan
    started_at: float  # Unix seconds
    deadline_at: float  # of the loop's clock
    on_news: OnNews
    contrast: tuple[Exchange, ...] = ()  # the control's refusal, where it is remembered
    evidence: list[Exchange] = field(default_factory=list)
    connections: int = 0
    one_more: bool = False  # a host refused us; only one more is bothered

    def with_contrast(self, said: Sequence[Exchange]) -> tuple[Exchange, ...]:
        """The evidence so far, `said` included, and what an acceptance in it rests on."""
        evidence = (*self.evidence, *said)
        return (*evidence, *self.contrast) if any(map(_accepts, evidence)) else evidence


def _is_known(evidence: Sequence[Exchange]) -> bool:
    """True where nothing that a further host could say is worth bothering it."""
    return conclude(evidence).verdict is not Verdict.UNKNOWN


def _accepts(exchange: Exchange) -> bool:
    answers = exchange.stage in (Stage.RCPT, Stage.VRFY) and exchange.about is About.ADDRESS
    return answers and exchange.meaning is Meaning.ACCEPTED


def _shown_by(fact: Fact) -> Finding | None:
    return next((found for about in About if (found := judge(fact.evidence, about))), None)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A Plan whose progress is told on: an asker may have his answer before the control and QUIT."""

    plan: Plan
    walk: _Walk

    def read(self, stage: Stage, reply: Reply) -> Reading:
        return self.plan.read(stage, reply)

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        question = self.plan.next_question(said)
        finding = judge(said, About.ADDRESS)
        if finding and finding.because.stage in (Stage.RCPT, Stage.VRFY):
            evidence = self.walk.with_contrast(said)
            decided = finding.then is Then.STOP or _is_known(evidence)
            self.walk.on_news(News(evidence, complete=question is None and decided))
        return question


class Callout:
    """Makes callouts; one object serves all of them."""

    def __init__(self, settings: Settings, outside: Outside, exemptions: Exemptions) -> None:
        self._settings, self._outside, self._exemptions = settings, outside, exemptions
        self._router = Router(settings, outside.resolver, outside.clock, outside.draw)

    async def run(
        self, address: Address, purpose: Purpose, on_news: OnNews
    ) -> tuple[Exchange, ...]:
        """Ask the hosts of `address` and return the evidence, in the order it came."""
        loop = asyncio.get_running_loop()
        facts = self._live(await self._outside.store.load_facts(address.domain))
        walk = _Walk(
            address=address,
            purpose=purpose,
            plan=await self._plan(address, facts),
            started_at=self._outside.clock.now(),
            deadline_at=loop.time() + self._settings.smtp.callout_deadline_s,
            on_news=on_news,
            contrast=self._contrast_known(facts),
        )
        route = await self._router.hosts(address)
        walk.evidence.append(route.said)
        for host in route.hosts:
            then = await self._ask_host(walk, host, implicit=route.implicit)
            refused_twice = then is Then.ONE_MORE_HOST and walk.one_more
            decided = then is Then.STOP or _is_known(walk.with_contrast(()))
            if decided or refused_twice or loop.time() >= walk.deadline_at:
                break
            walk.one_more = walk.one_more or then is Then.ONE_MORE_HOST
        await self._ask_control_again(walk)
        return walk.with_contrast(())

    def _live(self, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        now = self._outside.clock.now()
        return tuple(fact for fact in facts if fact.noted_at <= now < fact.expires_at)

    def _contrast_known(self, facts: Sequence[Fact]) -> tuple[Exchange, ...]:
        """The control's refusal that is remembered of the domain, if it is not due to be asked again."""
        now, fresh_s = self._outside.clock.now(), self._settings.cache.facts.refresh_s
        for fact in facts:
            if fact.kind is DomainFact.SELECTIVE and now - fact.noted_at < fresh_s:
                return fact.evidence
        return ()

    async def _plan(self, address: Address, facts: Sequence[Fact]) -> Plan:
        settings, now = self._settings, self._outside.clock.now()
        kinds = {fact.kind for fact in facts}
        control = ""
        if settings.smtp.control and not self._contrast_known(facts):
            key = await self._outside.store.secret(CONTROL_KEY)
            control = f"{control_local_part(key, address.domain, now)}@{address.domain}"
        is_postmaster = address.local.lower() == POSTMASTER
        return Plan(
            book=self._outside.book,
            address=address.key,
            control=control,
            postmaster="" if is_postmaster else f"{POSTMASTER}@{address.domain}",
            sender=settings.identity.probe_sender,
            vrfy=settings.smtp.method is Method.VRFY and DomainFact.REFUSES_VRFY not in kinds,
            vrfy_fallback=settings.smtp.vrfy_fallback,
        )

    async def _ask_host(self, walk: _Walk, host: Mx, *, implicit: bool) -> Then:
        """Try the addresses of one host until one of them speaks."""
        then = Then.NEXT_HOST
        ips, said = await self._router.addresses(walk.address, host, implicit=implicit)
        if said:
            walk.evidence.append(said)
        for ip in ips:
            endpoint = Endpoint(host.host, ip, self._settings.smtp.port, host.preference)
            finding = await self._ask_endpoint(walk, endpoint, walk.plan)
            if finding is None:
                return Then.NEXT_HOST  # not called: opted out, or the budget is used up
            then = finding.then
            if finding.because.stage is not Stage.CONNECT:
                break
        return then

    async def _ask_endpoint(self, walk: _Walk, endpoint: Endpoint, plan: Plan) -> Finding | None:
        """Have one conversation, and another in clear if the host's TLS is broken."""
        opted_out = self._exemptions.forbid_host(endpoint.host)
        if opted_out:
            self._note_not_called(walk, endpoint, Fault.OPTED_OUT, opted_out.gate)
            return None
        resting = self._let_rest(walk, await self._host_facts(walk, endpoint))
        if resting:
            return resting
        try:
            async with asyncio.timeout_at(walk.deadline_at):
                waited = await self._outside.pacer.wait_slot(endpoint.ip)
        except TimeoutError:
            self._note_not_called(walk, endpoint, Fault.OVER_BUDGET, "connections at a time")
            return None
        try:
            return await self._ask_in_place(walk, endpoint, plan, waited=waited)
        finally:
            self._outside.pacer.release(endpoint.ip)

    async def _ask_in_place(
        self, walk: _Walk, endpoint: Endpoint, plan: Plan, *, waited: bool
    ) -> Finding | None:
        """Ask, unless what was learned while we waited for our turn makes it needless."""
        facts = await self._host_facts(walk, endpoint)
        if waited:
            known = await self._learned_meanwhile(walk) or self._let_rest(walk, facts)
            if known:
                return known
        if walk.contrast:
            if not plan.address:
                return None  # others have had the control's answer meanwhile
            plan = replace(plan, control="")
        broken = any(fact.kind is HostFact.BREAKS_TLS for fact in facts)
        tls = TlsPolicy.NEVER if broken else self._settings.smtp.tls
        about = About.ADDRESS if plan.address else About.CONTROL
        said = await self._converse(walk, endpoint, plan, tls)
        if any(exchange.fault and exchange.stage is Stage.TLS for exchange in said):
            said = await self._converse(walk, endpoint, plan, TlsPolicy.NEVER) or said
        return judge(said, about)

    async def _learned_meanwhile(self, walk: _Walk) -> Finding | None:
        """What others who asked for the same domain have learned since this callout began."""
        facts = self._live(await self._outside.store.load_facts(walk.address.domain))
        for fact in facts:
            if fact.noted_at < walk.started_at:
                continue
            if decides(fact, self._settings):
                walk.evidence.extend(fact.evidence)
                found = _shown_by(fact)
                return replace(found, then=Then.STOP) if found else None
            if fact.kind is DomainFact.SELECTIVE:
                walk.contrast = fact.evidence
        return None

    async def _host_facts(self, walk: _Walk, endpoint: Endpoint) -> tuple[Fact, ...]:
        store = self._outside.store
        return self._live(
            await store.load_facts(endpoint.ip)
            + await store.load_facts(pair(endpoint.ip, walk.address.domain))
        )

    def _let_rest(self, walk: _Walk, facts: Sequence[Fact]) -> Finding | None:
        """Say what a host that is to be left alone did when it was asked last, and add it to the evidence.

        What followed from it then follows now: behind a host that makes us wait, no backup is tried.
        """
        now = self._outside.clock.now()
        resting: Finding | None = None
        for fact in facts:
            if fact.kind is HostFact.REFUSES_SOME and now - fact.noted_at < REFUSAL_KEPT_S:
                walk.evidence.extend(fact.evidence)  # it counts against weak words
            elif fact.kind is HostFact.REFUSES_US and now - fact.noted_at < REFUSAL_KEPT_S:
                walk.evidence.extend(fact.evidence)  # and this
                if now - fact.noted_at < REFUSAL_PAUSE_S:
                    resting = resting or _shown_by(fact)
            elif fact.kind is HostFact.GREYLISTS and self._is_waited_out(walk, fact, now):
                walk.evidence.extend(fact.evidence)
                resting = _shown_by(fact)
        return resting

    def _is_waited_out(self, walk: _Walk, fact: Fact, now: float) -> bool:
        """True while another address waits for this host: one at a time, until it lets us pass."""
        first, *_ = self._settings.etiquette.recheck_after_s or (0.0,)
        wait_s = first if fact.window_s is None else fact.window_s
        same = any(f"<{walk.address.key}>" in said.command for said in fact.evidence)
        return not same and now - fact.noted_at < wait_s

    async def _converse(
        self, walk: _Walk, endpoint: Endpoint, plan: Plan, tls: TlsPolicy
    ) -> tuple[Exchange, ...]:
        """Make one connection, within the budgets, and add what was said to the evidence."""
        spent = self._outside.pacer.admit(endpoint.ip, walk.address.domain)
        if spent:
            self._note_not_called(walk, endpoint, Fault.OVER_BUDGET, spent)
            return ()
        walk.connections += 1
        guide = _Watched(plan, walk)
        probe = Probe(endpoint, walk.connections, self._settings.identity.helo_name, tls, guide)
        whole_s = max(0.0, walk.deadline_at - asyncio.get_running_loop().time())
        patience = Patience(self._settings.smtp.stage_timeout_s, whole_s)
        await self._outside.dialer.call(endpoint, probe, patience)
        said = probe.transcript
        walk.evidence.extend(said)
        for exchange in said:
            if exchange.stage is Stage.RCPT and is_permanent(exchange):
                self._outside.pacer.note_refused(endpoint.ip)
        return said

    def _note_not_called(self, walk: _Walk, endpoint: Endpoint, fault: Fault, detail: str) -> None:
        walk.evidence.append(
            Exchange(
                self._outside.clock.now(),
                Stage.CONNECT,
                host=endpoint.host,
                ip=endpoint.ip,
                text=detail,
                fault=fault,
            )
        )

    async def _ask_control_again(self, walk: _Walk) -> None:
        """Ask for the control on a connection of its own where it got lost (scenarios 48 and 98).

        Never for a message that waits: its mail is accepted either way.
        """
        if walk.purpose is Purpose.SENDER or not walk.plan.control:
            return
        conclusion = conclude(walk.with_contrast(()))
        because = conclusion.because
        if not conclusion.settled or conclusion.final or because is None:
            return
        endpoint = Endpoint(because.host, because.ip, self._settings.smtp.port, because.preference)
        await self._ask_endpoint(walk, endpoint, replace(walk.plan, address=""))
