"""Budgets and breakers, as they are shown."""

import pytest

from door_fakes import NOON
from fakes import FakeOutside
from ringback.doors.http.allowances import (
    allowance_of,
    breakers_of,
    charge_overall,
    charges_of_domain,
    charges_of_host,
)
from ringback.rules.breakers import REFUSAL_PAUSE_S, State
from ringback.rules.pacing import Charge, Rate
from ringback.store.memory import MemoryStore
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.settings import Budget

BUDGET = Budget(per_host=40, per_domain=60, overall=1_000)
ORGANISATION = FakeOutside.organisation_of


@pytest.mark.parametrize("spent", [0, 1, 7, 10])
async def test_what_is_left_is_told_without_charging(spent: int) -> None:
    store, charge = MemoryStore(), Charge("host 192.0.2.1", Rate(40), "callouts at this host")
    for _ in range(spent):
        await store.spend((charge,), None, 100.0)
    first = await allowance_of(store, charge, 100.0)
    again = await allowance_of(store, charge, 100.0)

    assert (10 - spent, spent, 10, 40) == (first.left, first.used, first.burst, first.per_hour)
    assert first == again


async def test_what_is_used_up_grows_again() -> None:
    store, charge = MemoryStore(), Charge("x", Rate(40), "x")
    while await store.spend((charge,), None, 0.0) is None:
        pass
    later = await allowance_of(store, charge, 2 * charge.rate.interval_s)

    assert 2 == later.left


def test_the_budgets_of_a_domain_and_of_a_host() -> None:
    of_domain = charges_of_domain("mail.shop.example", BUDGET, ORGANISATION)
    of_host = charges_of_host("192.0.2.1", BUDGET, ORGANISATION)

    assert ["mx shop.example", "domain mail.shop.example"] == [charge.key for charge in of_domain]
    assert ["host 192.0.2.1", "net 192.0.2.0/24", "refused 192.0.2.1"] == [
        charge.key for charge in of_host
    ]
    assert "all" == charge_overall(BUDGET, ORGANISATION).key


def test_a_breaker_tells_when_it_tries_again() -> None:
    until = NOON + 7 * 86_400
    facts = (
        Fact("192.0.2.1", HostFact.REFUSES_US, NOON, until),
        Fact("192.0.2.1 shop.example", HostFact.REFUSES_US, NOON - 86_400, until),
        Fact("192.0.2.2", HostFact.REFUSES_US, NOON, until, strikes=0),
        Fact("192.0.2.3", HostFact.REFUSES_US, NOON - 99_999, NOON),
        Fact("shop.example", DomainFact.SELECTIVE, NOON, until),
    )
    shown = breakers_of(facts, NOON + 1)

    assert [("192.0.2.1", "", State.OPEN), ("192.0.2.1", "shop.example", State.HALF_OPEN)] == [
        (breaker.ip, breaker.domain, breaker.state) for breaker in shown
    ]
    assert NOON + REFUSAL_PAUSE_S == shown[0].tries_again_at
