"""How far a callout has come, and whom it asks next."""

import pytest

from fakes import START, Visitors
from ringback.engine.walk import Walk
from ringback.rules.outcomes import Finding, Then, judge
from ringback.values.dns import Mx
from ringback.values.endpoint import Endpoint
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe

ANN, DOMAIN, IP = "ann@shop.example", "shop.example", "192.0.2.1"
HERE, THERE = Endpoint("mx1", IP, 25), Endpoint("mx1", "192.0.2.2", 25)
HOSTS = (Mx(10, "mx1"), Mx(20, "mx2"), Mx(30, "mx3"))
DEAF = Exchange(START, Stage.CONNECT, 1, fault=Fault.REFUSED)
TROUBLE = Exchange(START, Stage.RCPT, 1, code=451, meaning=Meaning.SERVER_TROUBLE)
BLOCKED = Exchange(START, Stage.GREETING, 1, code=554, meaning=Meaning.CLIENT_BLOCKED)
NO = Exchange(START, Stage.RCPT, 1, code=550, meaning=Meaning.UNKNOWN_USER)


def _finding(said: Exchange) -> Finding | None:
    return judge([said], About.ADDRESS)


def _among_hosts(visitors: Visitors) -> Walk:
    walk = visitors.walk(ANN)
    walk.hosts = HOSTS
    return walk


def _show(walk: Walk, said: Exchange) -> bool:
    """Have the next host answer so; say whether another is asked."""
    walk.take_host()
    walk.endpoints = (HERE,)
    walk.take_endpoint()
    walk.evidence.append(said)
    walk.leave(_finding(said))
    return walk.goes_on(0.0)


async def test_a_walk_tells_how_far_it_has_come(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    visit = visitors.visit(walk)
    before = walk.progress
    walk.turn_to(visit.endpoint)
    waiting = walk.progress
    visit.take_part(Probe(visit.endpoint, 1, "verify.example", TlsPolicy.NEVER, visit.plan))
    talking = walk.progress
    walk.turn_to(visit.endpoint)

    assert (DOMAIN, START, "", Stage.ROUTE) == (
        before.domain,
        before.since_at,
        before.host,
        before.stage,
    )
    assert ("mx1.shop.example", IP, None) == (waiting.host, waiting.ip, waiting.stage)
    assert Stage.CONNECT is talking.stage
    assert waiting == walk.progress


async def test_hosts_are_asked_in_order_while_none_has_decided(visitors: Visitors) -> None:
    walk = _among_hosts(visitors)

    assert walk.goes_on(0.0)
    assert HOSTS[0] == walk.take_host()
    assert walk.goes_on(0.0), "it has no address"
    assert _show(walk, DEAF)
    assert not _show(walk, TROUBLE), "it was the last"


async def test_an_answer_ends_the_walk(visitors: Visitors) -> None:
    assert not _show(_among_hosts(visitors), NO)


async def test_after_a_refusal_of_us_one_more_host_is_asked(visitors: Visitors) -> None:
    walk = _among_hosts(visitors)

    assert _show(walk, BLOCKED)
    assert not _show(walk, BLOCKED)


async def test_when_time_is_up_no_other_host_is_asked(visitors: Visitors) -> None:
    walk = _among_hosts(visitors)
    at_first = walk.goes_on(walk.deadline_at)
    _show(walk, DEAF)

    assert at_first
    assert not walk.goes_on(walk.deadline_at)


@pytest.mark.parametrize(
    ("finding", "then", "left"),
    [
        (_finding(DEAF), Then.NEXT_HOST, THERE),
        (_finding(BLOCKED), Then.ONE_MORE_HOST, None),
        (None, Then.NEXT_HOST, None),
    ],
)
async def test_other_addresses_are_tried_where_nobody_was_reached(
    visitors: Visitors, finding: Finding | None, then: Then, left: Endpoint | None
) -> None:
    walk = visitors.walk(ANN)
    walk.endpoints = (HERE, THERE)
    first = walk.take_endpoint()

    walk.leave(finding)

    assert (HERE, left) == (first, walk.take_endpoint())
    assert then is walk.then
