"""Who there is, and in which proportions."""

from collections import Counter

import pytest

from ringback.lab.dice import Dice
from ringback.lab.population import CANARY, Population, Sizes, populate


@pytest.fixture(scope="module")
def people() -> Population:
    return populate("1", Sizes(correspondents=50))


def _domains(people: Population) -> list[str]:
    return [addresses[0].rpartition("@")[2] for addresses in people.forged.things]


def test_a_seed_makes_the_same_people() -> None:
    sizes = Sizes(innocents=30, correspondents=30, bots=10)
    first, second, other = populate("1", sizes), populate("1", sizes), populate("2", sizes)

    assert first.land.zone == second.land.zone != other.land.zone
    assert first.bots == second.bots != other.bots
    assert first.correspondents.things == second.correspondents.things


def test_innocents_are_forged_with_a_heavy_tail(people: Population) -> None:
    dice = Dice("tail")
    drawn = Counter(people.forged.draw(dice)[0].rpartition("@")[2] for _ in range(10_000))

    assert 500 == len(people.forged.things)
    assert "freemail1.example" == drawn.most_common(1)[0][0]
    # 1 of 6.8, and half of all domains together less than a tenth
    assert 1_350 < drawn["freemail1.example"] < 1_600
    assert sum(drawn[domain] for domain in _domains(people)[250:]) < 1_150


def test_some_of_the_forged_addresses_exist(people: Population) -> None:
    boxes = {
        f"{local}@{domain}"
        for host in people.land.hosts
        for domain, locals_ in host.mailboxes.items()
        for local in locals_
    }
    forged = [address for addresses in people.forged.things for address in addresses]
    existing = sum(address in boxes for address in forged)

    assert 0.15 < existing / len(forged) < 0.25


def test_innocents_publish_spf_or_not(people: Population) -> None:
    ends = Counter(
        (people.land.zone[domain].records.get("TXT") or ("none",))[0].split()[-1]
        for domain in _domains(people)
    )

    assert {"-all", "~all", "none", "+all"} == set(ends)
    assert 120 < ends["-all"] < 230
    assert 120 < ends["~all"] < 230
    assert 100 < ends["none"] < 200


def test_innocents_have_hosts_of_their_own_or_at_providers(people: Population) -> None:
    shared = sum(
        "hoster" in str(people.land.zone[domain].records.get("MX")) for domain in _domains(people)
    )
    manners = Counter(
        host.persona.name for host in people.land.hosts if host.ip in people.innocent_ips
    )

    assert 180 < shared < 270
    assert {"accept_all", "greylisting", "refuses_bounces", "blocks_us"} <= set(manners)
    assert manners["normal"] > sum(manners.values()) / 2
    assert any("A" in people.land.zone[domain].records for domain in _domains(people))


def test_bots_have_networks_of_their_own(people: Population) -> None:
    networks = {bot.address.rpartition(".")[0] for bot in people.bots}
    hosts = {host.ip.rpartition(".")[0] for host in people.land.hosts}

    assert 500 == len(networks)
    assert not networks & hosts
    assert 0.5 < sum(bool(bot.name) for bot in people.bots) / 500 < 0.7


def test_spammers_speak_for_their_own_domains(people: Population) -> None:
    zone = people.land.zone
    first, second, *rest = people.spammers

    assert "mx1.hoster1.example" in zone["deals0.example"].records["MX"][0]
    assert zone["deals1.example"].records["TXT"][0].endswith("+all")
    for spammer in (first, second, *rest):
        network = spammer.client.address.rpartition(".")[0]
        domain = spammer.senders[0].rpartition("@")[2]
        assert f"ip4:{network}.0/24" in zone[domain].records["TXT"][0]


def test_a_few_have_opted_out_and_the_canary_lives(people: Population) -> None:
    opted_out = [name for name in people.land.zone if name.startswith("_callout.")]

    assert 2 <= len(opted_out) <= 25
    assert people.land.zone[CANARY].records["A"]
