"""Ringback and its lab as an operator starts them: separate processes, with a log to wait for.

Not here: mail servers of Debian's (box.py).
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

READY_S = 20.0
STOP_S = 20.0
CHECK_S = 60.0
_GLANCE_S = 0.02
# The service gathers the lines of its log for a hundredth of a second; a machine may be busy beside.
_GATHERED_S = 0.1

# They end with the test run, however that ends.
_RINGBACK = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "ringback"]


class Program:
    """`ringback ARGS…`, running until stopped; what it says stands in the file at `log_path`."""

    def __init__(self, log_path: Path, *args: str) -> None:
        self.log_path, self.name = log_path, f"ringback {args[0]}"
        self._args = args
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: str) -> None:
        """Return when it has said `ready`. Raises TimeoutError."""
        heard_bytes = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*_RINGBACK, *self._args], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        give_up_at = monotonic() + READY_S
        while ready.encode() not in self.log_path.read_bytes()[heard_bytes:]:
            if monotonic() > give_up_at or self._ended_within(_GLANCE_S):
                self.stop()
                raise TimeoutError(f"ringback {' '.join(self._args)}: not ready\n{self.logs()}")

    def stop(self) -> None:
        """End it as a service manager does; kill it if that does not help."""
        if self._process is not None:
            self._process.terminate()
            if not self._ended_within(STOP_S):
                self._process.kill()
                self._process.wait()

    def logs(self) -> str:
        """What it has said up to now."""
        if self._process is not None:
            self._ended_within(_GATHERED_S)
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _ended_within(self, seconds: float) -> bool:
        assert self._process is not None, "not started"
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Ringback:
    """One installation: its configuration, its store, its service."""

    config_path: Path
    store_path: Path
    service: Program

    def start(self) -> None:
        self.service.start('"ready"')

    def check(
        self, *addresses: str, fresh: bool = False, purpose: str = "sender"
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return the report on each of `addresses`, by address."""
        options = ["--json", "--config", str(self.config_path), *(["--fresh"] if fresh else [])]
        arguments = ["check", *options, "--purpose", purpose, *addresses]
        done = subprocess.run(
            [*_RINGBACK, *arguments], check=False, capture_output=True, text=True, timeout=CHECK_S
        )
        reports: Sequence[Any] = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(addresses) == len(reports), done.stderr
        return {report["address"]: report for report in reports}


def install(home: Path, settings: str) -> Ringback:
    """Lay out an installation under `home` with `settings` and a store of its own."""
    config, store = home / "ringback.toml", home / "ringback.db"
    config.write_text(f'{settings}\n[store]\nurl = "sqlite://{store}"\n')
    return Ringback(config, store, Program(home / "ringback.log", "serve", "--config", str(config)))
