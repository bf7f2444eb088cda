"""Debian's Chromium in an unpacked root, as a program that Playwright can start.

Not here: what is tried with it.
"""

from pathlib import Path
from shlex import quote

from .unpack import unpack

# The browser shares the network of whoever starts it, and nothing else. Playwright names a profile under
# /tmp, which is made anew each time.
_SCRIPT = """
root=$1; shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/srv"
exec chroot "$root" /usr/lib/chromium/chromium "$@"
"""


def fetch() -> Path:
    """Return a root with Chromium and a font in it. Raises UnavailableError."""
    return unpack("chromium", "chromium", "fonts-dejavu-core")


def launcher(root: Path, folder: Path) -> Path:
    """Write a program into `folder` that starts the browser of `root`."""
    apart = "setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL"
    path = folder / "chromium"
    path.write_text(
        f'#!/bin/sh\nexport HOME=/srv\nexec {apart} sh -ec {quote(_SCRIPT)} box {quote(str(root))} "$@"\n'
    )
    path.chmod(0o755)
    return path
