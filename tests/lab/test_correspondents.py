"""Who writes honestly."""

from collections import Counter

import pytest

from ringback.lab.correspondents import Correspondent, Kind
from ringback.lab.population import Population, Sizes, populate

SIZES = Sizes(innocents=20, correspondents=400, bots=5)


@pytest.fixture(scope="module")
def people() -> Population:
    return populate("1", SIZES)


def _of(people: Population, kind: Kind) -> list[Correspondent]:
    return [one for one in people.correspondents.things if one.kind is kind]


def _domain(one: Correspondent) -> str:
    return one.sender.rpartition("@")[2]


def test_every_kind_writes(people: Population) -> None:
    counts = Counter(one.kind for one in people.correspondents.things)

    assert set(Kind) == set(counts)
    assert counts[Kind.SPF] > counts[Kind.POOL] > counts[Kind.SILENT_SPF]


def test_mailboxes_of_the_honest_exist_where_hosts_have_lists_of_them(people: Population) -> None:
    hosts = {host.name: host for host in people.land.hosts}
    for one in people.correspondents.things:
        local, _, domain = one.sender.rpartition("@")
        names = [mx.partition(" ")[2] for mx in people.land.zone[domain].records["MX"]]
        tagged = one.kind in (Kind.LIST, Kind.REWRITTEN)

        assert all(tagged or local in hosts[name].mailboxes[domain] for name in names)


def test_pools_try_again_from_another_host_of_their_network_and_some_from_another(
    people: Population,
) -> None:
    networks = [
        len({client.address.rpartition(".")[0] for client in one.clients})
        for one in _of(people, Kind.POOL)
    ]

    assert {1, 2} == set(networks)
    assert networks.count(1) > networks.count(2)
    assert all(len(one.clients) >= 4 for one in _of(people, Kind.POOL))


def test_what_aligns_and_what_does_not(people: Population) -> None:
    zone = people.land.zone
    for one in _of(people, Kind.SPF):
        network = one.clients[0].address.rpartition(".")[0]
        assert f"ip4:{network}.0/24" in zone[_domain(one)].records["TXT"][0]
    for one in _of(people, Kind.HOST):
        assert zone[f"mx.{_domain(one)}"].records["A"] == (one.clients[0].address,)
    for one in _of(people, Kind.NAME):
        assert one.clients[0].name.endswith(f".{_domain(one)}")
        assert "TXT" not in zone[_domain(one)].records
    for one in _of(people, Kind.UNALIGNED):
        assert not one.clients[0].name.endswith(f".{_domain(one)}")
        assert "TXT" not in zone[_domain(one)].records
    for one in _of(people, Kind.NO_NAME):
        assert one.clients[0].name == ""


def test_forwarders_and_lists(people: Population) -> None:
    zone = people.land.zone
    for one in _of(people, Kind.FORWARDED):
        assert zone[_domain(one)].records["TXT"][0].startswith("v=spf1 mx ")
    for one in _of(people, Kind.REWRITTEN):
        assert one.sender.startswith("SRS0=")
    for one in _of(people, Kind.LIST):
        assert "{serial}" in one.sender and "{user}" in one.sender


def test_everybody_writes_to_some_of_us(people: Population) -> None:
    users = set(people.users)

    assert all(
        1 <= len(one.recipients) <= 3 and users.issuperset(one.recipients)
        for one in people.correspondents.things
    )
