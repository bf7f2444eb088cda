"""One callout: the hosts of a domain in order, until one of them decides. What peers do becomes evidence.

The answers are judged as they come, by the rules; this module only walks. Not here: whether to call
at all, who shares the answer, and what is remembered of the address (engine/verifier.py); one host
(engine/visit.py), and one connection (engine/sessions.py).
"""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Self

from ..rules.conclude import conclude
from ..rules.exemptions import Exemptions
from ..rules.forwarding import manner_of, sender_for, subject_of, tls_of
from ..rules.gates import Passed
from ..rules.outcomes import Finding, broken_tls, judge
from ..rules.plan import POSTMASTER, Plan, control_local_part
from ..rules.standing import live
from ..values.address import Address
from ..values.dns import Mx
from ..values.endpoint import PLAINLY, UNIX, Endpoint, Manner
from ..values.evidence import About, Exchange
from ..values.facts import DomainFact, Fact, HostFact
from ..values.query import Purpose, Query
from ..values.settings import Method, RecipientRoute, RouteTls, Settings, TlsPolicy
from .asker import Asker
from .host_memory import HostMemory
from .ledger import Ledger
from .logins import Logins
from .outside import Outside
from .ports import Sink
from .progress import UnderWay
from .router import Router
from .sessions import Sessions
from .visit import Desk, Visit
from .walk import OnNews, Walk
from .wishes import Wishes

CONTROL_KEY = "control"  # the name of the store's secret behind control addresses


class Callout:
    """Makes callouts; one object serves all of them. It shows those of the one `before` as well."""

    def __init__(
        self,
        settings: Settings,
        outside: Outside,
        exemptions: Exemptions,
        sink: Sink,
        before: Self | None = None,
    ) -> None:
        self._settings, self._outside, self._exemptions = settings, outside, exemptions
        self._router = Router(settings, outside.resolver, outside.clock, outside.draw)
        self._wishes = Wishes(settings, outside, exemptions)
        store, clock, pacer = outside.store, outside.clock, outside.pacer
        ledger = Ledger(settings.budget, store, clock, pacer, outside.draw)
        self._hosts = HostMemory(settings.etiquette, store, clock, pacer, sink)
        self._desk = Desk(settings, store, clock, self._hosts, ledger, self._wishes.charges)
        helo_name = settings.identity.helo_name
        self._sessions = Sessions(settings.smtp, helo_name, outside.dialer, pacer, ledger)
        self._logins = Logins(clock)
        # Under way, in the order of their beginning.
        self._walks: dict[Walk, None] = before._walks if before else {}

    def progress_nowait(self, most: int) -> tuple[UnderWay, ...]:
        """How far the oldest callouts under way have come."""
        return tuple(walk.progress for walk in islice(self._walks, most))

    async def run(
        self,
        address: Address,
        query: Query,
        passed: Passed,
        on_news: OnNews,
        asker: Asker | None = None,
    ) -> tuple[Exchange, ...]:
        """Ask the hosts of `address` and return the evidence, in the order it came.

        `query` is the first that asked, and `passed` says what let it through. `asker`: out of whose
        allowance the DNS is asked, where it is not the callout's own. Raises StoreError.
        """
        asker = asker or Asker(self._outside.resolver)
        walk = await self._set_out(address, query, passed, on_news, asker)
        self._walks[walk] = None
        try:
            await self._find_hosts(walk)
            # Ten thousand wait here for hosts that are silent: what led to a visit has returned by then.
            while visit := await self._next_visit(walk):
                await (await self._sessions.line_up(visit))
                finding = visit.finding
                if in_clear := self._again_in_clear(walk, visit):
                    await (await self._sessions.line_up(in_clear))
                    finding = in_clear.finding or finding
                walk.leave(finding)
        finally:
            del self._walks[walk]
        return walk.with_contrast(())

    async def _find_hosts(self, walk: Walk) -> None:
        """Find out whom there is to ask, if the domain's owner lets us."""
        if walk.route:
            found = await self._router.behind(walk.route, walk.asker)
        else:
            found = await self._router.hosts(walk.address, walk.asker)
        walk.evidence.append(found.said)
        if found.hosts and await self._wishes.owner_agrees(walk):
            walk.hosts, walk.is_implicit = found.hosts, found.implicit

    async def _set_out(
        self, address: Address, query: Query, passed: Passed, on_news: OnNews, asker: Asker
    ) -> Walk:
        now = self._outside.clock.now()
        subject = subject_of(address.domain, query.purpose)
        facts = live(await self._outside.store.load_facts(subject), now)
        contrast, route = self._contrast_known(facts, now), self._route(address, query)
        wants_control = self._settings.smtp.control and not contrast
        control = await self._control(address, now) if wants_control else ""
        plan = self._plan(address, facts, control)
        if route:
            plan = plan.but(sender=sender_for(route, query, address), vrfy=False, ours=True)
        deadline_s = self._settings.smtp.callout_deadline_s
        asker.until_at = deadline_at = asyncio.get_running_loop().time() + deadline_s
        return Walk(
            address=address,
            query=query,
            passed=passed,
            plan=plan,
            started_at=now,
            deadline_at=deadline_at,
            on_news=on_news,
            asker=asker,
            contrast=contrast,
            route=route,
        )

    def _route(self, address: Address, query: Query) -> RecipientRoute | None:
        forward = query.purpose is Purpose.RECIPIENT
        return self._exemptions.routes.find(address.domain) if forward else None

    def _contrast_known(self, facts: Sequence[Fact], now: float) -> tuple[Exchange, ...]:
        """The control's refusal that is remembered of the domain, if it is not due to be asked again."""
        fresh_s = self._settings.cache.facts.refresh_s
        for fact in facts:
            if fact.kind is DomainFact.SELECTIVE and now - fact.noted_at < fresh_s:
                return fact.evidence
        return ()

    async def _control(self, address: Address, now: float) -> str:
        key = await self._outside.store.secret(CONTROL_KEY)
        return f"{control_local_part(key, address.domain, now)}@{address.domain}"

    def _plan(self, address: Address, facts: Sequence[Fact], control: str) -> Plan:
        settings = self._settings
        is_postmaster = address.local.lower() == POSTMASTER
        return Plan(
            book=self._outside.book,
            address=address.key,
            control=control,
            postmaster="" if is_postmaster else f"{POSTMASTER}@{address.domain}",
            sender=settings.identity.probe_sender,
            vrfy=settings.smtp.method is Method.VRFY and not any(map(_refuses_vrfy, facts)),
            vrfy_fallback=settings.smtp.vrfy_fallback,
        )

    async def _next_visit(self, walk: Walk) -> Visit | None:
        """Where to go; None where nobody is left, or what is known is enough."""
        while endpoint := await self._next_endpoint(walk):
            visit = await self._visit_at(walk, endpoint)
            if isinstance(visit, Visit):
                return visit
            walk.leave(visit)
        return None

    async def _next_endpoint(self, walk: Walk) -> Endpoint | None:
        """The next address of the present host, or of the next one that is worth asking."""
        loop = asyncio.get_running_loop()
        while not walk.endpoints and walk.goes_on(loop.time()):
            await self._look_up(walk, walk.take_host())
        return walk.take_endpoint() or self._turn_to_control(walk)

    async def _look_up(self, walk: Walk, host: Mx) -> None:
        """Find the addresses of a host."""
        if walk.route:
            ips, said = await self._router.addresses_behind(host, walk.asker)
        else:
            implicit = walk.is_implicit
            ips, said = await self._router.addresses(
                walk.address, host, walk.asker, implicit=implicit
            )
        if said:
            walk.evidence.append(said)
        walk.endpoints = [self._endpoint(walk, host, ip) for ip in ips]

    def _endpoint(self, walk: Walk, host: Mx, ip: str) -> Endpoint:
        if walk.route is None:
            return Endpoint(host.host, ip, self._settings.smtp.port, host.preference)
        verified = walk.route.tls is RouteTls.VERIFIED
        port = 0 if ip.startswith(UNIX) else walk.route.port
        return Endpoint(host.host, ip, port, host.preference, ours=True, verified=verified)

    async def _visit_at(self, walk: Walk, endpoint: Endpoint) -> Visit | Finding | None:
        """The visit to make; or what is known instead, or nothing where nobody may be called."""
        if not await self._wishes.host_agrees(walk, endpoint):
            return None
        facts = await self._hosts.load(endpoint.ip, walk.address.domain)
        manner, tls = self._manner(walk, endpoint)
        if refused := self._logins.refusal(endpoint, manner):
            walk.add((refused,))
            return judge((refused,), About.ADDRESS)
        if not manner.secret and any(fact.kind is HostFact.BREAKS_TLS for fact in facts):
            tls = TlsPolicy.NEVER
        visit = self._visit(walk, endpoint, tls, manner)
        return visit.finding if visit.is_left_alone(facts) else visit

    def _again_in_clear(self, walk: Walk, visit: Visit) -> Visit | None:
        """Another visit at the same address, where the host's TLS has turned out to be broken."""
        manner = visit.way.manner
        self._logins.note(visit.endpoint, manner, visit.said)
        if manner.secret or not broken_tls(visit.said):
            return None
        return self._visit(walk, visit.endpoint, TlsPolicy.NEVER, manner)

    def _manner(self, walk: Walk, endpoint: Endpoint) -> tuple[Manner, TlsPolicy]:
        """How the host is spoken to, and when TLS is begun."""
        route = walk.route
        if route is None:
            return PLAINLY, self._settings.smtp.tls
        return manner_of(route, endpoint, self._outside.logins.get(route.domain)), tls_of(route)

    def _visit(self, walk: Walk, endpoint: Endpoint, tls: TlsPolicy, manner: Manner) -> Visit:
        walk.turn_to(endpoint)
        return Visit(self._desk, walk, endpoint, walk.plan, tls, manner)

    def _turn_to_control(self, walk: Walk) -> Endpoint | None:
        """Where to ask for the control alone, at the end, if it got lost there (scenarios 48 and 98).

        Never for a message that waits: its mail is accepted either way.
        """
        walk.hosts = ()
        is_open = walk.plan.address and walk.plan.control
        if walk.query.purpose is Purpose.SENDER or not is_open:
            return None
        conclusion = conclude(walk.with_contrast(()))
        because = conclusion.because
        if not conclusion.settled or conclusion.final or because is None:
            return None
        walk.plan = walk.plan.but(address="")
        return self._endpoint(walk, Mx(because.preference, because.host), because.ip)


def _refuses_vrfy(fact: Fact) -> bool:
    return fact.kind is DomainFact.REFUSES_VRFY
