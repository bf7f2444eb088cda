"""The entrance: who is let in, how soon, and what happens where nobody can be."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from door_fakes import until
from ringback.net.bind import open_listener, shown_address
from ringback.net.entrance import AT_ONCE, Entrance
from ringback.values.events import Event, Trouble

CLIENTS = 4 * AT_ONCE

Run = Callable[[Coroutine[Any, Any, None]], None]


class Met(asyncio.Protocol):
    """One who was let in; each is in `met`."""

    def __init__(self, met: list["Met"]) -> None:
        self._met = met

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._met.append(self)


class Failing(socket.socket):
    """A socket that fails to accept as it is told to, the last error first."""

    errors: list[int]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            number = self.errors.pop()
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
        entrance.close()
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
            await entrance.let_in_all()
            entrance.close()
        for each in met:
            each.transport.close()

    met, events = list[Met](), list[Event]()
    run(close_at_once())

    assert (CLIENTS, []) == (len(met), events)


def test_who_has_gone_again_is_no_trouble(run: Run) -> None:
    async def meet_the_next() -> None:
        met: list[Met] = []
        entrance = Entrance(sock, lambda: Met(met), events.append)
        with socket.create_connection(sock.getsockname()):
            await entrance.let_in_all()
        entrance.close()
        let_in.append(len(met))
        met[0].transport.close()

    let_in, events = list[int](), list[Event]()
    with failing(errno.ECONNABORTED) as sock:
        run(meet_the_next())

    assert ([1], []) == (let_in, events)


def test_who_cannot_be_let_in_waits_and_that_is_told_once(run: Run) -> None:
    async def wait_for_room() -> None:
        met: list[Met] = []
        entrance = Entrance(sock, lambda: Met(met), events.append, rest_s=0.0)
        entrance.open()
        with socket.create_connection(sock.getsockname()):
            await until(lambda: bool(met))
        entrance.close()
        met[0].transport.close()

    events = list[Event]()
    with failing(errno.EMFILE, errno.EMFILE, errno.EMFILE) as sock:
        where = shown_address(sock)
        run(wait_for_room())

    remedy = "raise LimitNOFILE= of the unit, or let fewer clients connect"
    what = "nobody can be let in: Too many open files"
    assert [Trouble(where, what, remedy)] == events


def test_one_that_rests_can_be_closed(run: Run) -> None:
    async def close_while_it_rests() -> None:
        entrance = Entrance(sock, asyncio.Protocol, events.append, rest_s=60.0)
        entrance.open()
        with socket.create_connection(sock.getsockname()):
            await until(lambda: bool(events))
            entrance.close()

    events = list[Event]()
    with failing(errno.ENOMEM) as sock:
        where = shown_address(sock)
        run(close_while_it_rests())

    remedy = "clients wait, and it is tried every second"
    assert [Trouble(where, "nobody can be let in: Cannot allocate memory", remedy)] == events
    assert -1 == sock.fileno()


def failing(*errors: int) -> Failing:
    sock = Failing(socket.AF_INET, socket.SOCK_STREAM)
    sock.errors = [*errors]
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock
