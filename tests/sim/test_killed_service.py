"""`kill -9` in the middle of a flood: the host counts what both lives of the service asked of it."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringback.lab.mx import Host
from ringback.lab.personas import Step, load_personas, parse_personas
from ringback.lab.plan import make_plan
from ringback.lab.world import World

VICTIM = "victim.example"
# Strangers have a quarter of the budget, and a quarter of that at once; the next comes after 48 s.
PER_HOST, BURST = 400, 25
FLOOD = 100
# It has every name that is made up, and takes its time, so that the kill comes before the burst is spent.
PERSONA = """
[has_them_all]
rcpt = [{ to = "made-up-*@*", say = "250 2.1.5 Ok", delay_s = 0.02 }, "550 5.1.1 User unknown"]
"""
HANG_S = 30.0


class Lab:
    """The victim, up in a thread of its own: the test waits for processes."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        personas = parse_personas(PERSONA, "test", load_personas())
        plan = make_plan({"domains": {VICTIM: {"persona": "has_them_all"}}})
        self.world = World(plan, personas=personas)
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> "Lab":
        self._thread.start()
        self._do(self.world.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self.world.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def victim(self) -> Host:
        (host,) = self.world.hosts.values()
        return host

    @property
    def asked(self) -> list[str]:
        """Those of whom it was asked, once for each connection."""
        return [
            address
            for session in self.victim.sessions
            for address in dict.fromkeys(session.recipients)
            if address.startswith("made-up-")
        ]

    def wait_asked(self, count: int) -> None:
        self._do(self.victim.wait_heard(Step.RCPT, count))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(HANG_S)


def write_settings(lab: Lab, folder: Path) -> Path:
    path = folder / "lab.toml"
    path.write_text(
        f"""{lab.world.settings_toml}
[etiquette]
call_when = "always"

[budget]
per_host = {PER_HOST}
per_domain = {PER_HOST}

[policy]
listen = ["127.0.0.1:0"]
mode = "enforce"

[http]
listen = ""

[store]
url = "sqlite://{folder}/ringback.db"
"""
    )
    return path


@contextmanager
def serving(settings: Path) -> Iterator[socket.socket]:
    """One life of the service, ended by SIGKILL; yields a connection to its policy port."""
    with subprocess.Popen(
        [sys.executable, "-m", "ringback", "serve", "--config", str(settings)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            ready = next(said for said in map(json.loads, process.stderr) if _is_ready(said))
            ip, _, port = str(ready["detail"]).split()[-1].rpartition(":")
            threading.Thread(target=process.stderr.read, daemon=True).start()
            with socket.create_connection((ip, int(port)), HANG_S) as client:
                yield client
        finally:
            process.kill()


def _is_ready(said: dict[str, Any]) -> bool:
    return said.get("what") == "ready"


def flood(client: socket.socket, life: int) -> None:
    """Hand in forged mail, and wait for nothing."""
    for number in range(FLOOD):
        client.sendall(
            b"request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=you@ours.example\n"
            b"client_address=198.51.100.7\n"
            b"sender=made-up-%d-%d@%s\n\n" % (life, number, VICTIM.encode())
        )


@pytest.mark.slow
def test_both_lives_together_ask_no_more_than_the_budget(tmp_path: Path) -> None:
    with Lab() as lab:
        settings = write_settings(lab, tmp_path)
        with serving(settings) as client:
            flood(client, 1)
            lab.wait_asked(8)
        with serving(settings) as client:
            flood(client, 2)
            answers = b""
            while answers.count(b"action=") < FLOOD:
                answers += client.recv(65_536)
        asked = lab.asked
    with closing(sqlite3.connect(tmp_path / "ringback.db")) as store:
        rows = {
            row[0]
            for row in store.execute("SELECT address FROM call UNION SELECT address FROM begun")
        }

    assert 0 < len(asked) <= BURST
    # After a kill, bursts start empty.
    assert [] == [address for address in asked if address.startswith("made-up-2-")]
    assert set() == set(asked) - rows  # each was written down before it was asked
    assert FLOOD == answers.count(b"action=DUNNO")
