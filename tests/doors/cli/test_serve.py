"""`ringback serve` as systemd and operators run it: a process of its own, told what to do by signals."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ringback.doors.configuration import load_settings

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error


class Served:
    """A running `ringback serve`; `address` is where it answers."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr
        self.process, self._log = process, process.stderr
        self.address = ("", 0)

    def wait_for(self, what: str) -> list[dict[str, object]]:
        """Return the events until the lifecycle's `what`."""
        events = []
        for line in self._log:
            events.append(json.loads(line))
            if events[-1].get("what") == what:
                return events
        raise AssertionError(events)

    def wait_ready(self) -> None:
        host, _, port = str(self.wait_for("ready")[-1]["detail"]).split()[-1].rpartition(":")
        self.address = (host, int(port))

    def ask(self, sender: str) -> str:
        request = (
            "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.51.100.7\n"
            f"sender={sender}\nrecipient=you@ours.example\n\n"
        )
        with socket.create_connection(self.address, 10) as client:
            client.sendall(request.encode())
            return client.recv(1_000).decode()

    def end(self, number: signal.Signals) -> tuple[int, list[object]]:
        """Send a signal, and return the exit status and the lifecycle that followed."""
        self.process.send_signal(number)
        rest = [json.loads(line) for line in self._log]
        return self.process.wait(), [it["what"] for it in rest if it["event"] == "lifecycle"]


@contextmanager
def serve(settings: Path, redirection: str = "", **environment: str) -> Iterator[Served]:
    command = (sys.executable, "-m", "ringback", "serve", "--config", str(settings))
    with subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("redirection", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-", "2>&-"])
def test_it_runs_and_stops_in_order_whatever_was_closed_before(
    redirection: str, lab_settings: Path, tmp_path: Path
) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(20)
        place = str(tmp_path / "notify")
        with serve(lab_settings, redirection, NOTIFY_SOCKET=place) as served:
            while b"READY=1" not in told.recv(10_000):
                pass
            status, log = served.end(signal.SIGTERM)

    assert 0 == status
    assert ([] if "2>" in redirection else ["starting", "ready", "draining", "stopped"]) == log


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_until_a_signal_and_ends_with_0(
    number: signal.Signals, lab_settings: Path
) -> None:
    with serve(lab_settings) as served:
        served.wait_ready()
        refused, accepted = served.ask("invented@shop.example"), served.ask("ann@shop.example")
        ended = served.end(number)

    assert refused.startswith("action=550 5.1.7 ")
    assert "action=DUNNO\n\n" == accepted
    assert (0, ["draining", "stopped"]) == ended


@pytest.mark.slow
def test_sighup_reads_the_configuration_again(lab_settings: Path) -> None:
    with serve(lab_settings) as served:
        served.wait_ready()
        written = lab_settings.read_text()
        lab_settings.write_text("not TOML")
        served.process.send_signal(signal.SIGHUP)
        mistake = served.wait_for("ready")
        lab_settings.write_text(written.replace('"enforce"', '"observe"'))
        served.process.send_signal(signal.SIGHUP)
        served.wait_for("ready")
        observed = served.ask("invented@shop.example")

    assert ["reloading", "trouble", "ready"] == [
        it["what"] if it["event"] == "lifecycle" else it["event"] for it in mistake
    ]
    assert "action=DUNNO\n\n" == observed


def is_committed(settings: Path, key: str) -> bool:
    path = load_settings(str(settings), {}).settings.store.sqlite_path
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = connection.execute("SELECT 1 FROM entry WHERE key = ?", (key,)).fetchone()
    return found is not None


@pytest.mark.slow
def test_what_was_committed_survives_a_kill(lab_settings: Path) -> None:
    with serve(lab_settings) as served:
        served.wait_ready()
        served.ask("invented@shop.example")
        while not is_committed(lab_settings, "invented@shop.example"):
            served.ask("ann@shop.example")
        served.process.kill()
    with serve(lab_settings) as served:
        served.wait_ready()
        again = served.ask("invented@shop.example")
        ended = served.end(signal.SIGTERM)

    assert again.startswith("action=550 ")
    assert 0 == ended[0]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("sqlite://", "sqlite:///no/such/folder"), "there is no directory"),
        (('listen = ["127.0.0.1:0"]', "listen = []"), "policy.listen: it is empty"),
        (('listen = ["127.0.0.1:0"]', 'listen = ["unix:/no/such/a"]'), "make the directory first"),
        (('listen = ["127.0.0.1:0"]', 'listen = ["192.0.2.1:9"]'), "take an address of this host"),
        (('contact = "postmaster@lab.example"', ""), "identity.contact"),
    ],
)
def test_what_keeps_it_from_serving_is_one_line(
    changed: tuple[str, str], told: str, run: Run, lab_settings: Path
) -> None:
    lab_settings.write_text(lab_settings.read_text().replace(*changed))

    status, out, err = run("serve", "--config", str(lab_settings))
    lines = [line for line in err.splitlines() if not line.startswith("{")]

    assert (2, "", 1) == (status, out, len(lines))
    assert told in lines[0]


def test_a_port_that_is_taken_is_named(run: Run, lab_settings: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        lab_settings.write_text(lab_settings.read_text().replace("127.0.0.1:0", address))

        status, _, err = run("serve", "--config", str(lab_settings))

    assert 2 == status
    assert f"ringback: cannot listen on {address}: Address already in use; " in err


def test_a_signal_ends_it_within_this_process_too(run: Run, lab_settings: Path) -> None:
    def end_it() -> None:
        while threading.main_thread().is_alive() and not ended.wait(0.01):
            if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    ended = threading.Event()
    other = threading.Thread(target=end_it)
    other.start()
    status, out, err = run("serve", "--config", str(lab_settings))
    ended.set()
    other.join()

    assert (0, "") == (status, out)
    assert "stopped" == json.loads(err.splitlines()[-1])["what"]
