"""A spammer's own DNS aimed at victims: his domains vouch for him, and his MX records name whom he likes."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from ringback.lab.sites import Land
from ringback.lab.traffic import Message
from ringback.lab.zone import Behaviour, Node
from ringback.values.query import Client
from ringback.values.settings import CallWhen

from .stage import HOUR_S, RETRIES, Stage, Turn, add_host, forged, spread

MESSAGES, OVER_S = 1_500, 3 * HOUR_S
SPAMMER = Client("81.0.0.25", "dsl25.access.example", "out.deals.example")
NARROW = f"v=spf1 ip4:{SPAMMER.address} -all"
VICTIMS = ("62.1.2.3", "62.1.2.4", "62.1.9.9")
MODES = list(CallWhen)


def publish(land: Land, domain: str, *mx: str, spf: str = NARROW) -> None:
    """What the spammer says of a domain of his."""
    records = {"MX": tuple(f"10 {name}" for name in mx), "TXT": (spf,)}
    land.zone[domain] = Node(records, ttl_s=60)


def from_each(
    domains: list[str], count: int = MESSAGES, client: Client = SPAMMER
) -> Iterator[Message]:
    for number, at in spread(count, OVER_S):
        sender = f"offer-{number}@{domains[number % len(domains)]}"
        yield forged(number, at, sender, client, RETRIES)


def total(stage: Stage) -> int:
    return sum(len(host.connections) for host in stage.street.hosts.values())


def with_vanity_names(land: Land, ips: tuple[str, ...], count: int) -> list[str]:
    """Domains each of which calls a victim's address by an MX name of its own."""
    domains = [f"vanity{number}.example" for number in range(count)]
    for number, domain in enumerate(domains):
        land.zone[f"mx.{domain}"] = Node({"A": (ips[number % len(ips)],)})
        publish(land, domain, f"mx.{domain}")
    return domains


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_vanity_names_on_one_address(mode: CallWhen) -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    stage = Stage(land, mode).play(from_each(with_vanity_names(land, VICTIMS[:1], 1_000)))

    assert [] == stage.excesses()
    assert total(stage) > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_vanity_names_in_one_network(mode: CallWhen) -> None:
    land, ips = Land(), tuple(f"62.1.2.{number}" for number in range(1, 101))
    for ip in ips:
        add_host(land, f"mx{ip}.victim.example", ip)
    stage = Stage(land, mode).play(from_each(with_vanity_names(land, ips, 1_000)))

    assert [] == stage.excesses()
    assert total(stage) > 60


@pytest.mark.slow
def test_a_network_of_ipv6_bears_no_more_than_one_of_ipv4() -> None:
    land, ips = Land(), tuple(f"2a00:2:3:{number:x}::1" for number in range(1, 101))
    for number, ip in enumerate(ips):
        add_host(land, f"mx{number}.victim.example", ip)
    domains = [f"vanity{number}.example" for number in range(1_000)]
    for number, domain in enumerate(domains):
        land.zone[f"mx.{domain}"] = Node({"AAAA": (ips[number % len(ips)],)})
        publish(land, domain, f"mx.{domain}")
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(domains))

    assert [] == stage.excesses()
    assert total(stage) > 60


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_thousand_domains_at_the_hosts_of_one_organisation(mode: CallWhen) -> None:
    land = Land()
    names = [f"mx{number}.victim.example" for number in range(200)]
    for number, name in enumerate(names):
        add_host(land, name, f"62.{number}.2.3")
    domains = [f"deals{number}.example" for number in range(1_000)]
    for number, domain in enumerate(domains):
        publish(land, domain, names[number % len(names)])
    stage = Stage(land, mode).play(from_each(domains))

    assert [] == stage.excesses()
    assert total(stage) > 0


@pytest.mark.slow
@pytest.mark.parametrize("spf", [NARROW, "v=spf1 +all"])
@pytest.mark.parametrize("mode", MODES)
def test_an_mx_that_points_at_a_victim(mode: CallWhen, spf: str) -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    publish(land, "deals.example", "mx.victim.example", spf=spf)
    stage = Stage(land, mode).play(from_each(["deals.example"]))

    assert [] == stage.excesses()
    assert (total(stage) > 0) is (mode is not CallWhen.ALIGNED or spf == NARROW)


@pytest.mark.slow
def test_a_chain_of_includes_that_ends_in_everybody_vouches_for_nobody() -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    publish(land, "deals.example", "mx.victim.example", spf="v=spf1 include:_1.deals.example -all")
    for number in range(1, 8):
        say = "+all" if number == 7 else f"include:_{number + 1}.deals.example -all"
        land.zone[f"_{number}.deals.example"] = Node({"TXT": (f"v=spf1 {say}",)})
    stage = Stage(land, CallWhen.ALIGNED).play(from_each(["deals.example"], 500))

    assert 0 == total(stage)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_mx_that_turns_to_another_victim_every_minute(mode: CallWhen) -> None:
    land, names = Land(), [f"mx.victim{number}.example" for number in range(len(VICTIMS))]
    for name, ip in zip(names, VICTIMS, strict=True):
        add_host(land, name, ip)

    def turn_to(name: str) -> Turn:
        return lambda stage: publish(stage.land, "deals.example", name)

    turns = [(60.0 * minute, turn_to(names[minute % len(names)])) for minute in range(180)]
    publish(land, "deals.example", names[0])
    stage = Stage(land, mode).play(from_each(["deals.example"]), turns)

    assert [] == stage.excesses(organisations=False)
    assert total(stage) > 0


@pytest.mark.slow
def test_fifty_mx_records_of_victims_who_refuse_us() -> None:
    land = Land()
    names = [f"mx.victim{number}.example" for number in range(50)]
    for number, name in enumerate(names):
        add_host(land, name, f"62.{number}.2.3", "blocks_us")
    publish(land, "deals.example", *names)
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(["deals.example"]))
    by_sender = max(
        sum(burden.cause == cause for host in land.hosts for burden in host.connections)
        for cause in {burden.cause for host in land.hosts for burden in host.connections}
    )

    assert [] == stage.excesses()
    assert by_sender <= stage.settings.smtp.max_hosts


@pytest.mark.slow
def test_mx_names_that_are_aliases_of_a_victim() -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    domains = [f"vanity{number}.example" for number in range(300)]
    for domain in domains:
        land.zone[f"mx.{domain}"] = Node(cname=f"alias.{domain}")
        land.zone[f"alias.{domain}"] = Node(cname="mx.victim.example")
        publish(land, domain, f"mx.{domain}")
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(domains))

    assert [] == stage.excesses()
    assert total(stage) > 0


SPELLINGS = (
    "62.1.2.3",
    "::ffff:62.1.2.3",
    "::ffff:3e01:203",
    "0:0:0:0:0:ffff:3e01:0203",
    "64:ff9b::3e01:203",
)


@pytest.mark.slow
def test_one_address_spelled_in_several_ways_has_one_budget() -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    domains = [f"vanity{number}.example" for number in range(400)]
    for number, domain in enumerate(domains):
        ip = SPELLINGS[number % len(SPELLINGS)]
        land.zone[f"mx.{domain}"] = Node({"AAAA" if ":" in ip else "A": (ip,)})
        publish(land, domain, f"mx.{domain}")
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(domains))

    assert [] == stage.excesses()
    assert total(stage) > 0


@pytest.mark.slow
def test_literals_of_a_victims_address_have_one_budget() -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    literals = [f"[{'IPv6:' if ':' in ip else ''}{ip}]" for ip in SPELLINGS]
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(literals))

    assert [] == stage.excesses()
    assert total(stage) > 0


@pytest.mark.slow
def test_one_who_shares_the_organisation_of_his_own_mx_names_gets_the_whole_budget_and_no_more() -> (
    None
):
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0], "accept_all")
    domains = [f"d{number}.deals.example" for number in range(1_000)]
    for domain in domains:
        land.zone[f"mx.{domain}"] = Node({"A": (VICTIMS[0],)})
        publish(land, domain, f"mx.{domain}")
    land.hosts[0].mailboxes = {domain: set() for domain in domains}
    named = SPAMMER.but(name="out.deals.example")
    stage = Stage(land, CallWhen.ALIGNED).play(from_each(domains, client=named))

    assert [] == stage.excesses(related=domains)
    assert stage.excesses()  # of a stranger's quarter


OPT_OUTS = (
    Node({"TXT": ("v=CALLOUT1; p=none",)}, ttl_s=60),
    Node(behaviour=Behaviour.NXDOMAIN),
    Node(behaviour=Behaviour.SERVFAIL),
    Node({"TXT": ("v=CALLOUT1; p=allow; rate=5/h",)}, ttl_s=60),
)


@pytest.mark.slow
@pytest.mark.parametrize("owner", ["deals.example", "victim.example"])
def test_opt_outs_that_come_and_go(owner: str) -> None:
    land = Land()
    add_host(land, "mx.victim.example", VICTIMS[0])
    publish(land, "deals.example", "mx.victim.example")

    def say(node: Node) -> Turn:
        return lambda stage: stage.land.zone.update({f"_callout.{owner}": replace(node)})

    turns = [(600.0 * part, say(OPT_OUTS[part % len(OPT_OUTS)])) for part in range(18)]
    stage = Stage(land, CallWhen.ALWAYS).play(from_each(["deals.example"]), turns)
    forbidden = [
        burden.at
        for burden, part in product(land.hosts[0].connections, range(0, 18, 2))
        # Those under way at the moment of the change had asked before.
        if 600.0 * part + 30.0 <= burden.at < 600.0 * (part + 1)
    ]

    assert [] == stage.excesses()
    assert [] == forbidden
    assert total(stage) > 0
