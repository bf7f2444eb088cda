"""A Debian with systemd as its process 1, in namespaces of its own: nothing of it outlasts the test.

Its root is an unpacked one (tests/real/servers/unpack.py) under a layer of its own, its network a
loopback. Where the machine's control groups are of version 1, so are its own. Not here: what is tested.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import monotonic

from real.servers.unpack import unpack

BOOT_S = 60.0
RUN_S = 120.0
_GLANCE_S = 0.1

PACKAGES = (
    *("systemd", "dbus", "init-system-helpers", "base-files", "passwd", "login", "util-linux"),
    *(
        "dash",
        "bash",
        "bash-completion",
        "zsh",
        "fish",
        "coreutils",
        "diffutils",
        "findutils",
        "grep",
        "sed",
    ),
    *("dpkg", "gzip", "tar", "mawk", "libc-bin", "python3", "mandoc"),
)
# What writes a system's first words, or asks for them, at a console that is not there.
_MASKED = ("console-getty.service", "systemd-firstboot.service", "systemd-networkd.service")

_CGROUPS = Path("/sys/fs/cgroup")
_PREPARE = """
lower=$1 scratch=$2
mount --make-rprivate /
mount -t tmpfs scratch "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
rm -f "$root/run" "$root/var/run" "$root/var/mail" "$root/var/spool" "$root/etc/resolv.conf"
mkdir -p "$root/run" "$root/sys" "$root/old" "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
ln -s /run "$root/var/run"
touch "$root/var/lib/dpkg/status" "$root/etc/machine-id"
echo nameserver 127.0.0.1 >"$root/etc/resolv.conf"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 cgroup "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
    # Limits are the machine's business: systemd is to find no place for their hierarchies.
    mount -o remount,ro "$root/sys/fs/cgroup"
fi
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
touch "$root/dev/console"
mount -o bind,ro "$root/proc/sys" "$root/proc/sys"
mkdir -p "$root/etc/systemd/system"
for unit in $MASKED; do ln -sf /dev/null "$root/etc/systemd/system/$unit"; done
cd "$root"
pivot_root . old
umount -l /old
init=/usr/lib/systemd/systemd
[ -e "$init" ] || init=/lib/systemd/systemd  # before Debian 13
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog \\
    "$init" --system --show-status=no
"""
_APART = [
    *("setpriv", "--pdeathsig", "KILL"),
    *(
        "unshare",
        "--mount",
        "--pid",
        "--net",
        "--uts",
        "--ipc",
        "--cgroup",
        "--fork",
        "--kill-child=KILL",
    ),
    *("sh", "-euc", _PREPARE, "machine"),
]


class Machine:
    """One boot of it. `scratch` is an empty folder."""

    def __init__(self, scratch: Path) -> None:
        self._groups = [
            place / f"ringback-{os.getpid()}-{scratch.name}"
            for place in _hierarchies()
            if place.is_dir()
        ]
        scratch.mkdir(exist_ok=True)
        root = unpack("operation", *PACKAGES)
        for group in self._groups:
            group.mkdir()
        joining = "".join(f"echo $$ >{group}/cgroup.procs; " for group in self._groups)
        command = ["sh", "-euc", f'{joining}exec "$@"', "join", *_APART, str(root), str(scratch)]
        self._process = subprocess.Popen(
            command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MASKED": " ".join(_MASKED)}
        )
        try:
            self._wait_booted()
        except BaseException:
            self.stop()
            raise

    def run(self, *argv: str, fails: bool = False) -> str:
        """Run a command in it to its end, and return what it said. Raises AssertionError if it fails."""
        done = self._run(argv, RUN_S)
        assert fails == (done.returncode != 0), f"{argv}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def write(self, path: str, content: str) -> None:
        """Write a file in it."""
        command = [*self._enter(), "sh", "-c", 'cat >"$1"', "write", path]
        subprocess.run(command, input=content, text=True, check=True, timeout=RUN_S)

    def put(self, path: Path, place: str) -> None:
        """Copy a file of ours into it."""
        command = [*self._enter(), "sh", "-c", 'cat >"$1"', "put", place]
        with path.open("rb") as content:
            subprocess.run(command, stdin=content, check=True, timeout=RUN_S)

    def stop(self) -> None:
        """End it and all that runs in it."""
        self._process.kill()
        self._process.wait()
        for group in self._groups:
            folders = [path for path in group.rglob("*") if path.is_dir()]
            for folder in (*sorted(folders, reverse=True), group):
                _remove_group(folder)

    def _enter(self) -> Sequence[str]:
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        first = path.read_text().split()[0]
        return [
            "nsenter",
            "--target",
            first,
            "--all",
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ]

    def _run(self, argv: Sequence[str], within_s: float) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._enter(), *argv],
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=within_s,
        )

    def _wait_booted(self) -> None:
        give_up_at = monotonic() + BOOT_S
        said = ""
        while said not in {"running", "degraded"}:
            assert self._process.poll() is None and monotonic() < give_up_at, f"not booted: {said}"
            Event().wait(_GLANCE_S)
            try:
                said = self._run(
                    ("systemctl", "is-system-running", "--wait"), BOOT_S
                ).stdout.strip()
            except IndexError:  # process 1 is not there yet
                continue


def _hierarchies() -> Sequence[Path]:
    unified = (_CGROUPS / "cgroup.controllers").exists()
    return (_CGROUPS,) if unified else (_CGROUPS / "systemd", _CGROUPS / "unified")


def _remove_group(folder: Path) -> None:
    """Remove an empty group; the kernel takes a moment to bury those who were in it."""
    for _ in range(50):
        try:
            folder.rmdir()
        except OSError:
            Event().wait(_GLANCE_S)
        else:
            return
    shutil.rmtree(folder, ignore_errors=True)
