"""Debian's postgrey, which makes newcomers wait. Not here: the Postfix that asks it."""

import os
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack


def fetch() -> Path:
    """Return a root with postgrey in it. Raises UnavailableError."""
    return unpack("postgrey", "postgrey")


def start(box: Box, address: str, delay_s: int) -> None:
    """Start postgrey at `address` ("IP:PORT"); Postfix asks again until it is there."""
    for name in ("run", "db"):
        (box.home / name).mkdir()
        os.chown(box.home / name, ACCOUNTS["postgrey"], ACCOUNTS["postgrey"])
    options = (
        f"--inet={address}",
        f"--delay={delay_s}",
        "--dbdir=/srv/db",
        "--pidfile=/srv/run/pid",
    )
    lists = ("--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null")
    box.start("/usr/bin/perl", "-T", "/usr/sbin/postgrey", *options, *lists)
