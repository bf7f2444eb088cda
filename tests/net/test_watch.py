"""Sockets watched together, and their deadlines."""

import asyncio
import select
import socket
from collections.abc import Iterator
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

    def go_on(self, events: int) -> None:
        self.heard.put_nowait(events)

    def be_late(self) -> None:
        self.due_at = inf
        self.late.put_nowait(asyncio.get_running_loop().time())


@pytest.fixture(params=[select.epoll, Selected])
def lookout(request: pytest.FixtureRequest) -> Watch:
    return Watch(request.param)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


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
    first, second = Waiting(now + 0.02), Waiting(now + 0.01)
    for end, one in zip(pair, (first, second), strict=True):
        lookout.begin(end.fileno(), READABLE, one)
        lookout.hurry(one.due_at)
    second_at, first_at = await second.late.get(), await first.late.get()

    assert now + 0.01 <= second_at < now + 0.02 <= first_at


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
