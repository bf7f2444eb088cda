"""One Debian with systemd for all tests that want one, with Ringback's package built and installed in it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Never

import pytest
from tools import deb

from real.servers.unpack import UnavailableError

from .machine import Machine

TOOLS = ("apt-get", "dpkg-deb", "setpriv", "unshare", "nsenter", deb.SYSTEM_PYTHON)


def _unavailable(why: str) -> Never:
    if os.environ.get("CI") == "true":
        pytest.fail(f"nothing may be left out in CI: {why}", pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package, built from the tree."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or missing:
        _unavailable(f"this needs Debian, root and {', '.join(TOOLS)}")
    return deb.build(tmp_path_factory.mktemp("deb"), deb.SYSTEM_PYTHON)


@pytest.fixture(scope="module")
def machine(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A Debian where the package lies at /root/ringback.deb, and is installed."""
    try:
        machine = Machine(tmp_path_factory.mktemp("machine"))
    except UnavailableError as error:
        _unavailable(str(error))
    try:
        machine.put(package, "/root/ringback.deb")
        # Its packages were unpacked without being installed, so that dpkg knows of none.
        machine.run("dpkg", "--force-depends", "--install", "/root/ringback.deb")
        yield machine
    finally:
        machine.stop()
