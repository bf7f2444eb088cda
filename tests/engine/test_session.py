"""Who takes part in a connection, leaves it, and is told that it broke off."""

import asyncio

import pytest

from fakes import Visitors
from ringback.engine.session import Guest, Session

ANN, BOB = "ann@shop.example", "bob@shop.example"


def _guests(visitors: Visitors) -> tuple[Guest, Guest]:
    loop = asyncio.get_running_loop()
    ann, bob = (
        Guest(visitors.visit(visitors.walk(it)), loop.create_future(), Guest.settle)
        for it in (ANN, BOB)
    )
    return ann, bob


def _session(*guests: Guest) -> Session:
    """One that goes on until it is ended."""

    async def go_on() -> None:
        await asyncio.Event().wait()

    session = Session(guests)
    session.begin(go_on())
    return session


async def test_a_guest_settles_once(visitors: Visitors) -> None:
    ann, bob = _guests(visitors)
    bob.ended.cancel()

    for guest in (ann, ann, bob):
        guest.settle()

    assert ann.is_gone
    assert not ann.ended.cancelled()
    assert bob.ended.cancelled()


async def test_only_a_guest_that_waits_loses_patience(visitors: Visitors) -> None:
    ann, bob = _guests(visitors)
    ann.due_at = 0.0

    for guest in (ann, bob):
        guest.lose_patience()

    assert ann.is_gone
    assert not bob.is_gone


async def test_it_goes_on_while_anybody_is_left(visitors: Visitors) -> None:
    ann, bob = _guests(visitors)
    session = _session(ann, bob)

    ann.ended.cancel()
    await session.leave()
    went_on = not session.task.done()
    bob.ended.cancel()
    await session.leave()

    assert went_on
    assert session.task.cancelled()


async def test_who_is_in_it_ends_with_it(visitors: Visitors) -> None:
    ann, bob = _guests(visitors)
    session = _session(ann, bob)
    bob.settle()

    session.cancel()
    await asyncio.wait({ann.ended})

    assert ann.ended.cancelled()
    assert not bob.ended.cancelled()


async def test_a_bug_is_told_to_who_is_in_it(visitors: Visitors) -> None:
    async def stumble() -> None:
        raise ValueError("a bug")

    guests = _guests(visitors)
    session = Session(guests)
    session.begin(stumble())

    for guest in guests:
        with pytest.raises(ValueError, match="a bug"):
            await guest.ended
