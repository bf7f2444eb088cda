"""What hosts counted, held against the promises of docs/etiquette.md by another arithmetic than the engine's.

All instants are kept and every hour is looked at, where the engine keeps one number for each budget.
Not here: who counts (stage.py).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from ringback.lab.harm import busiest_hour
from ringback.lab.sim_engine import organisation_of
from ringback.lab.sim_net import Burden, SimHost
from ringback.lab.zone import Node
from ringback.values.settings import Budget

NETWORK_TIMES, STRANGERS_PART = 4, 4


@dataclass(frozen=True, slots=True)
class Asked:
    """One sender that a host was asked for, once for each connection. `at` in seconds of the run."""

    at: float
    ip: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Tally:
    """Instants of one kind, which an hour may hold so many of."""

    of: str
    most: int
    instants: list[float]

    @property
    def excess(self) -> str:
        """What is too much, in words; "" for nothing."""
        found = busiest_hour([Burden(at, "") for at in self.instants])
        return f"{self.of}: {found} in an hour, {self.most} allowed" if found > self.most else ""


def excesses(
    hosts: Collection[SimHost],
    asked: Collection[Asked],
    budget: Budget,
    zone: Mapping[str, Node],
    related: Collection[str],
) -> list[str]:
    """Whatever exceeds a budget. `zone` says which MX organisation a domain belongs to.

    `related`: domains whose mail came from clients of their own; all others are strangers'.
    """
    strangers = [one for one in asked if one.domain not in related]
    tallies = (
        *_connections(hosts, budget),
        *_asked(asked, budget, zone, "", 1),
        *_asked(strangers, budget, zone, "strangers, ", STRANGERS_PART),
    )
    return [tally.excess for tally in tallies if tally.excess]


def _connections(hosts: Iterable[SimHost], budget: Budget) -> Iterator[Tally]:
    networks: defaultdict[str, list[float]] = defaultdict(list)
    for host in hosts:
        instants = [burden.at for burden in host.connections]
        networks[_network(host.ip)] += instants
        yield Tally(f"connections to {host.ip}", budget.per_host, instants)
        refused = [burden.at for burden in host.refused]
        yield Tally(f"refusals of {host.ip}", budget.refused_recipients_per_host, refused)
    for network, instants in networks.items():
        yield Tally(f"connections to {network}", NETWORK_TIMES * budget.per_host, instants)
    everywhere = [at for instants in networks.values() for at in instants]
    yield Tally("connections in all", budget.overall, everywhere)


def _asked(
    asked: Iterable[Asked], budget: Budget, zone: Mapping[str, Node], whose: str, part: int
) -> Iterator[Tally]:
    found: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for one in asked:
        found[f"at {one.ip}", budget.per_host].append(one.at)
        found[f"in {_network(one.ip)}", NETWORK_TIMES * budget.per_host].append(one.at)
        found[f"for {one.domain}", budget.per_domain].append(one.at)
        if organisation := _organisation(one.domain, zone):
            found[f"at hosts of {organisation}", budget.per_domain].append(one.at)
    for (where, most), instants in found.items():
        yield Tally(f"{whose}addresses asked {where}", most // part, instants)


def _network(ip: str) -> str:
    prefix = 24 if ip_address(ip).version == 4 else 48
    return str(ip_network((ip, prefix), strict=False))


def _organisation(domain: str, zone: Mapping[str, Node]) -> str:
    """Whose the MX of a domain is, where all of its records name the same."""
    node = zone.get(domain)
    if node is None:
        return ""
    named = {record.partition(" ")[2] for record in node.records.get("MX", ())} or {domain}
    found = {organisation_of(name) for name in named}
    return found.pop() if len(found) == 1 else ""
