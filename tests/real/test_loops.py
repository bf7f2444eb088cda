"""Routes that lead in a circle, by a slip of the operator: every wait ends, and mail comes back later."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from .conftest import Servers
from .servers.program import Program, Ringback
from .test_call_forward import Front, Site

pytestmark = pytest.mark.real_more

DOMAIN = "loop.test"
# smtp.answer_within_s, at two gateways that wait for each other, and a slow machine.
PATIENCE_S = 30.0
MESSAGES = 5


def connections(ringback: Ringback) -> int:
    """How often the host of a route was called."""
    events = map(json.loads, ringback.service.logs().splitlines())
    calls = [it for it in events if it["event"] == "called_out" and it["purpose"] == "recipient"]
    return sum(it["connections"] for it in calls)


def offer(front: Front, prefix: str) -> Counter[str]:
    """Offer messages to people whom nobody knows, all at once; return what was said to them."""

    def send(number: int) -> str:
        started_at = monotonic()
        code, said = front.send(f"{prefix}{number}@{DOMAIN}")

        assert monotonic() - started_at < PATIENCE_S, said
        return f"{code} {said.split()[0]}"

    with ThreadPoolExecutor(MESSAGES) as together:
        return Counter(together.map(send, range(MESSAGES)))


def test_two_gateways_that_ask_each_other(servers: Servers, lab: Program) -> None:
    names = {50: "here.test", 52: "there.test"}  # by its own name a gateway knows its own callouts
    here, there = (Site(servers, it, DOMAIN, "discard:", name) for it, name in names.items())
    # Each front is at an address that ends in the number of its site.
    ringbacks = here.ringback("127.9.7.52"), there.ringback("127.9.7.50")
    fronts = here.front(), there.front()

    assert Counter({"450 4.1.1": MESSAGES}) == offer(fronts[0], "a")
    assert Counter({"450 4.1.1": MESSAGES}) == offer(fronts[1], "b")
    # Each question goes around once, and the control of a gateway's own with it.
    assert all(connections(it) <= 2 * MESSAGES * 2 for it in ringbacks)
    assert all(front.queued == [] for front in fronts)


def test_a_gateway_that_asks_itself(servers: Servers, lab: Program) -> None:
    site = Site(servers, 54, DOMAIN, "discard:")
    ringback, front = site.ringback("127.9.7.54"), site.front()

    assert Counter({"450 4.1.1": MESSAGES}) == offer(front, "a")
    assert connections(ringback) <= 2 * MESSAGES
    assert front.queued == []


def test_a_route_to_our_own_policy_port(servers: Servers, lab: Program) -> None:
    site = Site(servers, 56, DOMAIN, "discard:")
    ringback, front = site.ringback("127.0.0.56", "port = 10040"), site.front()

    assert Counter({"450 4.1.1": MESSAGES}) == offer(front, "a")
    assert connections(ringback) == 0
    assert front.queued == []
