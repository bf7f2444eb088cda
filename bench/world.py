"""The world of the benchmarks: a network of its own, its DNS, its mail exchangers, and whoever is measured.

Needs root and Linux. Not here: the network itself and Debian's roots (tests/real/servers).
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from real.servers.box import Box
from real.servers.network import private_network, visiting

from .orders import Order, Outcome, read_outcome, write_order
from .places import HERE, NAMESERVER, OUR_END, OUTSIDE, SMTP_PORT, THEIR_END, THERE

# proc_net_tcp(5): the port in hexadecimal, and the state ESTABLISHED.
_SMTP, _STANDS = f":{SMTP_PORT:04X}", "01"

_PYTHON = (sys.executable, "-m")
# Holds a network and does nothing.
_NOBODY = ("sh", "-c", "echo ready; exec sleep infinity")

ROOT = Path(__file__).parents[1]
SETTLE_S = 5.0
# Beyond what the order itself takes: starting, and asking the last question.
ORDER_SLACK_S = 60.0


@dataclass(slots=True)
class World:
    """`outside` is the network that packages are fetched from."""

    outside: int
    home: Path
    stack: ExitStack
    asked: int = 0  # mailboxes that were asked about, so that others are new
    hosts_pid: int = 0

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program that says when it is ready, and ends with the world."""
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE, cwd=ROOT
        )
        self.stack.callback(self._end, process)
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise TimeoutError(f"{command[-1]} does not start")
        return process

    def open_outside(self, holder: Sequence[str], delay_s: float) -> None:
        """Make another network for mail exchangers, held by a program, and lay a wire there."""
        self.hosts_pid = self.start(["unshare", "--net", *holder]).pid
        there = ["nsenter", "--net", "--target", str(self.hosts_pid)]
        if delay_s:
            self.start([*_PYTHON, "bench.wire", str(self.hosts_pid), str(delay_s)])
        else:
            _ip("link", "add", HERE, "type", "veth", "peer", "name", THERE)
            _ip("link", "set", THERE, "netns", str(self.hosts_pid))
        _ip("address", "add", f"{OUR_END}/30", "dev", HERE)
        _ip("link", "set", HERE, "up")
        _ip("route", "add", OUTSIDE, "via", THEIR_END)
        _ip("link", "set", "lo", "up", at=there)
        _ip("address", "add", f"{THEIR_END}/30", "dev", THERE, at=there)
        _ip("link", "set", THERE, "up", at=there)
        _ip("route", "add", "local", OUTSIDE, "dev", "lo", at=there)

    @contextmanager
    def among_hosts(self) -> Iterator[None]:
        """Go to the network of the mail exchangers for a while."""
        there = os.open(f"/proc/{self.hosts_pid}/ns/net", os.O_RDONLY)
        try:
            with visiting(there):
                yield
        finally:
            os.close(there)

    def box(self, name: str, fetch: Callable[[], Path]) -> Box:
        """A box with the root that `fetch` brings from outside. Raises UnavailableError."""
        with visiting(self.outside):
            root = fetch()
        home = self.home / name
        home.mkdir()
        (home / "resolv.conf").write_text(f"nameserver {NAMESERVER}\n")
        box = Box(root, home)
        self.stack.callback(box.stop)
        return box

    @contextmanager
    def obeying(self, command: list[str], order: Order) -> Iterator[Outcome]:
        """Have a program do it that reads an order and writes an outcome; it ends with the context."""
        with self.busy(command, order) as process:
            assert process.stdout is not None
            yield read_outcome(process.stdout.readline())

    @contextmanager
    def busy(self, command: list[str], order: Order) -> Iterator[subprocess.Popen[bytes]]:
        """Have such a program at it for the time of the context."""
        process = subprocess.Popen(
            ["timeout", "--foreground", f"{order.seconds + ORDER_SLACK_S:.0f}", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdin is not None
        with process:
            process.stdin.write(write_order(order))
            process.stdin.flush()
            try:
                yield process
            finally:
                process.terminate()

    def received_bytes(self) -> int:
        """What the mail exchangers have sent so far, heads of packets included."""
        for row in Path("/proc/thread-self/net/dev").read_text().splitlines():
            name, _, figures = row.partition(":")
            if name.strip() == HERE:
                return int(figures.split()[0])
        raise LookupError(HERE)

    def connections(self) -> int:
        """How many connections stand at the mail exchangers."""
        with self.among_hosts():
            rows = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
        places = (row.split() for row in rows)
        return sum(local.endswith(_SMTP) and state == _STANDS for _, local, _, state, *_ in places)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(SETTLE_S)


def _ip(*arguments: str, at: Sequence[str] = ()) -> None:
    subprocess.run([*at, "ip", *arguments], check=True, timeout=SETTLE_S)


@contextmanager
def world(
    start_hosts: Callable[[World], None] | None = None, *, delay_s: float = 0.0
) -> Iterator[World]:
    """Enter a network of our own, with names in it and hosts: those of hosts.py, or others.

    `delay_s`: how far away they are, one way.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-bench-"))
        Path(home).chmod(0o755)  # servers pass through it as other users
        outside = stack.enter_context(private_network())
        made = World(outside, Path(home), stack)
        made.start([*_PYTHON, "bench.names"])
        holder = _NOBODY if start_hosts else (*_PYTHON, "bench.hosts")
        made.open_outside(holder, delay_s)
        if start_hosts:
            start_hosts(made)
        yield made
