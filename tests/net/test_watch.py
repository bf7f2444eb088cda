"""Sockets watched together, and their deadlines."""

import asyncio
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from math import inf

import pytest

from ringback.net import watch
from ringback.net.selected import Selected
from ringback.net.watch import READABLE, WRITABLE, Watch


class Waiting:
    """One who notes what he is told."""

    def __init__(self, due_at: float = inf) -> None:
        self.due_at = due_at
        self.heard: asyncio.Queue[int] = asyncio.Queue()
        self.late: asyncio.Queue[float] = asyncio.Queue()
        self.bugs: list[Exception] = []

    def go_on(self, events: int) -> None:
        self.heard.put_nowait(events)

    def be_late(self) -> None:
        self.due_at = inf
        self.late.put_nowait(asyncio.get_running_loop().time())

    def fail(self, bug: Exception, /) -> None:
        self.bugs.append(bug)


class Answered(Waiting):
    """One whose time begins anew with each answer."""

    def go_on(self, events: int) -> None:
        self.due_at = inf
        super().go_on(events)


class Broken(Waiting):
    """One with a bug."""

    def go_on(self, events: int) -> None:
        raise ZeroDivisionError

    def be_late(self) -> None:
        raise ZeroDivisionError


@pytest.fixture(params=[select.epoll, Selected])
def lookout(request: pytest.FixtureRequest) -> Watch:
    return Watch(request.param)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def writable() -> Iterator[list[int]]:
    """Sockets that are ready at once."""
    with ExitStack() as opened:
        pairs = [socket.socketpair() for _ in range(3)]
        yield [opened.enter_context(end).fileno() for pair in pairs for end in pair]


def _bugs(everyone: Iterable[Waiting]) -> list[list[type[Exception]]]:
    return [[type(bug) for bug in one.bugs] for one in everyone]


async def test_who_waits_is_told_what_his_socket_is_ready_for(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    one = Waiting()
    lookout.begin(ours.fileno(), WRITABLE, one)
    first = await one.heard.get()
    lookout.change(ours.fileno(), READABLE)
    theirs.send(b"220 mx\r\n")
    second = await one.heard.get()
    while second == WRITABLE:  # told before the change
        second = await one.heard.get()
    ours.recv(100)
    theirs.close()

    assert (first, second) == (WRITABLE, READABLE)
    assert await one.heard.get() & READABLE  # there is an end to read


async def test_nobody_is_told_of_a_socket_that_he_has_let_go(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    gone, other = Waiting(), Waiting()
    lookout.begin(ours.fileno(), WRITABLE, gone)
    lookout.end(ours.fileno())
    lookout.begin(theirs.fileno(), WRITABLE, other)

    assert await other.heard.get() == WRITABLE
    assert gone.heard.empty()


async def test_each_is_late_at_his_own_time(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    now = asyncio.get_running_loop().time()
    early, late = Waiting(now + 0.01), Waiting(now + 0.02)
    for end, one in zip(pair, (early, late), strict=True):
        lookout.begin(end.fileno(), READABLE, one)
    for one in (late, early):
        lookout.hurry(one.due_at)
    early_at, late_at = await early.late.get(), await late.late.get()

    assert now + 0.01 <= early_at <= late_at
    assert now + 0.02 <= late_at


async def test_who_is_late_still_knows_since_when(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    class Telling(Waiting):
        def be_late(self) -> None:
            known.append(self.due_at)
            super().be_late()

    known: list[float] = []
    one = Telling(asyncio.get_running_loop().time())
    due_at = one.due_at
    lookout.begin(pair[0].fileno(), READABLE, one)
    await one.late.get()

    assert [due_at] == known


async def test_deadline_that_moves_on_is_looked_at_when_it_comes(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    now = asyncio.get_running_loop().time()
    one = Waiting(now + 0.01)
    lookout.begin(pair[0].fileno(), READABLE, one)
    lookout.hurry(one.due_at)
    one.due_at = now + 0.03
    lookout.hurry(one.due_at)

    assert await one.late.get() >= now + 0.03


async def test_many_are_not_looked_at_too_often(
    lookout: Watch, pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_PACE_S", 100.0)
    now = asyncio.get_running_loop().time()
    first, second = Waiting(now), Waiting(now + 50.0)
    for end, one in zip(pair, (first, second), strict=True):
        lookout.begin(end.fileno(), READABLE, one)
        lookout.hurry(one.due_at)
    await first.late.get()

    assert lookout._timer_at >= now + 200.0


async def test_loop_is_left_alone_when_nobody_waits(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    loop = asyncio.get_running_loop()
    one = Waiting(loop.time() + 0.01)
    lookout.begin(pair[0].fileno(), WRITABLE, one)
    lookout.hurry(one.due_at)
    lookout.end(pair[0].fileno())
    asleep = loop.create_future()
    loop.call_at(one.due_at + 0.01, asleep.set_result, None)
    await asleep

    assert not loop.remove_reader(lookout._ready.fileno())
    again = Waiting()
    lookout.begin(pair[1].fileno(), WRITABLE, again)
    assert await again.heard.get() == WRITABLE


async def test_so_many_are_told_in_one_round_and_the_others_in_the_next(
    lookout: Watch, writable: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_AT_ONCE", 4)
    everyone = [Waiting() for _ in writable]
    for number, one in zip(writable, everyone, strict=True):
        lookout.begin(number, WRITABLE, one)
    lookout._look()
    first = sum(one.heard.qsize() for one in everyone)
    lookout._look()

    assert 4 == first
    assert all(one.heard.qsize() for one in everyone)


async def test_what_came_while_the_loop_was_late_counts_before_the_deadline(
    lookout: Watch, writable: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_AT_ONCE", 1)
    now = asyncio.get_running_loop().time()
    everyone = [*[Answered(now) for _ in writable[1:]], Answered(now + 50.0)]
    silent = Waiting(now)
    for number, one in zip(writable, everyone, strict=True):
        lookout.begin(number, WRITABLE, one)
    lookout.change(writable[0], READABLE)
    lookout._watched[writable[0]] = silent
    lookout._look_at_clock()

    assert [1, 1, 1, 1, 0] == [one.heard.qsize() for one in everyone[1:]]  # the last has time
    assert [0] * 5 == [one.late.qsize() for one in everyone[1:]]
    assert 1 == silent.late.qsize()


async def test_who_is_let_go_by_another_is_told_no_more(
    lookout: Watch, writable: list[int]
) -> None:
    class Selfish(Waiting):
        def go_on(self, events: int) -> None:
            super().go_on(events)
            for number in writable:
                lookout.end(number)

    everyone = [Selfish() for _ in writable]
    for number, one in zip(writable, everyone, strict=True):
        lookout.begin(number, WRITABLE, one)
    lookout._look()

    assert 1 == sum(one.heard.qsize() for one in everyone)
    assert not any(_bugs(everyone))


async def test_socket_that_was_let_go_is_watched_anew(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    number, again = pair[0].fileno(), Waiting()
    lookout.begin(number, READABLE, Waiting())
    lookout.end(number)
    lookout.begin(number, WRITABLE, again)

    assert WRITABLE == await again.heard.get()


async def test_bug_of_one_costs_the_others_no_news(lookout: Watch, writable: list[int]) -> None:
    everyone = [Broken() if number == writable[0] else Waiting() for number in writable]
    for number, one in zip(writable, everyone, strict=True):
        lookout.begin(number, WRITABLE, one)
    lookout._look()

    assert [[ZeroDivisionError], [], [], [], [], []] == _bugs(everyone)
    assert [0, 1, 1, 1, 1, 1] == [one.heard.qsize() for one in everyone]


async def test_bug_of_one_costs_nobody_his_deadline(lookout: Watch, writable: list[int]) -> None:
    now = asyncio.get_running_loop().time()
    everyone = [Broken(now), Waiting(now), Waiting(now + 0.01)]
    for number, one in zip(writable, everyone, strict=False):
        lookout.begin(number, READABLE, one)
        lookout.hurry(one.due_at)
    for one in everyone[1:]:
        await asyncio.wait_for(one.late.get(), 5.0)

    assert [[ZeroDivisionError], [], []] == _bugs(everyone)


async def test_one_timer_is_enough(
    lookout: Watch, pair: tuple[socket.socket, socket.socket]
) -> None:
    now = asyncio.get_running_loop().time()
    lookout.begin(pair[0].fileno(), READABLE, Waiting(now + 100.0))
    first = lookout._timer
    lookout.hurry(now + 50.0)

    assert first is not None
    assert first.cancelled()
    assert now + 50.0 == lookout._timer_at


async def test_timer_need_not_know_when_it_goes_off(
    lookout: Watch,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    # So it is with uvloop for an instant that is less than a millisecond away.
    monkeypatch.setattr(loop, "call_at", lambda _, callback: loop.call_soon(callback))
    one = Waiting(now + 0.01)
    lookout.begin(pair[0].fileno(), READABLE, one)
    for due_at in (now + 0.02, one.due_at):
        lookout.hurry(due_at)

    assert now + 0.01 <= await one.late.get()
    assert [] == one.bugs
