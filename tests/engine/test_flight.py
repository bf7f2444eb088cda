"""Those who wait for one callout."""

import asyncio
from dataclasses import dataclass, field

from fakes import START, FakeOutside
from ringback.engine.asker import Asker
from ringback.engine.flight import Flight
from ringback.engine.walk import News
from ringback.rules.gates import Passed
from ringback.values.address import parse_address
from ringback.values.query import Query, Report
from ringback.values.verdict import Reason


def flight(world: FakeOutside, heard: list[tuple[Flight, News]] | None = None) -> Flight:
    address = parse_address("ann@shop.example")
    told = [] if heard is None else heard
    return Flight(
        address.key,
        address,
        Query(address.key),
        Passed(()),
        None,
        Asker(world.resolver),
        START,
        lambda it, news: told.append((it, news)),
    )


@dataclass(eq=False)
class Waiter:
    """Keeps what he is told."""

    is_early: bool = False
    told: list[Report] = field(default_factory=list)

    def tell(self, news: Report, /) -> None:
        self.told.append(news)


class Cursed(Waiter):
    def tell(self, news: Report, /) -> None:
        raise KeyError(news.address)


def report(reason: Reason) -> Report:
    return Report("ann@shop.example", reason, True, 0.0, "a rule")


def joined(under_way: Flight, *waiters: Waiter) -> tuple[Waiter, ...]:
    for waiter in waiters:
        under_way.join(waiter)
    return waiters


async def turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


ACCEPTED, REFUSED = report(Reason.ACCEPTED), report(Reason.NO_SUCH_MAILBOX)


async def test_an_early_asker_leaves_when_the_address_is_accepted(world: FakeOutside) -> None:
    under_way = flight(world)
    early, late = joined(under_way, Waiter(is_early=True), Waiter())
    under_way.accept(ACCEPTED)
    at_once = list(early.told)
    await turns()

    assert ([], [ACCEPTED], []) == (at_once, early.told, late.told)
    (next_one,) = joined(under_way, Waiter(is_early=True))
    await turns()
    assert [ACCEPTED] == next_one.told

    under_way.conclude(REFUSED)
    last, last_early = joined(under_way, Waiter(), Waiter(is_early=True))
    await turns()

    assert [ACCEPTED] == early.told == next_one.told
    assert [REFUSED] == late.told == last.told == last_early.told


async def test_those_are_served_who_have_an_answer_or_will_in_a_moment(world: FakeOutside) -> None:
    under_way = flight(world)
    _, gone, _ = joined(under_way, Waiter(is_early=True), Waiter(), Waiter())
    served = [under_way.served]
    under_way.accept(ACCEPTED)
    served.append(under_way.served)
    await turns()
    served.append(under_way.served)
    under_way.leave(gone)
    under_way.conclude(REFUSED)
    served.append(under_way.served)
    await turns()

    assert [0, 1, 1, 2, 2] == [*served, under_way.served]


async def test_of_two_moments_at_once_the_later_counts(world: FakeOutside) -> None:
    under_way = flight(world)
    (early,) = joined(under_way, Waiter(is_early=True))
    under_way.accept(ACCEPTED)
    under_way.conclude(REFUSED)
    under_way.conclude(ACCEPTED)
    await turns()

    assert [REFUSED] == early.told


async def test_who_leaves_is_forgotten_and_costs_others_nothing(world: FakeOutside) -> None:
    under_way = flight(world)
    gone, stays = joined(under_way, Waiter(), Waiter())
    under_way.leave(gone)
    under_way.leave(gone)
    under_way.conclude(REFUSED)
    await turns()

    assert ([], [REFUSED]) == (gone.told, stays.told)


async def test_what_goes_wrong_with_one_costs_no_other(world: FakeOutside) -> None:
    troubles: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: troubles.append(what))
    under_way = flight(world)
    _, other = joined(under_way, Cursed(), Waiter())
    under_way.conclude(REFUSED)
    await turns()

    assert ([REFUSED], 1) == (other.told, len(troubles))


async def test_all_who_want_a_future_share_one(world: FakeOutside) -> None:
    under_way, over, given_up = flight(world), flight(world), flight(world)
    shared = under_way.concluded
    given_up.concluded.cancel()
    for each in (under_way, over, given_up):
        each.conclude(REFUSED)

    assert shared is under_way.concluded
    assert REFUSED == await shared == await over.concluded


async def test_news_come_with_the_callout_that_they_are_of(world: FakeOutside) -> None:
    heard: list[tuple[Flight, News]] = []
    under_way, news = flight(world, heard), News((), complete=True)
    under_way.pass_on(news)

    assert [(under_way, news)] == heard
