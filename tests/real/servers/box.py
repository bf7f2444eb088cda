"""A program of an unpacked root, running apart from the machine and ending with us.

It has mounts and process numbers of its own, its home is /srv, and the rest of the root is shared with other
boxes. Not here: the network, which it shares with whoever starts it (network.py).
"""

import socket
import subprocess
from pathlib import Path
from time import monotonic

READY_S = 20.0
STOP_S = 10.0
TOOL_S = 20.0
_GLANCE_S = 0.02  # between two looks at a server that starts

# The shell stays as process 1: mail servers change their user, and the kernel then forgets that they were
# to die with their parent. When process 1 dies, all the others do.
_SCRIPT = """
root=$1 home=$2; shift 2
mount --bind "$home" "$root/srv"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
chroot "$root" "$@"
exit $?
"""
_APART = [
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"),
    *("sh", "-ec", _SCRIPT, "box"),
]


class Box:
    """One server. Where it writes is `home`, /srv to itself."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home, self.name = root, home, home.name
        home.chmod(0o755)  # servers pass through it as other users
        self._prefix = [*_APART, str(root), str(home)]
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *argv: str, within_s: float = TOOL_S) -> str:
        """Run a tool of the root to its end and return what it said."""
        command = [*self._prefix, *argv]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=within_s)
        return done.stdout

    def start(self, *argv: str) -> None:
        """Start a server that stays in the foreground."""
        with self.output_path.open("ab") as output:
            self._process = subprocess.Popen(
                [*self._prefix, *argv], stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def wait_ready(self, host: str, port: int, within_s: float = READY_S) -> None:
        """Return when something greets at `host` and `port`. Raises TimeoutError."""
        give_up_at = monotonic() + within_s
        while not _greets(host, port):
            if monotonic() > give_up_at or not self._stays_up():
                raise TimeoutError(f"no greeting from {host}:{port}\n{self.logs()}")

    def wait_listening(self, host: str, port: int, within_s: float = READY_S) -> None:
        """Return when somebody listens there, for servers that do not greet. Raises TimeoutError."""
        give_up_at = monotonic() + within_s
        while not _listens(host, port):
            if monotonic() > give_up_at or not self._stays_up():
                raise TimeoutError(f"nobody at {host}:{port}\n{self.logs()}")

    def logs(self) -> str:
        """Everything that the server wrote: on its output, and in its log files."""
        paths = [self.output_path, *sorted((self.home / "log").glob("*"))]
        return "".join(path.read_text(errors="replace") for path in paths if path.is_file())

    def stop(self) -> None:
        """End it and all that it started. Once is enough, and twice does no harm."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)

    @property
    def output_path(self) -> Path:
        return self.home / "output"

    def _stays_up(self) -> bool:
        assert self._process is not None, "not started"
        try:
            self._process.wait(_GLANCE_S)
        except subprocess.TimeoutExpired:
            return True
        return False


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), READY_S):
            return True
    except OSError:
        return False


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), READY_S) as peer:
            return peer.recv(1) != b""
    except OSError:
        return False
