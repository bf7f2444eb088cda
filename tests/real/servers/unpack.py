"""A Debian package and what it depends on, unpacked into a root of its own.

Debian's mail servers conflict with each other, and none of them should touch the machine it is tested
on: nothing is installed, no package's script is run. apt resolves, fetches and verifies; what it
fetched is kept under .cache/real, by content. Not here: running what was unpacked (box.py).
"""

import fcntl
import functools
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import etc

CACHE = Path(__file__).parents[3] / ".cache" / "real"
_FETCHED, _NOTHING = CACHE / "fetched", CACHE / "nothing"

# A closure is 10 to 40 MB: minutes on a slow line, and no reason to wait longer than this.
APT_S = 300
UNPACK_S = 60

_LISTED = re.compile(r"^'[^']+' (?P<file>\S+\.deb) ", re.MULTILINE)


class UnavailableError(Exception):
    """This machine cannot run the server; the text says what is missing."""


@functools.cache
def unpack(name: str, *packages: str) -> Path:
    """Return the root that holds `packages`, made now unless an earlier run made it.

    Raises UnavailableError where apt cannot resolve or fetch them.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone():
        files = _closure(packages)
        content = [*files, *etc.FILES.values(), *etc.LINKS.values()]
        digest = hashlib.sha256("\n".join(content).encode()).hexdigest()[:12]
        root = CACHE / f"{name}-{digest}"
        if not root.is_dir():
            for stale in CACHE.glob(f"{name}-*"):
                shutil.rmtree(stale)
            _apt("--download-only", _FETCHED, packages)
            _fill(root, files)
    return root


@contextmanager
def _alone() -> Iterator[None]:
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _closure(packages: Sequence[str]) -> list[str]:
    """Name the files that `packages` need; an index that apt never fetched is fetched."""
    # apt leaves out what it has already, hence a place where it has nothing.
    try:
        listed = _apt("--print-uris", _NOTHING, packages)
    except UnavailableError:
        _run(["apt-get", "--quiet", "update"], APT_S)
        listed = _apt("--print-uris", _NOTHING, packages)
    return sorted(found["file"] for found in _LISTED.finditer(listed))


def _apt(mode: str, archives: Path, packages: Sequence[str]) -> str:
    """Ask apt as if nothing at all were installed, so that the closure is whole."""
    for place in (archives / "partial", CACHE / "index"):
        place.mkdir(parents=True, exist_ok=True)
    status = CACHE / "status"
    status.touch()
    options = {
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
        "Dir::Cache": CACHE / "index",
        "Dir::Cache::Archives": archives,
        "Dir::State::Status": status,
    }
    settings = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    command = ["apt-get", "--quiet", "--yes", "--no-install-recommends", *settings, mode]
    return _run([*command, "install", *packages], APT_S)


def _fill(root: Path, files: Sequence[str]) -> None:
    filling = root.with_suffix(".new")
    shutil.rmtree(filling, ignore_errors=True)
    for file in files:
        _run(["dpkg-deb", "--extract", str(_FETCHED / file), str(filling)], UNPACK_S)
    for place in ("dev", "proc", "srv", "tmp"):
        (filling / place).mkdir(exist_ok=True)
    for place in ("bin", "lib", "lib64", "sbin"):
        # Since Debian 13 the packages leave these to base-files, which is in no closure.
        if not (filling / place).exists():
            (filling / place).symlink_to(f"usr/{place}")
    etc.furnish(filling)
    filling.rename(root)


def _run(command: Sequence[str], within_s: float) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=within_s)
    except FileNotFoundError as missing:
        raise UnavailableError(f"no {command[0]} here: this needs Debian") from missing
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        said = str(failed.stderr or "").strip()
        raise UnavailableError(f"{' '.join(command[-2:])}: {failed}: {said}") from failed
    return done.stdout
