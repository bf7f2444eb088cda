"""Whether anyone may be called for a query: the gates, in order of their cost (etiquette.md).

Not here: what each gate looks for (rules/exemptions.py, rules/gates.py, rules/waiting.py); opt-out records,
breakers and budgets, which concern the hosts that would be called (engine/callout.py).
"""

from ..rules.burden import forgery_charge
from ..rules.exemptions import Exemptions, Refusal
from ..rules.gates import (
    Gate,
    Passed,
    Stopped,
    align,
    has_nobody_to_call,
    look_up_lists,
)
from ..values.address import Address
from ..values.query import Client, Purpose, Query
from ..values.settings import CallWhen, DeferOrAccept, Settings
from ..values.verdict import Reason
from .asker import Asker
from .deferrals import Deferrals
from .outside import Outside

_CAME_BACK = "came back after the wait"
_OF_NETWORK = {
    Gate.CROWDED: "its network has more first contacts than are remembered",
    Gate.DOUBTED: "most of its network's mail does not come back",
}
_FORGED = Refusal(
    Reason.OVER_BUDGET, Gate.FORGED, "strangers used too many names in it that nobody has"
)


class Gatekeeper:
    """Stands before every callout; one object serves all of them."""

    def __init__(
        self,
        settings: Settings,
        exemptions: Exemptions,
        deferrals: Deferrals,
        outside: Outside,
    ) -> None:
        self._etiquette, self._budget = settings.etiquette, settings.budget
        self._consent = settings.bulk.consent
        self._exemptions, self._deferrals = exemptions, deferrals
        self._store, self._clock = outside.store, outside.clock
        self._organisation, self._is_fit = outside.organisation, outside.is_fit

    async def admit(self, query: Query, address: Address, asker: Asker) -> Passed | Refusal:
        """Say whether `address` may be called for `query`. Raises StoreError."""
        if query.purpose is Purpose.RECIPIENT:
            return Passed(("a route",))  # its host is ours, and asks to be asked
        refusal = self._exemptions.forbid(query) or await self._forbid(query)
        if refusal:
            return refusal
        if query.purpose is not Purpose.SENDER:
            return Passed((f"purpose {query.purpose}",))
        if query.client is None:
            return Passed(("an operator asked",))
        return await self._admit_client(asker, query, query.client, address)

    async def _forbid(self, query: Query) -> Refusal | None:
        if query.purpose is Purpose.BULK and not self._consent:
            return Refusal(Reason.NOT_ASKED, Gate.NO_CONSENT, "bulk.consent is not given")
        if not await self._is_fit():
            return Refusal(Reason.IDENTITY_UNFIT, Gate.IDENTITY, "see `ringback doctor`")
        return None

    async def _admit_client(
        self, asker: Asker, query: Query, client: Client, address: Address
    ) -> Passed | Refusal:
        if not address.literal_ip and await asker.run(has_nobody_to_call(address.domain)):
            # Not vouched for: whoever owns the name may have the DNS say something else in a moment.
            return Passed(("nobody to call",), vouched=False)
        zones = self._etiquette.dnsbl
        listed = await asker.run(look_up_lists(client, zones)) if zones else Passed()
        if isinstance(listed, Stopped):
            return _refuse(listed)
        always = self._etiquette.call_when is CallWhen.ALWAYS
        if always and not await self._is_forged(address.domain):
            return Passed((*listed.gates, "called always"), vouched=False)
        found = await asker.run(align(address, client, self._organisation))
        if isinstance(found, Passed):
            return Passed((*listed.gates, *found.gates))
        return await self._admit_stranger(query, client, address, found, listed)

    async def _admit_stranger(
        self, query: Query, client: Client, address: Address, found: Stopped, listed: Passed
    ) -> Passed | Refusal:
        match self._etiquette.call_when:
            case CallWhen.ALWAYS:
                return _FORGED
            case CallWhen.ALIGNED:
                return _refuse(found)
        return await self._admit_returned(query, client, address, found, listed)

    async def _admit_returned(
        self, query: Query, client: Client, address: Address, found: Stopped, listed: Passed
    ) -> Passed | Refusal:
        """Put off a first contact; of those that came back, only a disowned one is not called."""
        if not query.puts_off or self._etiquette.on_first_contact is DeferOrAccept.ACCEPT:
            # Nobody is told to come back, so who does not is no bot, and who does proves nothing.
            return Refusal(Reason.NOT_ASKED, Gate.RETRIED, f"a first contact: {found.why}")
        greeting = await self._deferrals.greet(client.address, address, query.recipient)
        if isinstance(greeting, Gate):
            return Refusal(Reason.NOT_ASKED, greeting, _OF_NETWORK[greeting])
        if not greeting.came_back:
            why = f"a first contact: {found.why}"
            return Refusal(Reason.NOT_ASKED, Gate.RETRIED, why, greeting.retry_at)
        if found.gate is Gate.SPF_FAIL:
            return _refuse(found)
        if await self._is_forged(address.domain):
            return _FORGED
        return Passed((*listed.gates, found.why, _CAME_BACK), vouched=False)

    async def _is_forged(self, domain: str) -> bool:
        """True while strangers have sent in too many names of `domain` that nobody has."""
        charge = forgery_charge(domain, self._budget)
        return await self._store.is_used_up(charge, self._clock.elapsed())


def _refuse(stopped: Stopped) -> Refusal:
    return Refusal(Reason.NOT_ASKED, stopped.gate, stopped.why)
