"""Debian's mailfromd, polling senders at MAIL; it is asked as an MTA asks a milter.

Not here: unpacking it (tests/real/servers/unpack.py).
"""

import os
from pathlib import Path

from real.servers.etc import ACCOUNTS
from real.servers.unpack import unpack

from ..orders import Way
from ..places import HELO_NAME, MAILFROMD_PORT
from ..world import World
from .system import System, started

_SCRIPT = """\
require status
require poll

prog envfrom
do
  set ehlo_domain "{name}"
  set mailfrom_address "<>"
  on poll $f do
  when success:
    pass
  when not_found or failure:
    reject (550, 5.1.0, "no such sender")
  when temp_failure:
    tempfail (450, 4.1.0, "not known yet")
  done
done
"""


def fetch() -> Path:
    """Return a root with mailfromd in it. Raises UnavailableError."""
    return unpack("mailfromd", "mailfromd", "m4", "dash", "netbase")


def start(world: World, name: str) -> System:
    box = world.box(name, fetch)
    state = box.home / "state"
    state.mkdir()
    os.chown(state, ACCOUNTS["nobody"], ACCOUNTS["nogroup"])
    (box.home / "mailfromd.mf").write_text(_SCRIPT.format(name=HELO_NAME))
    argv = [
        # It preprocesses its script in the shell of whoever starts it.
        *("/bin/sh", "-c", 'SHELL=/bin/sh exec "$@"', "sh"),
        "/usr/sbin/mailfromd",
        "--foreground",
        "--stderr",
        f"--port=inet://127.0.0.1:{MAILFROMD_PORT}",
        "--user=nobody",
        "--state-directory=/srv/state",
        "/srv/mailfromd.mf",
    ]
    pid = started(lambda: box.start(*argv))
    box.wait_listening("127.0.0.1", MAILFROMD_PORT)
    about = box.run("/usr/sbin/mailfromd", "--version").splitlines()[0]
    host, good = "127.0.0.1", frozenset({"c"})
    return System(name, Way.MILTER, host, MAILFROMD_PORT, pid, good, world, about=about)
