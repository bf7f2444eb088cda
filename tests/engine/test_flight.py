"""Those who wait for one callout."""

import asyncio

from fakes import FakeOutside
from ringback.engine.asker import Asker
from ringback.engine.flight import Flight, settle
from ringback.rules.gates import Passed
from ringback.values.address import parse_address
from ringback.values.query import Query, Report
from ringback.values.verdict import Reason


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
    early, late = under_way.join(early=True), under_way.join(early=False)
    under_way.accept(ACCEPTED)
    await asyncio.sleep(0)

    assert ACCEPTED == early.result()
    assert not late.done()
    assert ACCEPTED == under_way.join(early=True).result()

    under_way.conclude(REFUSED)

    assert REFUSED == await late
    assert REFUSED == under_way.join(early=True).result()


async def test_of_two_moments_at_once_the_later_counts(world: FakeOutside) -> None:
    under_way = flight(world)
    early = under_way.join(early=True)
    under_way.accept(ACCEPTED)
    under_way.conclude(REFUSED)
    under_way.conclude(ACCEPTED)

    assert REFUSED == await early


async def test_who_was_told_already_is_told_nothing_more(world: FakeOutside) -> None:
    under_way = flight(world)
    late = under_way.join(early=False)
    settle(late, None)
    under_way.conclude(REFUSED)
    await asyncio.sleep(0)

    assert late.result() is None


async def test_who_leaves_is_forgotten_and_costs_others_nothing(world: FakeOutside) -> None:
    under_way = flight(world)
    gone, stays = under_way.join(early=True), under_way.join(early=True)
    under_way.leave(gone)
    under_way.leave(gone)
    under_way.conclude(REFUSED)

    assert REFUSED == await stays
    assert not gone.done()
