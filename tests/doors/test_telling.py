"""When events are told."""

import asyncio

from door_fakes import until
from ringback.doors.telling import TOGETHER, Telling
from ringback.values.events import CalledOut, Event, Lifecycle

LAST = Lifecycle("stopped")


def called_out(address: str) -> CalledOut:
    return CalledOut(address, "sender", 1, ("mx.example",), "accepted", "a rule", 0.5)


ANN, BOB = called_out("ann@shop.example"), called_out("bob@shop.example")


async def test_some_of_the_everyday_are_told_together_when_the_round_is_over() -> None:
    heard = list[Event]()
    telling = Telling(heard.append)
    for _ in range(TOGETHER - 1):
        telling.hear(ANN)
    await asyncio.sleep(0)
    few = heard.copy()
    telling.hear(BOB)
    telling.hear(BOB)
    at_once = heard.copy()
    await asyncio.sleep(0)

    assert [] == few == at_once
    assert [ANN] * (TOGETHER - 1) + [BOB, BOB] == heard


async def test_few_are_told_soon() -> None:
    heard = list[Event]()
    telling = Telling(heard.append)
    telling.hear(ANN)
    await until(lambda: ANN in heard)
    telling.hear(BOB)
    await until(lambda: BOB in heard)

    assert [ANN, BOB] == heard


async def test_all_else_is_told_at_once_after_what_came_before_it() -> None:
    heard = list[Event]()
    telling = Telling(heard.append)
    telling.hear(ANN)
    telling.hear(LAST)
    at_once = heard.copy()
    await asyncio.sleep(0)

    assert [ANN, LAST] == at_once == heard


def test_what_is_told_at_once_needs_no_loop_and_reaches_all() -> None:
    one, other = list[Event](), list[Event]()
    Telling(one.append, other.append).hear(LAST)

    assert [LAST] == one == other
