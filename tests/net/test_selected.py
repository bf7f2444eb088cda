"""The stand-in for epoll."""

import select
import socket
from contextlib import ExitStack

from ringback.net.selected import READABLE, WRITABLE, Selected


def test_events_are_those_of_epoll() -> None:
    assert (READABLE, WRITABLE) == (select.EPOLLIN, select.EPOLLOUT)


def test_sockets_are_told_apart_by_what_they_are_ready_for() -> None:
    ours, theirs = socket.socketpair()
    selected = Selected()
    with ours, theirs:
        selected.register(ours.fileno(), READABLE)
        selected.register(theirs.fileno(), READABLE | WRITABLE)
        first = selected.poll(0, 10)
        theirs.send(b"220 mx\r\n")
        selected.modify(theirs.fileno(), READABLE)
        second = selected.poll(0, 10)
        selected.unregister(ours.fileno())
        third = selected.poll(0, 10)

        assert first == [(theirs.fileno(), WRITABLE)]
        assert second == [(ours.fileno(), READABLE)]
        assert third == []


def test_everyone_is_told_in_time_however_few_at_once() -> None:
    selected = Selected()
    with ExitStack() as opened:
        ends = [opened.enter_context(end) for _ in range(4) for end in socket.socketpair()]
        for end in ends:
            selected.register(end.fileno(), WRITABLE)
        told = [number for _ in range(3) for number, _ in selected.poll(0, 3)]

        assert {end.fileno() for end in ends} == set(told)
        assert 9 == len(told)


def test_no_more_are_told_of_than_wanted() -> None:
    ours, theirs = socket.socketpair()
    selected = Selected()
    with ours, theirs:
        for end in (ours, theirs):
            selected.register(end.fileno(), WRITABLE)

        assert len(selected.poll(0, 1)) == 1
        assert len(selected.poll(0, 2)) == 2
