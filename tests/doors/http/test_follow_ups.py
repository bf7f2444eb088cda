"""Reports that are followed to their end."""

import asyncio

from door_fakes import NOON, turns
from fakes import FakeClock
from http_fakes import FakeEngine, provisional
from ringback.doors.http.follow_ups import KEPT_S, FollowUps
from ringback.errors import StoreError
from ringback.values.events import Event, Trouble
from ringback.values.query import Query, Report
from ringback.values.verdict import Reason

ANN = Query("ann@shop.example", answer_by_at=NOON, fresh=True)


class Desk:
    """Follow-ups with an engine behind them."""

    def __init__(self, most: int = 10) -> None:
        self.clock, self.engine, self.events = FakeClock(), FakeEngine(), list[Event]()
        self.follow_ups = FollowUps(self.clock.elapsed, self.events.append, most)

    def follow(self, query: Query = ANN) -> str:
        return self.follow_ups.follow_nowait(
            query, provisional(query), self.engine.verify, self.engine.concluded_nowait
        )

    def reason(self, name: str) -> Reason | None:
        report = self.follow_ups.find(name)
        return report.reason if report else None


async def test_without_a_callout_under_way_the_engine_is_asked_again_without_haste() -> None:
    desk = Desk()
    name = desk.follow()
    before = desk.reason(name)
    await turns()

    assert (Reason.DEADLINE, Reason.ACCEPTED) == (before, desk.reason(name))
    assert [Query("ann@shop.example", fresh=True)] == desk.engine.queries


async def test_an_open_control_is_waited_for() -> None:
    desk = Desk()
    flight = asyncio.Future[Report]()

    def accepted(asked: Query) -> Report:
        desk.engine.flights[asked.address] = flight
        return provisional(asked)

    desk.engine.verdicts["ann"] = accepted
    name = desk.follow()
    await turns()
    flight.set_result(Report("ann@shop.example", Reason.ACCEPTS_ANY, True, NOON, "a rule"))
    await turns()

    assert Reason.ACCEPTS_ANY is desk.reason(name)


async def test_what_never_concludes_is_lost_rather_than_asked_for_ever() -> None:
    desk = Desk()
    desk.engine.verdicts["ann"] = provisional
    name = desk.follow()
    await turns()

    assert (Reason.OUR_TROUBLE, 3) == (desk.reason(name), len(desk.engine.queries))


async def test_a_failure_is_told_of_and_no_verdict() -> None:
    desk = Desk()
    desk.engine.verdicts["ann"] = StoreError("disk full")
    name = desk.follow()
    await turns()

    assert Reason.OUR_TROUBLE is desk.reason(name)
    assert ["StoreError('disk full', '')"] == [
        event.what for event in desk.events if isinstance(event, Trouble)
    ]


async def test_they_are_bounded_in_number_and_in_time() -> None:
    desk = Desk(most=2)
    desk.engine.verdicts["ann"] = asyncio.Event()
    first, second, third = desk.follow(), desk.follow(), desk.follow()
    await turns()

    assert (2, None) == (len(desk.follow_ups), desk.reason(first))
    assert Reason.DEADLINE is desk.reason(second) is desk.reason(third)
    assert 2 == desk.engine.under_way
    desk.clock.advance(KEPT_S)
    assert (None, 0) == (desk.reason(third), len(desk.follow_ups))
    await desk.follow_ups.close()


async def test_closing_gives_them_up() -> None:
    desk = Desk()
    desk.engine.verdicts["ann"] = asyncio.Event()
    name = desk.follow()
    await turns()
    await desk.follow_ups.close()

    assert (None, 0, []) == (desk.reason(name), desk.engine.under_way, desk.events)


async def test_ids_differ_and_are_long() -> None:
    desk = Desk()
    names = {desk.follow() for _ in range(8)}
    await desk.follow_ups.close()

    assert 8 == len(names)
    assert {24} == {len(name) for name in names}
