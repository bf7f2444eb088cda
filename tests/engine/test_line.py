"""Who stands in a host's line, and who goes together."""

import asyncio

from fakes import Visitors
from ringback.engine.line import MAX_PER_SESSION, Line
from ringback.engine.session import Guest, Session


def _guest(visitors: Visitors, control: str = "", late_s: float = 0.0) -> Guest:
    walk = visitors.walk("ann@shop.example", control)
    walk.deadline_at -= late_s
    return Guest(visitors.visit(walk), asyncio.get_running_loop().create_future(), Guest.settle)


def _line(*guests: Guest) -> Line:
    return Line(guests[0].visit.way, dict.fromkeys(guests))


async def test_the_first_go_together_and_the_rest_stay(visitors: Visitors) -> None:
    guests = [_guest(visitors) for _ in range(MAX_PER_SESSION + 1)]
    line = _line(*guests)

    assert tuple(guests[:-1]) == line.take()
    assert (guests[-1],) == line.take()
    assert {} == line.waiting


async def test_who_has_less_time_left_or_was_broken_off_goes_alone(visitors: Visitors) -> None:
    broken_off, first, late = (_guest(visitors, late_s=late_s) for late_s in (0, 1, 30))
    line = _line(first, late)
    line.put_back([broken_off])
    broken_off.goes_first = True

    assert [broken_off, first, late] == list(line.waiting)
    assert (broken_off,) == line.take()
    assert (first,) == line.take()
    assert (late,) == line.take()


async def test_a_control_is_asked_for_by_one_session_at_a_time(visitors: Visitors) -> None:
    controls, plain = _guest(visitors, control="c@shop.example"), _guest(visitors)
    line = _line(controls, plain)
    line.controlled = frozenset({"shop.example"})

    assert (plain,) == line.take()
    line.controlled = frozenset()
    assert (controls,) == line.take()


async def test_it_is_over_when_nobody_waits_or_is_served(visitors: Visitors) -> None:
    guest = _guest(visitors)
    waited_for, next_one, served = _line(guest), _line(guest), _line(guest)
    next_one.waiting, next_one.next_session = {}, Session()
    served.waiting, served.sessions = {}, 1
    before = [line.is_over for line in (waited_for, next_one, served)]
    waited_for.take()

    assert [False, False, False] == before
    assert waited_for.is_over
