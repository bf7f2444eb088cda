"""One callout: the hosts of a domain in order, until one of them decides. What peers do becomes evidence.

The answers are judged as they come, by the rules; this module only walks. Not here: whether to call
at all, who shares the answer, and what is remembered of the address (engine/verifier.py); one host
(engine/visit.py), and one connection (engine/sessions.py).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from ..rules.burden import Target, charges_for, wish_charge
from ..rules.conclude import conclude
from ..rules.exemptions import Exemptions
from ..rules.forwarding import (
    leads_to_us,
    listeners_of,
    manner_of,
    sender_for,
    subject_of,
    tls_of,
)
from ..rules.gates import Gate, Passed
from ..rules.optout import Wish, ask_owner
from ..rules.outcomes import Finding, Then, judge
from ..rules.pacing import Charge
from ..rules.plan import POSTMASTER, Plan, control_local_part
from ..rules.standing import live
from ..values.address import Address
from ..values.dns import Mx
from ..values.endpoint import PLAINLY, UNIX, Endpoint, Manner
from ..values.evidence import About, Exchange, Fault, Stage
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
from .router import Hosts, Router
from .sessions import Sessions
from .visit import Desk, OnNews, Visit, Walk, is_known

CONTROL_KEY = "control"  # the name of the store's secret behind control addresses


class Callout:
    """Makes callouts; one object serves all of them."""

    def __init__(
        self, settings: Settings, outside: Outside, exemptions: Exemptions, sink: Sink
    ) -> None:
        self._settings, self._outside, self._exemptions = settings, outside, exemptions
        self._router = Router(settings, outside.resolver, outside.clock, outside.draw)
        store, clock, pacer = outside.store, outside.clock, outside.pacer
        ledger = Ledger(settings.budget, store, clock, pacer, outside.draw)
        self._hosts = HostMemory(settings.etiquette, store, clock, pacer, sink)
        self._desk = Desk(settings, store, clock, self._hosts, ledger, self._charges)
        helo_name = settings.identity.helo_name
        self._sessions = Sessions(settings.smtp, helo_name, outside.dialer, pacer, ledger)
        self._logins = Logins(clock)
        self._walks: dict[Walk, None] = {}  # under way, in the order of their beginning

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
            route = await self._find_hosts(walk)
            if route.hosts and await self._owner_agrees(walk):
                await self._ask_hosts(walk, route)
                await self._ask_control_again(walk)
        finally:
            del self._walks[walk]
        return walk.with_contrast(())

    async def _find_hosts(self, walk: Walk) -> Hosts:
        if walk.route:
            route = await self._router.behind(walk.route, walk.asker)
        else:
            route = await self._router.hosts(walk.address, walk.asker)
        walk.evidence.append(route.said)
        return route

    async def _set_out(
        self, address: Address, query: Query, passed: Passed, on_news: OnNews, asker: Asker
    ) -> Walk:
        now = self._outside.clock.now()
        subject = subject_of(address.domain, query.purpose)
        facts = live(await self._outside.store.load_facts(subject), now)
        deadline_s = self._settings.smtp.callout_deadline_s
        return Walk(
            address=address,
            query=query,
            passed=passed,
            plan=await self._plan(address, query, facts),
            started_at=now,
            deadline_at=asyncio.get_running_loop().time() + deadline_s,
            on_news=on_news,
            asker=asker,
            contrast=self._contrast_known(facts),
            route=self._route(address, query),
        )

    def _route(self, address: Address, query: Query) -> RecipientRoute | None:
        forward = query.purpose is Purpose.RECIPIENT
        return self._exemptions.routes.find(address.domain) if forward else None

    def _contrast_known(self, facts: Sequence[Fact]) -> tuple[Exchange, ...]:
        """The control's refusal that is remembered of the domain, if it is not due to be asked again."""
        now, fresh_s = self._outside.clock.now(), self._settings.cache.facts.refresh_s
        for fact in facts:
            if fact.kind is DomainFact.SELECTIVE and now - fact.noted_at < fresh_s:
                return fact.evidence
        return ()

    async def _plan(self, address: Address, query: Query, facts: Sequence[Fact]) -> Plan:
        settings, now = self._settings, self._outside.clock.now()
        kinds = {fact.kind for fact in facts}
        control = ""
        if settings.smtp.control and not self._contrast_known(facts):
            key = await self._outside.store.secret(CONTROL_KEY)
            control = f"{control_local_part(key, address.domain, now)}@{address.domain}"
        is_postmaster = address.local.lower() == POSTMASTER
        plan = Plan(
            book=self._outside.book,
            address=address.key,
            control=control,
            postmaster="" if is_postmaster else f"{POSTMASTER}@{address.domain}",
            sender=settings.identity.probe_sender,
            vrfy=settings.smtp.method is Method.VRFY and DomainFact.REFUSES_VRFY not in kinds,
            vrfy_fallback=settings.smtp.vrfy_fallback,
        )
        route = self._route(address, query)
        if route is None:
            return plan
        return replace(plan, sender=sender_for(route, query, address), vrfy=False, ours=True)

    async def _ask_hosts(self, walk: Walk, route: Hosts) -> None:
        loop = asyncio.get_running_loop()
        for host in route.hosts:
            then = await self._ask_host(walk, host, implicit=route.implicit)
            refused_twice = then is Then.ONE_MORE_HOST and walk.one_more
            decided = then is Then.STOP or is_known(walk.with_contrast(()))
            if decided or refused_twice or loop.time() >= walk.deadline_at:
                break
            walk.one_more = walk.one_more or then is Then.ONE_MORE_HOST

    async def _ask_host(self, walk: Walk, host: Mx, *, implicit: bool) -> Then:
        """Try the addresses of one host until one of them speaks."""
        then = Then.NEXT_HOST
        if walk.route:
            ips, said = await self._router.addresses_behind(host, walk.asker)
        else:
            ips, said = await self._router.addresses(
                walk.address, host, walk.asker, implicit=implicit
            )
        if said:
            walk.evidence.append(said)
        for ip in ips:
            endpoint = self._endpoint(walk, host, ip)
            finding = await self._ask_endpoint(walk, endpoint, walk.plan)
            if finding is None:
                return Then.NEXT_HOST  # not called: opted out, or the budget is used up
            then = finding.then
            if finding.because.stage is not Stage.CONNECT:
                break
        return then

    def _endpoint(self, walk: Walk, host: Mx, ip: str) -> Endpoint:
        if walk.route is None:
            return Endpoint(host.host, ip, self._settings.smtp.port, host.preference)
        verified = walk.route.tls is RouteTls.VERIFIED
        port = 0 if ip.startswith(UNIX) else walk.route.port
        return Endpoint(host.host, ip, port, host.preference, ours=True, verified=verified)

    async def _ask_endpoint(self, walk: Walk, endpoint: Endpoint, plan: Plan) -> Finding | None:
        """Have one conversation, and another in clear if the host's TLS is broken."""
        if not await self._host_agrees(walk, endpoint):
            return None
        facts = await self._hosts.load(endpoint.ip, walk.address.domain)
        broken = any(fact.kind is HostFact.BREAKS_TLS for fact in facts)
        manner, wanted = self._manner(walk, endpoint)
        if refused := self._logins.refusal(endpoint, manner):
            walk.add((refused,))
            return judge((refused,), About.ADDRESS)
        tls = TlsPolicy.NEVER if broken and not manner.secret else wanted
        visit = self._visit(walk, endpoint, plan, tls, manner)
        if visit.is_left_alone(facts):
            return visit.finding
        await self._sessions.wait_turn(visit)
        self._logins.note(endpoint, manner, visit.said)
        broken = any(exchange.fault and exchange.stage is Stage.TLS for exchange in visit.said)
        if broken and not manner.secret:
            in_clear = self._visit(walk, endpoint, plan, TlsPolicy.NEVER, manner)
            await self._sessions.wait_turn(in_clear)
            return in_clear.finding or visit.finding
        return visit.finding

    def _manner(self, walk: Walk, endpoint: Endpoint) -> tuple[Manner, TlsPolicy]:
        """How the host is spoken to, and when TLS is begun."""
        route = walk.route
        if route is None:
            return PLAINLY, self._settings.smtp.tls
        return manner_of(route, endpoint, self._outside.logins.get(route.domain)), tls_of(route)

    def _visit(
        self, walk: Walk, endpoint: Endpoint, plan: Plan, tls: TlsPolicy, manner: Manner
    ) -> Visit:
        walk.turn_to(endpoint)
        return Visit(self._desk, walk, endpoint, plan, tls, manner)

    def _charges(self, walk: Walk, endpoint: Endpoint) -> tuple[Charge, ...]:
        """The budgets that the visit falls under, those included that owners have set."""
        if walk.is_of_ours:
            return ()
        target = Target(endpoint.ip, endpoint.host, walk.address.domain)
        charges = charges_for(
            target, walk.query.client, self._settings.budget, self._outside.organisation
        )
        names = {walk.address.domain, _name_of(endpoint)}
        rated = [
            wish_charge(wish.said_by, wish.per_hour)
            for name, wish in walk.wishes.items()
            if name in names and wish.per_hour is not None
        ]
        return (*charges, *{charge.key: charge for charge in rated}.values())

    # The wish of those who would be called (etiquette.md, Opt-out).

    async def _owner_agrees(self, walk: Walk) -> bool:
        """Ask for the wish of who owns the domain, before anybody is called."""
        wish = await self._wish(walk, walk.address.domain)
        if wish.forbids:
            self._note_wish(walk, Endpoint("", "", 0), wish)
        return not wish.forbids

    async def _host_agrees(self, walk: Walk, endpoint: Endpoint) -> bool:
        """Ask for the wish of who runs the host, who bears the burden."""
        if walk.is_of_ours:
            return not self._is_own_door(walk, endpoint)
        local = self._exemptions.forbid_host(endpoint.host)
        if local:
            listed = "etiquette.opted_out"
            now = self._outside.clock.now()
            walk.add_not_called(now, endpoint, Fault.OPTED_OUT, local.gate, listed)
            return False
        wish = await self._wish(walk, _name_of(endpoint))
        if wish.forbids:
            self._note_wish(walk, endpoint, wish)
        return not wish.forbids

    def _is_own_door(self, walk: Walk, endpoint: Endpoint) -> bool:
        """Say whether a route was made to lead to ourselves, and note that."""
        own = leads_to_us(endpoint, listeners_of(self._settings))
        if own:
            why, now = "the route leads to a door of our own", self._outside.clock.now()
            gate = Gate.FORBIDDEN_NETWORK
            walk.add_not_called(now, endpoint, Fault.FORBIDDEN_NETWORK, gate, why)
        return own

    async def _wish(self, walk: Walk, name: str) -> Wish:
        """The wish that stands in the DNS. An address literal has no name whose owner could be asked."""
        if walk.is_of_ours or walk.address.literal_ip:
            return Wish()
        if name not in walk.wishes:
            asking = ask_owner(name, self._outside.organisation)
            walk.wishes[name] = await walk.asker.run(asking)
        return walk.wishes[name]

    def _note_wish(self, walk: Walk, endpoint: Endpoint, wish: Wish) -> None:
        fault, gate = (
            (Fault.OPTED_OUT, Gate.OPTED_OUT_DNS)
            if wish.never
            else (Fault.OPT_OUT_UNKNOWN, Gate.OPT_OUT_UNKNOWN)
        )
        walk.add_not_called(self._outside.clock.now(), endpoint, fault, gate, wish.said_by)

    async def _ask_control_again(self, walk: Walk) -> None:
        """Ask for the control on a connection of its own where it got lost (scenarios 48 and 98).

        Never for a message that waits: its mail is accepted either way.
        """
        if walk.query.purpose is Purpose.SENDER or not walk.plan.control:
            return
        conclusion = conclude(walk.with_contrast(()))
        because = conclusion.because
        if not conclusion.settled or conclusion.final or because is None:
            return
        endpoint = self._endpoint(walk, Mx(because.preference, because.host), because.ip)
        await self._ask_endpoint(walk, endpoint, replace(walk.plan, address=""))


def _name_of(endpoint: Endpoint) -> str:
    """The name of a host as owners' records are asked for."""
    return endpoint.host.lower().removesuffix(".")
