"""Domains with their mail hosts, their DNS and the clients they send from, built one by one in memory.

Each has networks of its own, a /24 each, of addresses that any stranger's could be: nothing here ever reaches
a network. Not here: which domains there are, and what they are for (population.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address

from ..values.query import Client
from .mx import Door
from .personas import Persona, load_personas, parse_personas
from .sim_net import ROUND_TRIP_S, SimHost
from .zone import Behaviour, Node

# Beside the lab's own: hosts whose mailboxes have no list of names, because each mail makes a new one.
_MORE_PERSONAS = """
[list_host]
about = "a mailing list's: takes bounces for whomever they name"
rcpt = { to = "bounces+*@*", say = "250 2.1.5 Ok" }

[rewriting_host]
about = "a forwarder's: takes back what it rewrote (SRS)"
rcpt = { to = "SRS0=*@*", say = "250 2.1.5 Ok" }
"""
PERSONAS = {**load_personas(), **parse_personas(_MORE_PERSONAS, "sites.py", load_personas())}

# Networks are scattered over a /8, so that neighbours have nothing in common: an odd factor finds each once.
FIRST_ADDRESS = int(ip_address("62.0.0.0"))
NETWORKS, NETWORK_SIZE, STRIDE = 65_536, 256, 40_503


Records = Mapping[str, tuple[str, ...]]


class Spf(StrEnum):
    """How a domain ends what it says of its senders; the last three say nothing that can be used."""

    FAIL = "-all"
    SOFT = "~all"
    OPEN = "+all"
    NONE = ""
    BROKEN = "broken"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Manner:
    """How the hosts of a site behave."""

    persona: str = "normal"
    door: Door = Door.OPEN
    round_trip_s: float = ROUND_TRIP_S


@dataclass(frozen=True, slots=True)
class Hoster:
    """A provider whose hosts take the mail of many domains, and whose pool sends it."""

    name: str
    hosts: tuple[SimHost, ...]
    mailboxes: dict[str, set[str]]
    pool: tuple[Client, ...]  # in one /24
    far_pool: tuple[Client, ...]  # in another


@dataclass(frozen=True, slots=True)
class Site:
    """One domain. `mailboxes` are its local parts, and may be added to."""

    domain: str
    hosts: tuple[SimHost, ...]
    mailboxes: set[str]


@dataclass(slots=True)
class Land:
    """Where sites are built: all DNS and all hosts."""

    zone: dict[str, Node] = field(default_factory=dict)
    hosts: list[SimHost] = field(default_factory=list)
    _networks: int = 0

    def network(self) -> str:
        """The first three octets of a /24 that nobody has."""
        self._networks += 1
        number = self._networks * STRIDE % NETWORKS
        return str(ip_address(FIRST_ADDRESS + number * NETWORK_SIZE)).rpartition(".")[0]

    def client(self, ip: str, name: str, helo: str = "") -> Client:
        """Somebody who sends; `name` is his confirmed reverse name, "" for none."""
        if name:
            self.zone[name] = Node({"A": (ip,)})
            self.zone[ip_address(ip).reverse_pointer] = Node({"PTR": (name,)})
        return Client(ip, name, helo or name or "localhost.localdomain")

    def pool(self, name: str, network: str, size: int) -> tuple[Client, ...]:
        """Clients side by side, as large providers send from."""
        return tuple(
            self.client(f"{network}.{number}", f"out{number}.{name}")
            for number in range(101, 101 + size)
        )

    def hoster(self, name: str, manner: Manner, size: int) -> Hoster:
        """A provider with `size` hosts of equal preference, each in a network of its own."""
        mailboxes: dict[str, set[str]] = {}
        hosts = tuple(
            self._host(f"mx{number}.{name}", f"{self.network()}.10", manner, mailboxes)
            for number in range(1, size + 1)
        )
        pools = [self.network(), self.network()]
        said = " ".join(f"ip4:{network}.0/24" for network in pools)
        self.zone[f"_spf.{name}"] = Node({"TXT": (f"v=spf1 {said} -all",)})
        near, far = (self.pool(name, network, 4) for network in pools)
        return Hoster(name, hosts, mailboxes, near, tuple(far))

    def hosted(self, domain: str, hoster: Hoster, spf: Spf) -> Site:
        """A domain whose mail a provider takes and sends."""
        mailboxes = hoster.mailboxes.setdefault(domain, set())
        mx = tuple(f"10 {host.name}" for host in hoster.hosts)
        self._publish(domain, {"MX": mx}, spf, f"include:_spf.{hoster.name}")
        return Site(domain, hoster.hosts, mailboxes)

    def own(
        self, domain: str, manner: Manner, spf: Spf, *, senders: str = "", implicit: bool = False
    ) -> Site:
        """A domain with a host of its own; `implicit`: without MX.

        `senders` is an SPF mechanism for who else may send, or nothing.
        """
        mailboxes: dict[str, set[str]] = {domain: set()}
        name = domain if implicit else f"mx.{domain}"
        host = self._host(name, f"{self.network()}.10", manner, mailboxes)
        records: Records = {"A": (host.ip,)} if implicit else {"MX": (f"10 {name}",)}
        allowed = f"{'a' if implicit else 'mx'} {senders}".rstrip()
        self._publish(domain, records, spf, allowed)
        return Site(domain, (host,), mailboxes[domain])

    def borrowed(self, domain: str, host: SimHost, senders: str) -> Site:
        """A domain whose MX names a host that knows nothing of it: its owner's victim."""
        self._publish(domain, {"MX": (f"10 {host.name}",)}, Spf.FAIL, senders)
        return Site(domain, (host,), set())

    def opt_out(self, name: str) -> None:
        """Say that nobody may call `name`."""
        self.zone[f"_callout.{name}"] = Node({"TXT": ("v=CALLOUT1; p=none",)})

    def _host(self, name: str, ip: str, manner: Manner, mailboxes: dict[str, set[str]]) -> SimHost:
        persona: Persona = PERSONAS[manner.persona]
        host = SimHost(name, ip, persona, mailboxes, manner.round_trip_s, manner.door)
        self.hosts.append(host)
        known = self.zone.get(name, Node())
        self.zone[name] = Node({**known.records, "A": (ip,)})
        self.zone[ip_address(ip).reverse_pointer] = Node({"PTR": (name,)})
        return host

    def _publish(self, domain: str, records: Records, spf: Spf, allowed: str) -> None:
        texts = {
            Spf.NONE: (),
            Spf.UNANSWERED: (),
            Spf.BROKEN: ("v=spf1 ip4:300.1.2.3 -all",),
        }.get(spf, (f"v=spf1 {allowed} {spf}",))
        by_kind = {"TXT": Behaviour.SERVFAIL} if spf is Spf.UNANSWERED else {}
        said = {**records, **({"TXT": texts} if texts else {})}
        self.zone[domain] = Node(said, by_kind=by_kind)
