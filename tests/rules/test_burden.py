"""What a callout is charged to, and when only a quarter is left for it."""

import pytest

from ringback.rules.burden import (
    FORGED_WINDOW_S,
    Target,
    are_related,
    charges_for,
    forgery_charge,
    network_of,
    refusal_charge,
    wish_charge,
)
from ringback.rules.pacing import Rate, is_used_up
from ringback.values.query import Client
from ringback.values.settings import Budget

BUDGET = Budget(per_host=60, per_domain=40, overall=1_000, refused_recipients_per_host=20)
TARGET = Target("192.0.2.7", "mx1.provider.example", "shop.example")
STRANGER = Client("198.51.100.9", "client.elsewhere.example")


def organisation(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def rates(target: Target = TARGET, client: Client | None = None) -> dict[str, int]:
    charges = charges_for(target, client, BUDGET, organisation)
    return {charge.key: charge.rate.number for charge in charges}


def test_an_operators_callout_is_charged_to_all_who_bear_it() -> None:
    assert rates() == {
        "host 192.0.2.7": 60,
        "net 192.0.2.0/24": 240,
        "mx provider.example": 40,
        "domain shop.example": 40,
        "all": 1_000,
    }


def test_a_strangers_callout_has_a_quarter_as_well() -> None:
    for_strangers = {key: rate for key, rate in rates(client=STRANGER).items() if "stra" in key}

    assert for_strangers == {
        "strangers host 192.0.2.7": 15,
        "strangers net 192.0.2.0/24": 60,
        "strangers mx provider.example": 10,
        "strangers domain shop.example": 10,
    }
    assert rates().items() <= rates(client=STRANGER).items()


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (Client("198.51.100.9", "out.provider.example"), True),
        (Client("192.0.2.200"), True),
        (Client("::ffff:192.0.2.200"), True),
        (Client("", ""), False),
        (STRANGER, False),
    ],
)
def test_who_shares_a_network_or_an_organisation_is_no_stranger(
    client: Client, expected: bool
) -> None:
    assert expected is are_related(TARGET, client, organisation)
    assert expected is (rates() == rates(client=client))


def test_a_small_budget_leaves_strangers_one() -> None:
    charges = charges_for(TARGET, STRANGER, Budget(per_host=2), organisation)

    assert ("strangers host 192.0.2.7", Rate(1)) in [(it.key, it.rate) for it in charges]


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("unknown", "unknown"),
    ],
)
def test_neighbours_are_one_network(ip: str, network: str) -> None:
    assert network == network_of(ip)


@pytest.mark.parametrize("ip", ["::ffff:192.0.2.7", "64:ff9b::c000:207", "2002:c000:207::1"])
def test_an_address_that_carries_another_shares_its_budgets(ip: str) -> None:
    carried, plain = TARGET.but(ip=ip), TARGET.but(ip="192.0.2.7")

    assert rates(plain) == rates(carried)
    assert refusal_charge("192.0.2.7", BUDGET) == refusal_charge(ip, BUDGET)


def test_a_budget_may_be_of_any_size() -> None:
    budget = BUDGET.but(per_host=7_919)  # of no other test: rates are remembered

    charges = charges_for(TARGET, None, budget, organisation)

    assert ("host 192.0.2.7", Rate(7_919)) in [(it.key, it.rate) for it in charges]


def test_refusals_of_a_forged_domain_are_counted_for_longer() -> None:
    charge = forgery_charge("shop.example", BUDGET)

    assert ("forged shop.example", Rate(20, FORGED_WINDOW_S)) == (charge.key, charge.rate)


def test_nobody_counts_as_forged_for_no_more_than_an_unclean_stop_of_ours() -> None:
    forged, refused = forgery_charge("shop.example", BUDGET), refusal_charge("192.0.2.7", BUDGET)
    used_up = [is_used_up(charge, None, 1.0, empty_since=1.0) for charge in (forged, refused)]

    assert used_up == [False, True]


def test_what_a_host_refused_and_what_an_owner_allows_have_budgets_of_their_own() -> None:
    refused, wish = refusal_charge("192.0.2.7", BUDGET), wish_charge("shop.example", 5)

    assert ("refused 192.0.2.7", Rate(20)) == (refused.key, refused.rate)
    assert ("wish shop.example", Rate(5)) == (wish.key, wish.rate)
    assert "shop.example" in wish.name
