"""Where we are root under Linux, these tests run Debian's mail servers, in a network of their own.

Elsewhere they are skipped, and counted; in CI that is a failure.
"""

import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Never

import pytest

from .servers import exim, postfix
from .servers.box import Box
from .servers.network import private_network, visiting
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with
from .servers.unpack import UnavailableError

TOOLS = ("apt-get", "dpkg-deb", "setpriv", "unshare")
POLICY_ADDRESS = "127.0.0.1:10040"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip by name what cannot run here."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        _unavailable("real mail servers run under Linux, started by root")
    if missing:
        _unavailable(f"real mail servers need {', '.join(missing)}, as Debian has them")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the servers had to say."""
    report = yield
    servers = item.funcargs.get("servers")
    if report.failed and isinstance(servers, Servers):
        report.sections += [(program.name, program.logs()) for program in servers.running]
    return report


def _unavailable(why: str) -> Never:
    if os.environ.get("CI") == "true":
        pytest.fail(f"nothing may be left out in CI: {why}", pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def outside() -> Iterator[int]:
    """Enter a network of our own; what remains is a way to visit the one outside."""
    with ExitStack() as stack:
        try:
            outside = stack.enter_context(private_network())
        except PermissionError as error:
            _unavailable(f"root may not have a network of its own here: {error}")
        yield outside


@dataclass(frozen=True, slots=True)
class Servers:
    """Starts programs; all of them stop when the module that asked for them ends."""

    outside: int
    homes: pytest.TempPathFactory
    running: list[Box | Program] = field(default_factory=list)

    def postfix(self, host: str, main: Mapping[str, str]) -> None:
        """Start a Postfix at `host`, port 25, with `main` as lines of its main.cf."""
        postfix.start(self.box("postfix", postfix.fetch), host, main)

    def exim(self, host: str, *mailboxes: str) -> None:
        """Start an Exim at `host`, port 25, where `mailboxes` exist."""
        exim.start(self.box("exim", exim.fetch), host, mailboxes)

    def ringback(self, policy_address: str) -> Ringback:
        """Lay out a Ringback that enforces and calls always, asked at `policy_address`; not started."""
        settings = settings_with(policy={"listen": [policy_address]})
        installed = install(self.home("ringback"), settings)
        self.running.append(installed.service)
        return installed

    def home(self, name: str) -> Path:
        return self.homes.mktemp(name)

    def stop(self) -> None:
        while self.running:
            self.running.pop().stop()

    def box(self, name: str, fetch: Callable[[], Path]) -> Box:
        """Return a box with the root that `fetch` brings from outside; nothing runs in it yet."""
        try:
            with visiting(self.outside):
                root = fetch()
        except UnavailableError as error:
            _unavailable(str(error))
        box = Box(root, self.home(name))
        self.running.append(box)
        return box


@pytest.fixture(scope="module")
def servers(outside: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(outside, tmp_path_factory)
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def lab(servers: Servers) -> Program:
    """The small internet of world.toml."""
    world = str(Path(__file__).with_name("world.toml"))
    arguments = ("lab", "--world", world, "--port", "25", "--dns-port", "53")
    program = Program(servers.home("lab") / "log", *arguments)
    servers.running.append(program)
    program.start("the lab is open")
    return program


@pytest.fixture(scope="module")
def ringback(servers: Servers, lab: Program) -> Ringback:
    """A Ringback on the lab's internet; not started."""
    return servers.ringback(POLICY_ADDRESS)
