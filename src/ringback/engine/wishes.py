"""The wish of those who would be called (etiquette.md, Opt-out): asked for, noted, and kept.

Not here: how a wish reads (rules/optout.py), what a host says in its replies (rules/lessons.py).
"""

from ..rules.burden import Target, charges_for, wish_charge
from ..rules.exemptions import Exemptions
from ..rules.forwarding import leads_to_us, listeners_of
from ..rules.gates import Gate
from ..rules.optout import NO_WISH, Wish, owners_of, read_wishes, record_of
from ..rules.pacing import Charge
from ..values.dns import RecordType
from ..values.endpoint import Endpoint
from ..values.evidence import Fault
from ..values.settings import Settings
from .outside import Outside
from .walk import Walk


class Wishes:
    """One serves all callouts."""

    def __init__(self, settings: Settings, outside: Outside, exemptions: Exemptions) -> None:
        self._settings, self._exemptions = settings, exemptions
        self._clock, self._organisation = outside.clock, outside.organisation

    async def owner_agrees(self, walk: Walk) -> bool:
        """Ask for the wish of who owns the domain, before anybody is called."""
        wish = await self._wish(walk, walk.address.domain)
        if wish.forbids:
            self._note_wish(walk, Endpoint("", "", 0), wish)
        return not wish.forbids

    async def host_agrees(self, walk: Walk, endpoint: Endpoint) -> bool:
        """Ask for the wish of who runs the host, who bears the burden."""
        if walk.is_of_ours:
            return not self._is_own_door(walk, endpoint)
        local = self._exemptions.forbid_host(endpoint.host)
        if local:
            listed = "etiquette.opted_out"
            now = self._clock.now()
            walk.add_not_called(now, endpoint, Fault.OPTED_OUT, local.gate, listed)
            return False
        wish = await self._wish(walk, _name_of(endpoint))
        if wish.forbids:
            self._note_wish(walk, endpoint, wish)
        return not wish.forbids

    def charges(self, walk: Walk, endpoint: Endpoint) -> tuple[Charge, ...]:
        """The budgets that the visit falls under, those included that owners have set."""
        if walk.is_of_ours:
            return ()
        target = Target(endpoint.ip, endpoint.host, walk.address.domain)
        charges = charges_for(target, walk.query.client, self._settings.budget, self._organisation)
        rated = [
            wish_charge(wish.said_by, wish.per_hour)
            for name, wish in walk.wishes.items()
            if wish.per_hour is not None and name in (walk.address.domain, _name_of(endpoint))
        ]
        return (*charges, *{charge.key: charge for charge in rated}.values()) if rated else charges

    def _is_own_door(self, walk: Walk, endpoint: Endpoint) -> bool:
        """Say whether a route was made to lead to ourselves, and note that."""
        own = leads_to_us(endpoint, listeners_of(self._settings))
        if own:
            why, now = "the route leads to a door of our own", self._clock.now()
            gate = Gate.FORBIDDEN_NETWORK
            walk.add_not_called(now, endpoint, Fault.FORBIDDEN_NETWORK, gate, why)
        return own

    async def _wish(self, walk: Walk, name: str) -> Wish:
        """The wish that stands in the DNS. An address literal has no name whose owner could be asked."""
        if walk.is_of_ours or walk.address.literal_ip:
            return NO_WISH
        if name not in walk.wishes:
            owners = owners_of(name, self._organisation)
            asked = ((record_of(owner), RecordType.TXT) for owner in owners)
            walk.wishes[name] = read_wishes(owners, await walk.asker.ask_each(*asked))
        return walk.wishes[name]

    def _note_wish(self, walk: Walk, endpoint: Endpoint, wish: Wish) -> None:
        fault, gate = (
            (Fault.OPTED_OUT, Gate.OPTED_OUT_DNS)
            if wish.never
            else (Fault.OPT_OUT_UNKNOWN, Gate.OPT_OUT_UNKNOWN)
        )
        walk.add_not_called(self._clock.now(), endpoint, fault, gate, wish.said_by)


def _name_of(endpoint: Endpoint) -> str:
    """The name of a host as owners' records are asked for."""
    return endpoint.host.lower().removesuffix(".")
