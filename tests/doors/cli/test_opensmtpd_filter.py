"""`ringback opensmtpd-filter` as OpenSMTPD starts it: one socket for both standard streams."""

import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

CONNECT = b"report|0.6|1.0|smtp-in|link-connect|a1|mail.shop.example|pass|192.0.2.1:9|192.0.2.9:25"
MAIL = b"filter|0.6|1.0|smtp-in|mail-from|a1|f0|ann@shop.example"
RCPT = b"filter|0.6|1.0|smtp-in|rcpt-to|a1|f0|you@ours.example"
SAID = b"\n".join([b"config|ready", CONNECT, MAIL, RCPT, b""])


class Refusing(socketserver.StreamRequestHandler):
    """A policy service that refuses everybody."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line == b"\n":
                self.wfile.write(b"action=550 5.1.7 no such mailbox\n\n")


@pytest.fixture
def service() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def unused_address() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


class OpenSmtpd:
    """The other end of the filter's standard streams: says what it has to, and hears the answers."""

    def __init__(self) -> None:
        self.heard = b""

    @contextmanager
    def starting_a_filter(self) -> Iterator[None]:
        """Stand behind standard input and output of this process."""
        theirs, ours = socket.socketpair()
        kept = {fd: os.dup(fd) for fd in (0, 1)}
        thread = threading.Thread(target=self._converse, args=(ours,), daemon=True)
        try:
            for fd in kept:
                os.dup2(theirs.fileno(), fd)
            thread.start()
            yield
            thread.join()
        finally:
            for fd, before in kept.items():
                os.dup2(before, fd)
                os.close(before)
            ours.close()
            theirs.close()

    def _converse(self, sock: socket.socket) -> None:
        sock.sendall(SAID)
        while self.heard.count(b"filter-result") < 2 and (octets := sock.recv(65_536)):
            self.heard += octets
        sock.shutdown(socket.SHUT_WR)


def test_it_asks_the_service_and_answers(run: Run, service: str) -> None:
    opensmtpd = OpenSmtpd()
    with opensmtpd.starting_a_filter():
        status, _, err = run("opensmtpd-filter", "--service", service)

    assert (0, "") == (status, err)
    assert opensmtpd.heard.startswith(b"register|report|smtp-in|link-connect\n")
    assert opensmtpd.heard.endswith(
        b"register|ready\nfilter-result|a1|f0|proceed\n"
        b"filter-result|a1|f0|reject|550 5.1.7 no such mailbox\n"
    )


def test_the_service_may_stand_in_the_settings(run: Run, service: str, config_file: Path) -> None:
    config_file.write_text(f'[policy]\nlisten = ["{service}"]\n')
    opensmtpd = OpenSmtpd()
    with opensmtpd.starting_a_filter():
        status, _, err = run("opensmtpd-filter")

    assert (0, "") == (status, err)
    assert opensmtpd.heard.endswith(b"|reject|550 5.1.7 no such mailbox\n")


def test_mail_passes_without_a_service(run: Run, unused_address: str) -> None:
    opensmtpd = OpenSmtpd()
    with opensmtpd.starting_a_filter():
        status, _, err = run("opensmtpd-filter", "--service", unused_address)

    assert 0 == status
    assert opensmtpd.heard.endswith(b"filter-result|a1|f0|proceed\n" * 2)
    assert (
        f"ringback: the policy service at {unused_address} gives no answer: Connection refused;"
        " mail passes unasked until it does\n"
    ) == err


@pytest.mark.parametrize(
    ("arguments", "settings", "told"),
    [
        (["--service", "nonsense"], "", '"nonsense" is not ADDRESS:PORT; write "ADDRESS:PORT" or'),
        (["--service", "unix:policy"], "", "is not unix: and an absolute path"),
        (["--timeout", "0"], "", "'--timeout'"),
        ([], "[policy]\nlisten = []\n", "policy.listen: it is empty"),
        ([], "[policy]\nmode = 1\n", "policy.mode"),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(
    run: Run, config_file: Path, arguments: list[str], settings: str, told: str
) -> None:
    config_file.write_text(settings)
    status, out, err = run("opensmtpd-filter", *arguments)

    assert (2, "", 1) == (status, out, err.count("\n"))
    assert told in err
