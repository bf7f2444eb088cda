"""Who is never called, whatever else holds: exemptions, the local opt-out list, and our own contact. Pure.

`Exemptions.exempt` needs nobody's help and comes before the store is asked; `Exemptions.forbid` comes
before a callout, and does not touch what is remembered already.
Not here: what the DNS says of a client (rules/gates.py), opt-out records (rules/optout.py), networks that are
never called (rules/networks.py), budgets (rules/burden.py).
"""

from collections.abc import Iterable
from ipaddress import ip_network

from ..errors import AddressError
from ..values.address import Address, parse_address, parse_domain
from ..values.query import RECIPIENT, SENDER, Query
from ..values.record import Record
from ..values.settings import Settings
from ..values.verdict import Reason
from .forwarding import Routes
from .gates import Gate
from .networks import parse_host

NULL_SENDERS = frozenset({"", "<>"})
POSTMASTER = "postmaster"  # RFC 5321 section 4.5.1
_LOOPBACK = ("127.0.0.0/8", "::1")


class Refusal(Record, frozen=True):
    """A gate that said no: the reason to report, the gate's name, and what was found there.

    `retry_at`: when the same mail may find it open; None if waiting does not open it.
    """

    reason: Reason
    gate: Gate
    why: str = ""
    retry_at: float | None = None


def _not_asked(gate: Gate) -> Refusal:
    return Refusal(Reason.NOT_ASKED, gate)


class Networks(Record, frozen=True):
    """A set of networks; asking costs one look-up per prefix length in use, not per network."""

    members: frozenset[tuple[int, int, int]]  # version, prefix length, leading bits
    lengths: tuple[tuple[int, int, int], ...]  # version, prefix length, bits to drop

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Networks":
        """Read networks in CIDR form, or addresses alone. Raises ValueError."""
        networks = [ip_network(text) for text in texts]
        lengths = {(n.version, n.prefixlen, n.max_prefixlen - n.prefixlen) for n in networks}
        members = {
            (n.version, n.prefixlen, int(n.network_address) >> n.max_prefixlen - n.prefixlen)
            for n in networks
        }
        return cls(frozenset(members), tuple(sorted(lengths)))

    def __contains__(self, text: str) -> bool:
        if not self.members:
            return False
        try:
            address = parse_host(text)
        except ValueError:
            return False
        bits = int(address)
        return any(
            version == address.version and (version, prefix, bits >> drop) in self.members
            for version, prefix, drop in self.lengths
        )


class Names(Record, frozen=True):
    """A set of addresses and domains: "ann@example.org", "example.org", ".example.org" with all below."""

    addresses: frozenset[str]
    domains: frozenset[str]
    trees: frozenset[str]  # domains that count with all their subdomains

    @classmethod
    def parse(cls, texts: Iterable[str], *, whole_trees: bool = False) -> "Names":
        """Read entries; `whole_trees` takes every domain with its subdomains. Raises AddressError."""
        addresses, domains, trees = set(), set(), set()
        for text in texts:
            if "@" in text:
                addresses.add(_folded_case(parse_address(text)))
            elif whole_trees or text.startswith("."):
                trees.add(parse_domain(text.removeprefix(".")))
            else:
                domains.add(parse_domain(text))
        return cls(frozenset(addresses), frozenset(domains), frozenset(trees))

    def holds(self, address: Address) -> bool:
        if self.holds_domain(address.domain):
            return True
        return bool(self.addresses) and _folded_case(address) in self.addresses

    def holds_domain(self, domain: str) -> bool:
        """`domain` is in A-labels and lower case, without a final dot."""
        return domain in self.domains or (bool(self.trees) and self._holds_tree(domain))

    def _holds_tree(self, domain: str) -> bool:
        labels = domain.split(".")
        return any(".".join(labels[start:]) in self.trees for start in range(len(labels)))


def _folded_case(address: Address) -> str:
    # An operator who writes Ann@example.org means ann@example.org too; no verdict hangs on it.
    return address.key.lower()


class Exemptions(Record, frozen=True):
    """The settings that say who is never called, made ready for one look-up per query."""

    clients: Networks
    own_domains: Names
    senders: Names
    opted_out: Names
    has_contact: bool
    routes: Routes
    helo_name: str
    ourselves: Networks  # where our own callouts come from

    @classmethod
    def parse(cls, settings: Settings) -> "Exemptions":
        """Make ready what `settings` holds, which has passed its rules already."""
        etiquette = settings.etiquette
        own_sender = [settings.identity.probe_sender] if settings.identity.probe_sender else []
        return cls(
            clients=Networks.parse(etiquette.exempt_clients),
            own_domains=Names.parse(settings.policy.own_domains),
            # Replies to our own probes are not asked back, or two verifiers would never end.
            senders=Names.parse([*etiquette.exempt_senders, *own_sender]),
            # The wish of an owner is read widely: for his domain and all that is below it.
            opted_out=Names.parse(etiquette.opted_out, whole_trees=True),
            has_contact=bool(settings.identity.contact),
            routes=Routes.of(settings.recipient.route),
            helo_name=settings.identity.helo_name.lower(),
            ourselves=Networks.parse(
                [
                    *_LOOPBACK,
                    *settings.identity.source_addresses,
                    *settings.identity.public_addresses,
                ]
            ),
        )

    def exempt(self, query: Query) -> Refusal | None:
        """Return the gate that answers without asking anyone, store included."""
        if query.address in NULL_SENDERS:
            return _not_asked(Gate.NULL_SENDER)
        client = query.client
        if client is not None:
            if client.authenticated:
                return _not_asked(Gate.AUTHENTICATED_CLIENT)
            if client.address in self.clients:
                return _not_asked(Gate.EXEMPT_CLIENT)
        if query.purpose is RECIPIENT:
            return self._exempt_recipient(query)
        return self._exempt_address(query)

    def _exempt_recipient(self, query: Query) -> Refusal | None:
        """A recipient with a route is ours, and postmaster's mailbox is worth asking for there."""
        address = _parsed(query.address)
        if address is None:
            return None
        if self.routes.find(address.domain) is None:
            return _not_asked(Gate.NO_ROUTE)
        client = query.client
        # The route leads back to this very host: it would ask itself for ever.
        if client and client.helo.lower() == self.helo_name and client.address in self.ourselves:
            return Refusal(Reason.OUR_TROUBLE, Gate.OWN_CALLOUT)
        return None

    def _exempt_address(self, query: Query) -> Refusal | None:
        # Folding only takes off; most names need not be looked at for this.
        if POSTMASTER in query.address.lower() and _is_postmaster(query.address):
            return _not_asked(Gate.POSTMASTER)
        address = _parsed(query.address)
        if address is None:
            return None  # impossible syntax is a verdict of its own
        if query.purpose is SENDER and self.own_domains.holds(address):
            return _not_asked(Gate.OWN_DOMAIN)
        return _not_asked(Gate.EXEMPT_SENDER) if self.senders.holds(address) else None

    def forbid(self, query: Query) -> Refusal | None:
        """Return the gate that stands before a callout, whoever asks; none stands before our own hosts."""
        if query.purpose is RECIPIENT:
            return None
        if not self.has_contact:
            return Refusal(Reason.IDENTITY_UNFIT, Gate.NO_CONTACT)
        address = _parsed(query.address)
        if address is None:
            return None
        if self.opted_out.holds(address):
            return Refusal(Reason.OPTED_OUT, Gate.OPTED_OUT_DOMAIN)
        return None

    def forbid_host(self, host: str) -> Refusal | None:
        """Return the gate that stands before one MX name: who runs it may say no for all it serves."""
        if self.opted_out.holds_domain(host.lower().removesuffix(".")):
            return Refusal(Reason.OPTED_OUT, Gate.OPTED_OUT_HOST)
        return None


def _is_postmaster(text: str) -> bool:
    if text.partition("@")[0].lower() == POSTMASTER:  # RFC 5321 lets it stand alone
        return True
    address = _parsed(text)
    return address is not None and address.folded_key.startswith(f"{POSTMASTER}@")


def _parsed(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressError:
        return None
