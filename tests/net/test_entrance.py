"""The entrance: who is let in, how soon, and what happens where nobody can be."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import pytest

from door_fakes import until
from ringback.net.bind import open_listener, shown_address
from ringback.net.entrance import AT_ONCE, Entrance
from ringback.values.events import Event, Trouble

CLIENTS = 4 * AT_ONCE
FINE = 0

Run = Callable[[Coroutine[Any, Any, None]], None]


class Met(asyncio.Protocol):
    """One who was let in; each is in `met`."""

    def __init__(self, met: list["Met"]) -> None:
        self._met = met

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._met.append(self)


class Failing(socket.socket):
    """A socket that fails to accept as it is told to, and counts how often it was tried."""

    errors: Iterator[int]
    tried = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.tried += 1
        if number := next(self.errors, FINE):
            raise OSError(number, os.strerror(number))
        return super().accept()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    loops: Any = pytest.importorskip(request.param)
    runs: Run = loops.run
    return runs


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with closing(open_listener("127.0.0.1:0", 0o600)) as sock:
        yield sock


def test_many_who_come_at_once_are_let_in_together(run: Run, sock: socket.socket) -> None:
    async def count_rounds() -> None:
        met: list[Met] = []
        entrance = Entrance(sock, lambda: Met(met), events.append)
        with ExitStack() as clients:
            for _ in range(CLIENTS):
                clients.enter_context(socket.create_connection(sock.getsockname()))
            entrance.open()
            while len(met) < CLIENTS:
                rounds.append(len(met))
                await asyncio.sleep(0)
        await entrance.close(let_in_all=False)
        for each in met:
            each.transport.close()

    rounds, events = list[int](), list[Event]()
    run(count_rounds())

    # A few rounds more, until the first are there.
    assert len(rounds) < CLIENTS // AT_ONCE + 8
    assert [] == events


def test_all_are_let_in_before_it_closes(run: Run, sock: socket.socket) -> None:
    async def close_at_once() -> None:
        entrance = Entrance(sock, lambda: Met(met), events.append)
        entrance.open()
        with ExitStack() as clients:
            for _ in range(CLIENTS):
                clients.enter_context(socket.create_connection(sock.getsockname()))
            await entrance.close(let_in_all=True)
        for each in met:
            each.transport.close()

    met, events = list[Met](), list[Event]()
    run(close_at_once())

    assert (CLIENTS, []) == (len(met), events)


def test_who_comes_as_it_closes_is_refused_and_not_reset(run: Run, sock: socket.socket) -> None:
    async def come_as_it_closes() -> None:
        def meet() -> Met:
            with socket.socket() as late:
                ends.append(late.connect_ex(where))
            return Met(met)

        met: list[Met] = []
        where = sock.getsockname()
        entrance = Entrance(sock, meet, events.append)
        with socket.create_connection(where):
            await entrance.close(let_in_all=True)
        met[0].transport.close()

    ends, events = list[int](), list[Event]()
    run(come_as_it_closes())

    assert ([errno.ECONNREFUSED], []) == (ends, events)


def test_who_has_gone_again_is_no_trouble(run: Run) -> None:
    async def meet_the_next() -> None:
        met: list[Met] = []
        entrance = Entrance(sock, lambda: Met(met), events.append)
        with socket.create_connection(sock.getsockname()):
            await entrance.close(let_in_all=True)
        let_in.append(len(met))
        met[0].transport.close()

    let_in, events = list[int](), list[Event]()
    with failing(errno.ECONNABORTED) as sock:
        run(meet_the_next())

    assert ([1], []) == (let_in, events)


def test_who_cannot_be_let_in_waits_and_that_is_told_once(run: Run) -> None:
    sock = failing(errno.EMFILE, errno.EMFILE, errno.EMFILE)
    where = shown_address(sock)
    events = let_in(run, sock, 1)

    remedy = "raise LimitNOFILE= of the unit, or let fewer clients connect"
    what = "nobody can be let in: Too many open files"
    assert [Trouble(where, what, remedy)] == events
    assert 3 + 1 + 1 == sock.tried  # the last time nobody is left


def test_who_cannot_be_let_in_is_not_tried_in_every_round(run: Run) -> None:
    async def look_on() -> None:
        entrance = Entrance(sock, asyncio.Protocol, events.append, rest_s=60.0)
        entrance.open()
        with socket.create_connection(sock.getsockname()):
            await until(lambda: bool(events))
            for _ in range(10):
                await asyncio.sleep(0)
            await entrance.close(let_in_all=False)

    events = list[Event]()
    with failing(errno.EMFILE) as sock:
        run(look_on())

    assert 1 == sock.tried


def test_some_who_are_let_in_meanwhile_end_no_trouble(run: Run) -> None:
    events = let_in(run, failing(errno.EMFILE, FINE, errno.EMFILE, FINE, errno.EMFILE), 3)

    assert 1 == len(events)


def test_trouble_is_told_anew_when_all_were_let_in_meanwhile(run: Run) -> None:
    # He is let in, and nobody is left.
    events = let_in(run, failing(errno.EMFILE, FINE, FINE, errno.EMFILE), 1, 1)

    assert 2 == len(events)


def test_one_that_rests_can_be_closed(run: Run) -> None:
    async def close_while_it_rests() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, bug: bugs.append(bug))
        entrance = Entrance(sock, asyncio.Protocol, events.append, rest_s=0.01)
        entrance.open()
        with socket.create_connection(sock.getsockname()):
            await until(lambda: bool(events))
            await entrance.close(let_in_all=True)
        rested = loop.create_future()
        loop.call_later(0.02, rested.set_result, None)
        await rested

    events, bugs = list[Event](), list[dict[str, Any]]()
    with failing(*[errno.ENOMEM] * 2) as sock:
        where = shown_address(sock)
        run(close_while_it_rests())

    remedy = "clients wait, and it is tried every second"
    assert [Trouble(where, "nobody can be let in: Cannot allocate memory", remedy)] == events
    assert (2, -1, []) == (sock.tried, sock.fileno(), bugs)


def let_in(run: Run, sock: Failing, *groups: int) -> list[Event]:
    """Let in so many who come at once, and then the next so many; what was told of it."""

    async def let_all_in() -> None:
        met: list[Met] = []
        entrance = Entrance(sock, lambda: Met(met), events.append, rest_s=0.0)
        entrance.open()
        with ExitStack() as clients:
            for count in groups:
                wanted = len(met) + count
                for _ in range(count):
                    clients.enter_context(socket.create_connection(sock.getsockname()))
                await until(partial(_has, met, wanted))
        await entrance.close(let_in_all=False)
        for each in met:
            each.transport.close()

    events = list[Event]()
    run(let_all_in())
    return events


def _has(met: list[Met], count: int) -> bool:
    return len(met) == count


def failing(*errors: int) -> Failing:
    sock = Failing(socket.AF_INET, socket.SOCK_STREAM)
    sock.errors = iter(errors)
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock
