"""Debian's Postfix: the small part of it that receives mail, and throws away what it accepted.

Not here: which restrictions a test wants; it gives them as lines of main.cf.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack

PORT = 25

_MAIN = {
    "compatibility_level": "3.6",
    "queue_directory": "/srv/queue",
    "data_directory": "/srv/data",
    "command_directory": "/usr/sbin",
    "daemon_directory": "/usr/lib/postfix/sbin",
    "maillog_file_prefixes": "/srv",
    "maillog_file": "/srv/log/mail.log",
    "mail_owner": "postfix",
    "setgid_group": "postdrop",
    "myhostname": "mx.home.test",
    # master.cf says where to listen; an address named here would have to stand on an interface.
    "inet_interfaces": "all",
    "mydestination": "",
    "mynetworks": "",
    "alias_maps": "",
    "alias_database": "",
    "smtpd_recipient_restrictions": "reject_unauth_destination",
    # A refusal is to come at once, and as often as a test asks for it.
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "1000",
    # Nothing is ever sent anywhere.
    "default_transport": "discard",
    "relay_transport": "discard",
    "local_transport": "discard",
    "virtual_transport": "discard",
}

_MASTER = """\
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""

_QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()

# Postfix waits for a main.cf of the last seconds to be finished by whoever writes it.
_LONG_AGO = (0, 0)


def fetch() -> Path:
    """Return a root with Postfix in it. Raises UnavailableError."""
    return unpack("postfix", "postfix")


def start(box: Box, host: str, main: Mapping[str, str], services: str = "") -> None:
    """Start Postfix at `host`, with `main` over what this module says; return when it greets.

    `services` are further lines of master.cf.
    """
    _make_queue(box.home)
    settings = {**_MAIN, **main}
    etc = box.home / "etc"
    etc.mkdir()
    (etc / "master.cf").write_text(_MASTER.format(host=host, port=PORT) + services)
    (etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in settings.items()))
    os.utime(etc / "main.cf", _LONG_AGO)
    box.start("/usr/lib/postfix/sbin/master", "-d", "-c", "/srv/etc")
    box.wait_ready(host, PORT)


def _make_queue(home: Path) -> None:
    """What Postfix's own installer would make, with its modes."""
    owner, drop = ACCOUNTS["postfix"], ACCOUNTS["postdrop"]
    for name, group, mode in [
        ("data", owner, 0o700),
        *((f"queue/{queue}", owner, 0o700) for queue in _QUEUES),
        ("queue/maildrop", drop, 0o1730),
        ("queue/public", drop, 0o2710),
    ]:
        made = home / name
        made.mkdir(parents=True)
        os.chown(made, owner, group)
        made.chmod(mode)
    (home / "queue" / "pid").mkdir()
    (home / "log").mkdir()
