"""Sockets that can be had, and what is said of those that cannot."""

import errno
import socket
import stat
from pathlib import Path

import pytest

from ringback.errors import UsageError
from ringback.net.bind import open_listener, remove_path, shown_address


@pytest.mark.parametrize(
    ("address", "ip"),
    [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]")],
)
def test_tcp_socket_is_shown_with_its_real_port(address: str, ip: str) -> None:
    with open_listener(address, 0o660) as sock:
        port = sock.getsockname()[1]

        assert port > 0
        assert shown_address(sock) == f"{ip}:{port}"


@pytest.mark.parametrize(
    "address", ["", "10040", "127.0.0.1", "mx.example:25", "127.0.0.1:x", ":25"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="write ADDRESS:PORT or unix:/path"):
        open_listener(address, 0o660)


def test_port_that_is_taken_is_named_with_a_remedy() -> None:
    with open_listener("127.0.0.1:0", 0o660) as sock:
        address = shown_address(sock)
        with pytest.raises(UsageError) as refusal:
            open_listener(address, 0o660)

    assert str(refusal.value) == (
        f"cannot listen on {address}: Address already in use; "
        "stop the program that listens there (ss -lptn shows it), or take another port"
    )


def test_address_of_another_host_is_named_with_a_remedy() -> None:
    with pytest.raises(
        UsageError, match="Cannot assign requested address; take an address of this"
    ):
        open_listener("192.0.2.77:0", 0o660)


def test_port_that_is_not_allowed_is_named_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError, match="Permission denied; take a port from 1024 on"):
        open_listener("127.0.0.1:25", 0o660)


def test_unix_socket_has_its_mode_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "door"
    with open_listener(f"unix:{path}", 0o620) as sock:
        mode = path.stat().st_mode

        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o620
        assert shown_address(sock) == f"unix:{path}"
        remove_path(sock)
        remove_path(sock)

    assert not path.exists()


def test_socket_left_over_by_a_dead_program_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "door"
    open_listener(f"unix:{path}", 0o660).close()

    assert path.exists()
    with open_listener(f"unix:{path}", 0o660), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_socket_of_a_living_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "door"
    with open_listener(f"unix:{path}", 0o660):
        with pytest.raises(UsageError, match="already in use"):
            open_listener(f"unix:{path}", 0o660)

        assert path.exists()


def test_socket_of_a_busy_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(UsageError, match="already in use"):
            open_listener(f"unix:{path}", 0o660)


def test_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "door"
    path.write_text("precious")
    with pytest.raises(UsageError, match="is no socket; move it away"):
        open_listener(f"unix:{path}", 0o660)

    assert path.read_text() == "precious"


def test_directory_that_is_missing_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; make the directory first"):
        open_listener(f"unix:{tmp_path}/missing/door", 0o660)


def test_path_that_is_too_long_is_named() -> None:
    with pytest.raises(UsageError, match="too long"):
        open_listener("unix:/" + "x" * 200, 0o660)


def test_no_descriptor_is_left_by_a_failure(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for address in ("192.0.2.77:0", f"unix:{tmp_path}/missing/door", "127.0.0.1:x"):
        with pytest.raises(UsageError):
            open_listener(address, 0o660)

    assert len(list(Path("/proc/self/fd").iterdir())) == before
