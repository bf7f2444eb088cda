"""Which hosts to ask, and at which addresses: the questions to DNS that rules/routes.py decides on.

The hosts of a [[recipient.route]] are named by the operator; where he names MX records, these are looked up.

Every step yields an Exchange as evidence. Not here: calling hosts (engine/callout.py).
"""

from collections.abc import Callable

from ..rules import forwarding, routes
from ..rules.networks import plain
from ..values.address import Address
from ..values.dns import DnsStatus, Mx, RecordType
from ..values.evidence import Exchange, Fault, Stage
from ..values.record import Record
from ..values.settings import RecipientRoute, Settings
from .asker import Asker
from .ports import Clock, Resolver

# evidence.md section 3: NXDOMAIN counts only while a canary name resolved within the hour.
CANARY_BELIEVED_S = 3_600.0

MX = "mx:"  # what begins a route's host that is the MX records of a name
ROUTE_COMMAND = "route"  # what begins the command of an Exchange that shows a route


class Hosts(Record, frozen=True):
    """The hosts for one domain, in order, and what DNS said of them."""

    said: Exchange
    hosts: tuple[Mx, ...] = ()
    implicit: bool = False  # no MX: the domain itself is the host


class Router:
    """Asks DNS for hosts and addresses, out of each callout's allowance; one object serves all of them."""

    def __init__(
        self, settings: Settings, resolver: Resolver, clock: Clock, draw: Callable[[], float]
    ) -> None:
        self._settings, self._resolver, self._clock, self._draw = settings, resolver, clock, draw
        self._canary_seen_at: float | None = None

    async def hosts(self, address: Address, asker: Asker) -> Hosts:
        if address.literal_ip:
            said = self._exchange("", f"{address.domain} is its own host")
            return Hosts(said, (Mx(0, address.literal_ip),))
        domain = address.domain
        answer = await asker.ask(domain, RecordType.MX)
        route = routes.route_from_mx(domain, answer, self._settings.smtp.max_hosts, self._draw)
        if isinstance(route, routes.NoRoute):
            return Hosts(await self._failure(f"MX {domain}", route))
        named = ", ".join(f"{mx.preference} {mx.host}" for mx in route.hosts)
        told = f"none: {domain} is its own host" if route.implicit else named
        return Hosts(self._exchange(f"MX {domain}", told), route.hosts, route.implicit)

    async def behind(self, route: RecipientRoute, asker: Asker) -> Hosts:
        """The hosts of a route, in the operator's order."""
        found = [await self._named(name, asker) for name in route.host]
        names = list(dict.fromkeys(name for names in found for name in names))
        said = self._exchange(f"{ROUTE_COMMAND} {route.domain}", ", ".join(names))
        if not names:
            # Whatever DNS says: that our own host has no name says nothing of its mailboxes.
            text = f"{', '.join(route.host)}: no host was found"
            return Hosts(said.but(text=text, fault=Fault.DNS_FAILURE))
        return Hosts(said, tuple(Mx(order, name) for order, name in enumerate(names)))

    async def _named(self, name: str, asker: Asker) -> tuple[str, ...]:
        if not name.startswith(MX):
            return (name,)
        domain = name.removeprefix(MX)
        answer = await asker.ask(domain, RecordType.MX)
        route = routes.route_from_mx(domain, answer, self._settings.smtp.max_hosts, self._draw)
        return () if isinstance(route, routes.NoRoute) else tuple(mx.host for mx in route.hosts)

    async def addresses_behind(
        self, host: Mx, asker: Asker
    ) -> tuple[tuple[str, ...], Exchange | None]:
        """The addresses of one host of a route."""
        if forwarding.is_address(host.host):
            return (host.host,), None
        return await self._look_up(host, asker, implicit=False)

    async def addresses(
        self, address: Address, host: Mx, asker: Asker, *, implicit: bool
    ) -> tuple[tuple[str, ...], Exchange | None]:
        """The addresses of one host, and what DNS said if it said of none."""
        if address.literal_ip:
            return (plain(host.host),), None
        return await self._look_up(host, asker, implicit=implicit)

    async def _look_up(
        self, host: Mx, asker: Asker, *, implicit: bool
    ) -> tuple[tuple[str, ...], Exchange | None]:
        # IPv4 first: that is where reverse names and reputations are mostly in order.
        answers = await asker.ask_each((host.host, RecordType.A), (host.host, RecordType.AAAA))
        found = routes.addresses(answers)
        if found:
            return found, None
        no_route = routes.no_addresses(answers, implicit=implicit)
        said = await self._failure(f"A, AAAA {host.host}", no_route)
        return (), said.but(host=host.host)

    async def _failure(self, command: str, no_route: routes.NoRoute) -> Exchange:
        fault, detail = no_route.fault, no_route.detail
        doubtful = fault in (Fault.NO_SUCH_DOMAIN, Fault.NO_MAIL_HOST, Fault.NULL_MX)
        if doubtful and not await self._dns_is_honest():
            # A broken resolver says so of every name.
            fault = Fault.DNS_FAILURE
            detail = f"{detail}, but {self._settings.dns.canary} does not resolve either"
        return self._exchange(command, detail).but(fault=fault)

    async def _dns_is_honest(self) -> bool:
        canary, now = self._settings.dns.canary, self._clock.now()
        seen = self._canary_seen_at
        if not canary or (seen is not None and 0 <= now - seen < CANARY_BELIEVED_S):
            return True
        answer = await self._resolver.ask(canary, RecordType.A)
        if answer.status not in (DnsStatus.OK, DnsStatus.NODATA):
            return False
        self._canary_seen_at = now
        return True

    def _exchange(self, command: str, text: str) -> Exchange:
        return Exchange(self._clock.now(), Stage.ROUTE, command=command, text=text)
