"""What the service manager is told."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.net import notify as notify_module
from ringback.net.notify import READY, notify, reloading, watchdog_s


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        sock.setblocking(False)
        yield path, sock


def test_states_are_one_message(manager: tuple[str, socket.socket]) -> None:
    path, sock = manager
    notify({"NOTIFY_SOCKET": path}, READY, "STATUS=ready")

    assert b"READY=1\nSTATUS=ready" == sock.recv(1_000)


def test_a_socket_may_be_abstract(tmp_path: Path) -> None:
    name = f"ringback-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        notify({"NOTIFY_SOCKET": f"@{name}"}, READY)

        assert b"READY=1" == sock.recv(1_000)


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_manager_nothing_is_said(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(socket, "socket", lambda *kind: opened.append(kind))
    notify(environment, READY)

    assert [] == opened


def test_a_manager_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}, READY)


def test_a_manager_that_reads_nothing_holds_nobody_up(
    manager: tuple[str, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = manager
    monkeypatch.setattr(notify_module, "WAIT_S", 0.01)

    def notify_for_ever() -> None:
        while True:
            notify({"NOTIFY_SOCKET": path}, READY)

    with pytest.raises(TimeoutError):
        notify_for_ever()


def test_a_reload_says_when_it_began() -> None:
    assert ("RELOADING=1", "MONOTONIC_USEC=12345678") == reloading(12.345678)


@pytest.mark.parametrize(
    ("environment", "within_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_is_fed_where_it_watches_us(
    environment: dict[str, str], within_s: float | None
) -> None:
    assert within_s == watchdog_s(environment)
