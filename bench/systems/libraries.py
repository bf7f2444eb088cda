"""Libraries that verify addresses: each does an order in one process of its own.

They are fetched by their own package managers into .cache/bench, once. They resolve names by what
/etc/resolv.conf says, so that theirs is another one. Not here: what they are told to do (drivers/).
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from real.servers.network import visiting
from real.servers.unpack import UnavailableError

from ..orders import Way
from ..places import NAMESERVER
from ..world import ROOT, World
from .system import System

CACHE = ROOT / ".cache" / "bench"
DRIVERS = ROOT / "bench" / "drivers"
PY3, DEEP = "py3-validate-email==1.0.5.post2", "deep-email-validator@0.1.27"
INSTALL_S = 300.0
_IN_OUR_DNS = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


def py3_validate_email(world: World, name: str) -> System:
    """Raises UnavailableError where pip cannot fetch it."""
    place = CACHE / "py3"
    python = place / "bin" / "python"

    def fetch() -> None:
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        _run([str(python), "-m", "pip", "install", "--quiet", PY3])

    _once(world, place, fetch)
    driver = str(DRIVERS / "py3_validate_email.py")
    return _library(world, name, [str(python), driver], "True", PY3)


def deep_email_validator(world: World, name: str) -> System:
    """Raises UnavailableError where there is no Node.js, or npm cannot fetch it."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise UnavailableError("no node and npm here")
    place = CACHE / "deep"
    package = place / "node_modules" / "deep-email-validator"

    def fetch() -> None:
        place.mkdir(parents=True, exist_ok=True)
        _run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(place), DEEP]
        )

    _once(world, place, fetch)
    driver = str(DRIVERS / "deep_email_validator.js")
    return _library(world, name, ["node", driver, str(package)], "true", DEEP)


def _library(world: World, name: str, command: list[str], good: str, about: str) -> System:
    resolver = world.home / "resolv.conf"
    resolver.write_text(f"nameserver {NAMESERVER}\n")
    apart = ["unshare", "--mount", "env", f"PYTHONPATH={ROOT}", "sh", "-c", _IN_OUR_DNS]
    argv = [*apart, str(resolver), *command]
    return System(name, Way.LIBRARY, "", 0, 0, frozenset({good}), world, argv, about=about)


def _once(world: World, place: Path, fetch: Callable[[], None]) -> None:
    done = place / ".fetched"
    if done.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with visiting(world.outside):
        fetch()
    done.touch()


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip()
        raise UnavailableError(f"{command[-1]} cannot be fetched: {said[-200:]}") from error
