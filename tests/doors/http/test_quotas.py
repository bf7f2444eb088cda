"""How often, and how much at a time."""

import pytest

from fakes import FakeClock
from ringback.doors.http.quotas import Places, Rates, network_of


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::1", "20010db800000001/64"),
        ("2001:db8:0:1:ffff::9", "20010db800000001/64"),
        ("fe80::1%eth0", "fe80000000000000/64"),
        ("unix", "unix"),
    ],
)
def test_a_client_is_its_address_or_its_network(peer: str, network: str) -> None:
    assert network == network_of(peer)


def test_a_client_may_ask_again_when_it_was_told_that_it_may() -> None:
    clock = FakeClock()
    rates = Rates(400, 10, clock.elapsed)
    spent = [rates.spend("ann") for _ in range(101)]
    wait_s = rates.wait_s("ann")
    clock.advance(wait_s - 1)
    early = rates.spend("ann")
    clock.advance(1)

    assert [True] * 100 + [False] == spent
    assert (12, False, True) == (wait_s, early, rates.spend("ann"))
    assert rates.spend("bob")


def test_of_too_many_clients_the_one_seen_longest_ago_is_forgotten() -> None:
    rates = Rates(1, 2, FakeClock().elapsed)
    for client in ("ann", "bob", "cid"):
        rates.spend(client)

    assert [False, False, True] == [rates.spend(client) for client in ("bob", "cid", "ann")]


def test_places_are_counted_for_each_and_for_all() -> None:
    places = Places(most=3, most_each=2)
    taken = [places.take("ann"), places.take("ann"), places.take("ann"), places.take("bob")]
    full = places.is_full
    places.give_back("bob")

    assert [True, True, False, True] == taken
    assert (True, False) == (full, places.is_full)
