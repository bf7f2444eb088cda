"""Connections that stand, and those that do not."""

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.net.connect import Failure, begin_connecting, family_of, judge_connection
from ringback.values.endpoint import Endpoint
from ringback.values.evidence import Fault


class Told(socket.socket):
    """A socket that is not connected, and says why."""

    number = 0

    def getsockopt(self, *_: object) -> int:  # type: ignore[override]  # of many forms, one is used
        return self.number


@pytest.fixture
def listening() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint("mx", *server.getsockname())


@pytest.mark.parametrize(
    ("endpoint", "family"),
    [
        (Endpoint("mx", "192.0.2.1", 25), socket.AF_INET),
        (Endpoint("mx", "2001:db8::1", 25), socket.AF_INET6),
        (Endpoint("mx", "unix:/run/lmtp", 0, ours=True), socket.AF_UNIX),
    ],
)
def test_the_family_is_that_of_the_address(
    endpoint: Endpoint, family: socket.AddressFamily
) -> None:
    assert family is family_of(endpoint)


def test_a_connection_stands_with_whom_was_judged(listening: Endpoint) -> None:
    with socket.socket() as sock:
        at_once = begin_connecting(sock, listening)  # one that blocks waits

        assert at_once
        assert judge_connection(sock, listening) is None


def test_a_connection_does_not_stand_before_it_was_answered() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as sock:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # room for one; what comes after it waits
        first.connect(full.getsockname())
        sock.setblocking(False)

        assert not begin_connecting(sock, Endpoint("mx", *full.getsockname()))


def test_a_connection_to_somebody_else_is_a_failure(listening: Endpoint) -> None:
    with socket.socket() as sock:
        begin_connecting(sock, listening)
        failure = judge_connection(sock, Endpoint("mx", "127.0.0.9", listening.port))

    why = "connected to 127.0.0.1 in place of 127.0.0.9"
    assert Failure(Fault.FORBIDDEN_NETWORK, why) == failure


def test_one_spelling_of_an_address_is_as_good_as_another() -> None:
    family = socket.AF_INET6
    with socket.create_server(("::1", 0), family=family) as server, socket.socket(family) as sock:
        endpoint = Endpoint("mx", "0:0::1", server.getsockname()[1])
        begin_connecting(sock, endpoint)

        assert judge_connection(sock, endpoint) is None


def test_a_socket_in_the_file_system_is_whose_path_was_given(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    endpoint = Endpoint("mx", f"unix:{path}", 0, ours=True)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as sock:
        server.bind(str(path))
        server.listen()

        assert begin_connecting(sock, endpoint)
        assert judge_connection(sock, endpoint) is None


def test_who_cannot_be_reached_at_all_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock, pytest.raises(FileNotFoundError):
        begin_connecting(sock, Endpoint("mx", f"unix:{tmp_path}/none", 0, ours=True))


@pytest.mark.parametrize(
    ("number", "fault", "said"),
    [
        (errno.ECONNREFUSED, Fault.REFUSED, errno.ECONNREFUSED),
        (errno.ETIMEDOUT, Fault.TIMEOUT, errno.ETIMEDOUT),
        (0, Fault.REFUSED, errno.ENOTCONN),  # it has been asked before
    ],
)
def test_the_socket_says_why_it_is_not_connected(number: int, fault: Fault, said: int) -> None:
    with Told() as sock:
        sock.number = number
        failure = judge_connection(sock, Endpoint("mx", "192.0.2.1", 25))

    assert Failure(fault, os.strerror(said)) == failure
