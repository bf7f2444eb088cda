"""Whether a client is one that the domain of the sender has authorised: else those called may be innocent.

Not here: what the engine makes of that (rules/gates.py), and counting (tally.py).
"""

from ..engine.asker import Asker
from ..engine.ports import Resolver
from ..errors import AddressError
from ..rules.envelopes import Envelope
from ..rules.gates import Passed, align
from ..rules.organisation import Organisation
from ..values.address import Address, parse_address
from ..values.query import Client

# Pairs of a domain and a client that are remembered; the oldest goes first. Some 200 bytes each.
MAX_AUTHORISED = 50_000


class Authorised:
    """Says whether a mail's client is one that its sender's domain has authorised; it remembers."""

    def __init__(self, resolver: Resolver, organisation: Organisation) -> None:
        self._resolver, self._organisation = resolver, organisation
        self._known: dict[tuple[str, str, str], bool] = {}

    async def holds(self, envelope: Envelope) -> bool:
        address = parsed(envelope.sender)
        if address is None:
            return False
        client = client_of(envelope)
        # SPF may name the local part; hardly a record does, and the count is of domains.
        key = (address.domain, client.address, client.name or client.helo)
        if key not in self._known:
            if len(self._known) >= MAX_AUTHORISED:
                del self._known[next(iter(self._known))]
            asker = Asker(self._resolver)
            found = await asker.run(align(address, client, self._organisation))
            self._known[key] = isinstance(found, Passed)
        return self._known[key]


def client_of(envelope: Envelope) -> Client:
    """The client as a mail server would have told of it."""
    logged = envelope.client
    return Client(logged.ip, logged.name, logged.helo, authenticated=bool(logged.login))


def parsed(text: str) -> Address | None:
    """The address that `text` is, if it is one."""
    try:
        return parse_address(text)
    except AddressError:
        return None
