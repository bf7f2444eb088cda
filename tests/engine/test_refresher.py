"""The line of addresses to be asked again."""

import asyncio

from ringback.engine import refresher as refresher_module
from ringback.engine.refresher import WORKERS, Refresher
from ringback.values.events import Event, Trouble
from ringback.values.query import Purpose, Query


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_each_address_stands_in_the_line_once() -> None:
    asked: list[str] = []

    async def refresh(query: Query) -> None:
        asked.append(query.address)

    refresher = Refresher(refresh, lambda _: None)
    for _ in range(3):
        refresher.tell_nowait(Query("ann@shop.example"))
    await _settle()

    assert ["ann@shop.example"] == asked


async def test_a_few_workers_share_a_long_line() -> None:
    gate, under_way = asyncio.Event(), [0, 0]

    async def refresh(query: Query) -> None:
        under_way[0] += 1
        under_way[1] = max(under_way)
        await gate.wait()
        under_way[0] -= 1

    refresher = Refresher(refresh, lambda _: None)
    for number in range(50):
        refresher.tell_nowait(Query(f"a{number}@shop.example"))
    await _settle()
    gate.set()
    for _ in range(20):
        await _settle()

    assert [0, WORKERS] == under_way


async def test_a_full_line_takes_no_more() -> None:
    asked: list[str] = []

    async def refresh(query: Query) -> None:
        asked.append(query.address)

    refresher = Refresher(refresh, lambda _: None)
    for number in range(refresher_module.MAX_WAITING + 5):
        refresher.tell_nowait(Query(f"a{number}@shop.example"))
    for _ in range(600):
        await _settle()

    assert refresher_module.MAX_WAITING == len(asked)


async def test_closing_ends_the_workers() -> None:
    async def refresh(query: Query) -> None:
        await asyncio.Event().wait()

    refresher = Refresher(refresh, lambda _: None)
    refresher.tell_nowait(Query("ann@shop.example"))
    await _settle()

    await refresher.close()

    assert 1 == len(asyncio.all_tasks())


async def test_after_closing_nothing_is_asked_again() -> None:
    asked: list[str] = []

    async def refresh(query: Query) -> None:
        asked.append(query.address)

    refresher = Refresher(refresh, lambda _: None)
    await refresher.close()
    refresher.tell_nowait(Query("ann@shop.example"))
    await _settle()

    assert [] == asked


async def test_a_bug_in_a_refresh_is_told() -> None:
    events: list[Event] = []

    async def refresh(query: Query) -> None:
        raise ValueError("a bug")

    refresher = Refresher(refresh, events.append)
    refresher.tell_nowait(Query("ann@shop.example"))
    await _settle()

    (trouble,) = events
    assert isinstance(trouble, Trouble)
    assert "a bug" in trouble.what


async def test_what_is_asked_as_a_recipient_is_asked_beside_the_sender() -> None:
    asked: list[Purpose] = []

    async def refresh(query: Query) -> None:
        asked.append(query.purpose)

    refresher = Refresher(refresh, lambda _: None)
    for purpose in (Purpose.SENDER, Purpose.RECIPIENT, Purpose.SENDER):
        refresher.tell_nowait(Query("ann@shop.example", purpose))
    await _settle()

    assert [Purpose.SENDER, Purpose.RECIPIENT] == asked


async def test_what_is_being_asked_cannot_get_into_the_line_again() -> None:
    asked: list[str] = []

    async def refresh(query: Query) -> None:
        asked.append(query.address)
        refresher.tell_nowait(query)
        await asyncio.sleep(0)
        refresher.tell_nowait(query)

    refresher = Refresher(refresh, lambda _: None)
    refresher.tell_nowait(Query("ann@shop.example"))
    await _settle()

    assert ["ann@shop.example"] == asked
    assert 1 == len(asyncio.all_tasks())
