"""Sockets that were passed to us, as the service manager passes them."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ringback.errors import UsageError
from ringback.net.inherit import Inherited

# A place for descriptors that the test run does not use.
FIRST = 200
NO_LISTENER = "of the service manager is no stream socket that listens"


class Manager:
    """Passes sockets to this process."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._names: list[str] = []
        self._stack = ExitStack()

    def listen(self, name: str, family: socket.AddressFamily, address: object) -> socket.socket:
        sock = socket.socket(family)
        sock.bind(address)  # type: ignore[arg-type]
        sock.listen()
        return self.add(name, sock)

    def add(self, name: str, sock: socket.socket) -> socket.socket:
        at = FIRST + len(self._sockets)
        os.dup2(sock.fileno(), at)
        self._sockets.append(sock)
        self._names.append(name)
        self._stack.callback(sock.close)
        return sock

    def environment(self, **changed: str) -> dict[str, str]:
        return {
            "LISTEN_PID": str(os.getpid()),
            "LISTEN_FDS": str(len(self._sockets)),
            "LISTEN_FDNAMES": ":".join(self._names),
            **changed,
        }

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager()
    yield manager
    manager.close()


def is_open(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").exists()


def test_socket_is_found_by_where_it_listens(manager: Manager, tmp_path: Path) -> None:
    policy = manager.listen("policy", socket.AF_INET, ("127.0.0.1", 0))
    manager.listen("milter", socket.AF_UNIX, str(tmp_path / "milter"))
    port = policy.getsockname()[1]
    inherited = Inherited.of(manager.environment(), FIRST)
    taken = [
        inherited.take_nowait(address)
        for address in (f"127.0.0.1:{port}", f"unix:{tmp_path}/milter", "127.0.0.1:1", "[::1]:1")
    ]
    names = [sock.getsockname() if sock else None for sock in taken]

    assert [("127.0.0.1", port), str(tmp_path / "milter"), None, None] == names
    assert [False, False] == [sock.getblocking() for sock in taken if sock]
    assert [False, False] == [os.get_inheritable(FIRST + at) for at in range(2)]
    for sock in taken:
        if sock:
            sock.close()
    inherited.close()


def test_socket_can_be_taken_again_after_it_was_closed(manager: Manager) -> None:
    host, port = manager.listen("policy", socket.AF_INET, ("127.0.0.1", 0)).getsockname()
    inherited = Inherited.of(manager.environment(), FIRST)
    for _ in range(2):
        taken = inherited.take_nowait(f"{host}:{port}")
        assert taken is not None
        with taken, socket.create_connection((host, port)):
            taken.settimeout(5.0)
            accepted, _ = taken.accept()
            accepted.close()
    inherited.close()


def test_socket_that_no_address_names_is_a_stray(manager: Manager) -> None:
    host, port = manager.listen("policy", socket.AF_INET, ("127.0.0.1", 0)).getsockname()
    unnamed = manager.listen("", socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
    inherited = Inherited.of(manager.environment(LISTEN_FDNAMES="policy"), FIRST)

    assert [f"127.0.0.1:{port} (policy)", f"127.0.0.1:{unnamed}"] == list(inherited.strays([]))
    assert [f"127.0.0.1:{unnamed}"] == list(inherited.strays([f"{host}:{port}"]))
    inherited.close()


@pytest.mark.parametrize("changed", [{"LISTEN_PID": "1"}, {"LISTEN_PID": ""}])
def test_what_was_meant_for_another_process_is_left_alone(
    manager: Manager, changed: dict[str, str]
) -> None:
    port = manager.listen("policy", socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
    inherited = Inherited.of(manager.environment(**changed), FIRST)

    assert inherited.take_nowait(f"127.0.0.1:{port}") is None
    assert is_open(FIRST)
    os.close(FIRST)


@pytest.mark.parametrize("count", ["", "x", "-1", "257", "9" * 5_000, "²"])
def test_count_that_is_none_is_refused(count: str) -> None:
    environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": count}
    with pytest.raises(UsageError, match="LISTEN_FDS: it is no number up to 256"):
        Inherited.of(environment, FIRST)


def test_socket_that_listens_for_anything_but_streams_is_refused(
    manager: Manager, tmp_path: Path
) -> None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.bind(str(tmp_path / "packets"))
    sock.listen()
    manager.add("odd", sock)
    with pytest.raises(UsageError, match=f"descriptor 200 {NO_LISTENER}"):
        Inherited.of(manager.environment(), FIRST)

    assert not is_open(FIRST)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_socket_that_does_not_listen_is_refused_and_all_are_closed(
    manager: Manager, kind: socket.SocketKind
) -> None:
    manager.listen("policy", socket.AF_INET, ("127.0.0.1", 0))
    manager.add("odd", socket.socket(socket.AF_INET, kind))
    with pytest.raises(UsageError, match=f"descriptor 201 {NO_LISTENER}"):
        Inherited.of(manager.environment(), FIRST)

    assert [False, False] == [is_open(FIRST), is_open(FIRST + 1)]


def test_descriptor_that_is_not_open_is_refused(manager: Manager) -> None:
    with pytest.raises(UsageError, match=f"descriptor 200 {NO_LISTENER}"):
        Inherited.of(manager.environment(LISTEN_FDS="1"), FIRST)
