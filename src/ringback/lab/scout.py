"""Asks the DNS ahead for mail that is yet to be replayed, many questions at a time, on the loop outside.

It is for speed alone: what it forgets to ask, the engine asks when it comes to it.
Not here: keeping the answers (kept_dns.py), and what they mean (rules/, engine/).
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from ..engine.asker import Asker
from ..engine.ports import Clock, Resolver
from ..engine.router import Router
from ..errors import AddressError
from ..rules.envelopes import Envelope
from ..rules.exemptions import Exemptions
from ..rules.gates import align, has_nobody_to_call, look_up_lists
from ..rules.optout import owners_of, record_of
from ..rules.organisation import Organisation
from ..values.address import parse_address
from ..values.dns import RecordType
from ..values.query import Purpose, Query
from ..values.settings import Settings
from .authorised import client_of

# Mails that are asked about at a time: what a resolver of a small site bears beside its work.
AT_A_TIME = 32


class Scout:
    """`resolver` keeps what it was asked."""

    def __init__(
        self, settings: Settings, resolver: Resolver, clock: Clock, organisation: Organisation
    ) -> None:
        self._resolver, self._organisation = resolver, organisation
        self._zones = settings.etiquette.dnsbl
        self._exemptions = Exemptions.parse(settings)
        self._router = Router(settings, resolver, clock, lambda: 0.0)

    async def look_ahead(self, envelopes: Sequence[Envelope]) -> None:
        """Ask what the gates will ask for the mail to come, and what its callouts will."""
        places = asyncio.Semaphore(AT_A_TIME)
        pairs = {(one.client, one.sender.rpartition("@")[2]): one for one in envelopes}

        async def ask(envelope: Envelope) -> None:
            async with places:
                with suppress(AddressError):  # which is a verdict, and takes no question
                    await self._ask(envelope)

        await asyncio.gather(*map(ask, pairs.values()))

    async def _ask(self, envelope: Envelope) -> None:
        client = client_of(envelope)
        if self._exemptions.exempt(Query(envelope.sender, Purpose.SENDER, client)):
            return
        address, asker = parse_address(envelope.sender), Asker(self._resolver)
        if not address.literal_ip and await asker.run(has_nobody_to_call(address.domain)):
            return
        await asker.run(look_up_lists(client, self._zones))
        await asker.run(align(address, client, self._organisation))
        if address.literal_ip:
            return
        found = await self._router.hosts(address, asker)
        await self._ask_wish(address.domain, asker)
        for host in found.hosts[:1]:  # who mostly answers, and then no other is asked
            await self._router.addresses(address, host, asker, implicit=found.implicit)
            await self._ask_wish(host.host, asker)

    async def _ask_wish(self, name: str, asker: Asker) -> None:
        owners = owners_of(name.lower().removesuffix("."), self._organisation)
        await asker.ask_each(*((record_of(owner), RecordType.TXT) for owner in owners))
