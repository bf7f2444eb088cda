"""Domains with their hosts, DNS and clients."""

from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.zone import Behaviour


def test_networks_are_handed_out_once_and_far_apart() -> None:
    land = Land()
    networks = [land.network() for _ in range(5_000)]

    assert 5_000 == len(set(networks))
    assert len({network.rpartition(".")[0] for network in networks}) > 200


def test_a_domain_with_a_host_of_its_own() -> None:
    land = Land()
    site = land.own("shop.example", Manner("slow"), Spf.FAIL, senders="ip4:192.0.2.0/24")
    host = site.hosts[0]
    site.mailboxes.add("ann")

    assert ("mx.shop.example", "slow") == (host.name, host.persona.name)
    assert {"ann"} == host.mailboxes["shop.example"]
    assert {
        "MX": ("10 mx.shop.example",),
        "TXT": ("v=spf1 mx ip4:192.0.2.0/24 -all",),
    } == land.zone["shop.example"].records
    assert (host.ip,) == land.zone["mx.shop.example"].records["A"]


def test_a_domain_that_is_its_own_host() -> None:
    land = Land()
    site = land.own("shop.example", Manner(), Spf.SOFT, implicit=True)

    assert {"A": (site.hosts[0].ip,), "TXT": ("v=spf1 a ~all",)} == land.zone[
        "shop.example"
    ].records


def test_a_domain_at_a_provider_shares_its_hosts_and_its_pool() -> None:
    land = Land()
    hoster = land.hoster("big.example", Manner(), 2)
    first = land.hosted("first.example", hoster, Spf.FAIL)
    second = land.hosted("second.example", hoster, Spf.NONE)
    first.mailboxes.add("ann")

    assert first.hosts == second.hosts == hoster.hosts
    assert {"first.example": {"ann"}, "second.example": set()} == hoster.hosts[0].mailboxes
    assert ("v=spf1 include:_spf.big.example -all",) == land.zone["first.example"].records["TXT"]
    assert "TXT" not in land.zone["second.example"].records
    network = hoster.pool[0].address.rpartition(".")[0]
    assert f"ip4:{network}.0/24" in land.zone["_spf.big.example"].records["TXT"][0]
    assert all(client.address.startswith(f"{network}.") for client in hoster.pool)
    assert not any(client.address.startswith(f"{network}.") for client in hoster.far_pool)


def test_spf_that_nobody_can_use() -> None:
    land = Land()
    land.own("broken.example", Manner(), Spf.BROKEN)
    land.own("unanswered.example", Manner(), Spf.UNANSWERED)

    assert ("v=spf1 ip4:300.1.2.3 -all",) == land.zone["broken.example"].records["TXT"]
    assert Behaviour.SERVFAIL is land.zone["unanswered.example"].behaves("TXT")
    assert Behaviour.ANSWER is land.zone["unanswered.example"].behaves("MX")


def test_a_victim_is_named_as_host_by_somebody_else() -> None:
    land = Land()
    victim = land.own("victim.example", Manner(), Spf.FAIL).hosts[0]
    site = land.borrowed("spam.example", victim, "ip4:192.0.2.0/24")

    assert (victim,) == site.hosts
    assert (f"10 {victim.name}",) == land.zone["spam.example"].records["MX"]
    assert "spam.example" not in victim.mailboxes


def test_names_of_clients_lead_back_to_them() -> None:
    land = Land()
    named = land.client("192.0.2.7", "out.shop.example")
    nameless = land.client("192.0.2.8", "")

    assert ("192.0.2.7",) == land.zone["out.shop.example"].records["A"]
    assert ("out.shop.example",) == land.zone["7.2.0.192.in-addr.arpa"].records["PTR"]
    assert ("out.shop.example", "") == (named.name, nameless.name)
    assert "8.2.0.192.in-addr.arpa" not in land.zone


def test_an_owner_who_says_no() -> None:
    land = Land()
    land.opt_out("shop.example")

    assert ("v=CALLOUT1; p=none",) == land.zone["_callout.shop.example"].records["TXT"]
