"""Ringback as `ringback serve` runs it, its budgets raised so that they are never what is measured.

Not here: the settings of the world it runs in (tests/real/servers/settings.py).
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from real.servers.settings import settings_with

from ..orders import Way
from ..places import CONTACT, HELO_NAME, OUR_END, OUTSIDE
from ..world import ROOT, World
from .system import PART, System

READY_S = 20.0
_GLANCE_S = 0.05
_PLENTY, _AT_A_TIME = 10_000_000, 20_000

_SERVE = "from ringback.doors.cli import main; main()"
# As where the extra `fast` is not installed.
_SERVE_PLAIN = f"import sys; sys.modules['uvloop'] = None; {_SERVE}"


def start(
    world: World,
    name: str,
    address: str,
    *,
    control: bool = False,
    plain: bool = False,
    secure: bool = False,
    store: Path | None = None,
    more: Mapping[str, Mapping[str, object]] | None = None,
) -> System:
    """Start it; `plain` is without uvloop, `store` its database, `more` settings over these."""
    home = world.home / name.replace(" ", "-")
    home.mkdir(exist_ok=True)
    config, log = home / "ringback.toml", home / "log"
    wanted = _sections(address, control, secure)
    for section, extra in (more or {}).items():
        wanted[section] = {**wanted.get(section, {}), **extra}
    settings = settings_with(**wanted)
    place = store or home / "ringback.db"
    config.write_text(f'{settings}\n[store]\nurl = "sqlite://{place}"\n')
    command = [sys.executable, "-c", _SERVE_PLAIN if plain else _SERVE]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command, "serve", "--config", str(config)],
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
        )
    world.stack.callback(_kill, process)
    give_up_at = monotonic() + READY_S
    while b'"ready"' not in log.read_bytes():
        try:
            process.wait(_GLANCE_S)
        except subprocess.TimeoutExpired:
            if monotonic() < give_up_at:
                continue
        raise TimeoutError(f"{name} does not start\n{log.read_text()}")
    host, _, port = address.rpartition(":")
    good = frozenset({"action=DUNNO"})
    about = " ".join(settings.replace("\n[", f"{PART}[").split())
    return System(
        name,
        Way.POLICY,
        host,
        int(port),
        process.pid,
        good,
        world,
        about=about,
        stop=lambda: _end(process),
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """As a service manager does."""
    process.terminate()
    process.wait(READY_S)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(READY_S)


def _sections(address: str, control: bool, secure: bool) -> dict[str, dict[str, object]]:
    """Those of settings_with, and what a benchmark needs beside: plenty of everything."""
    return {
        "identity": {
            "helo_name": HELO_NAME,
            "contact": CONTACT,
            "source_addresses": [OUR_END],
            "require_fit": False,
        },
        "smtp": {
            "allowed_networks": [OUTSIDE],
            "control": control,
            "tls": "opportunistic" if secure else "when_required",
            "answer_within_s": 60.0,
            "stage_timeout_s": 300.0,
            "callout_deadline_s": 600.0,
        },
        "budget": {
            "per_host": _PLENTY,
            "per_domain": _PLENTY,
            "overall": _PLENTY,
            "refused_recipients_per_host": _PLENTY,
            "concurrent_per_host": 1_000,
            "concurrent": _AT_A_TIME,
        },
        "policy": {"listen": [address], "mode": "enforce"},
    }
