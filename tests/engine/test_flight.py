"""Those who wait for one callout."""

import asyncio

from fakes import FakeOutside
from ringback.engine.asker import Asker
from ringback.engine.flight import Flight
from ringback.rules.gates import Passed
from ringback.values.address import parse_address
from ringback.values.query import Query, Report
from ringback.values.verdict import Reason

SOON_S = 0.001


def flight(world: FakeOutside) -> Flight:
    address = parse_address("ann@shop.example")
    return Flight(
        address.key,
        address.key,
        address,
        Query(address.key),
        Passed(()),
        None,
        Asker(world.resolver),
        asyncio.get_running_loop().create_future(),
    )


def report(reason: Reason) -> Report:
    return Report("ann@shop.example", reason, True, 0.0, "a rule")


ACCEPTED, REFUSED = report(Reason.ACCEPTED), report(Reason.NO_SUCH_MAILBOX)


async def test_an_early_asker_leaves_when_the_address_is_accepted(world: FakeOutside) -> None:
    under_way = flight(world)
    early = asyncio.create_task(under_way.wait_news(None, early=True))
    late = asyncio.create_task(under_way.wait_news(None, early=False))
    await asyncio.sleep(0)
    under_way.accept(ACCEPTED)
    await asyncio.sleep(0)

    assert ACCEPTED == await early
    assert not late.done()
    assert ACCEPTED == await under_way.wait_news(None, early=True)

    under_way.conclude(REFUSED)

    assert REFUSED == await late
    assert REFUSED == await under_way.wait_news(None, early=True)


async def test_of_two_moments_at_once_the_later_counts(world: FakeOutside) -> None:
    under_way = flight(world)
    early = asyncio.create_task(under_way.wait_news(None, early=True))
    await asyncio.sleep(0)
    under_way.accept(ACCEPTED)
    under_way.conclude(REFUSED)
    under_way.conclude(ACCEPTED)

    assert REFUSED == await early


async def test_whose_time_is_up_leaves_without_news(world: FakeOutside) -> None:
    under_way = flight(world)

    assert await under_way.wait_news(SOON_S, early=True) is None


async def test_who_leaves_is_forgotten_and_costs_others_nothing(world: FakeOutside) -> None:
    under_way = flight(world)
    gone = asyncio.create_task(under_way.wait_news(60.0, early=True))
    stays = asyncio.create_task(under_way.wait_news(60.0, early=True))
    await asyncio.sleep(0)
    under_way.conclude(REFUSED)
    gone.cancel()

    assert REFUSED == await stays
