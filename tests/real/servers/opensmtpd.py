"""Debian's OpenSMTPD, receiving mail for the mailboxes it is given. Not here: what becomes of that mail."""

import os
from collections.abc import Iterable
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack

PORT = 25

# A table of recipients refuses a stranger as it refuses to relay; a virtual table speaks of mailing lists.
_CONFIG = """\
table listed {{ {listed} }}
table people {{ {people} }}
action "take" mda "/bin/false" virtual <people>
listen on {host} port {port} hostname mx.home.test
match from any for rcpt-to <listed> action "take"
match from any for domain "{domain}" action "take"
"""


def fetch() -> Path:
    """Return a root with OpenSMTPD in it. Raises UnavailableError."""
    return unpack("opensmtpd", "opensmtpd")


def start(box: Box, host: str, listed: Iterable[str], virtual_domain: str) -> None:
    """Start OpenSMTPD at `host` for the addresses `listed`, and for ann in `virtual_domain`."""
    (box.home / "run").mkdir()
    spool = box.home / "spool" / "smtpd"
    offline = spool / "offline"
    offline.mkdir(parents=True)
    spool.chmod(0o711)
    os.chown(offline, 0, ACCOUNTS["opensmtpq"])
    offline.chmod(0o770)
    addresses = [*listed, f"ann@{virtual_domain}"]
    (box.home / "smtpd.conf").write_text(
        _CONFIG.format(
            host=host,
            port=PORT,
            listed=", ".join(f'"{address}"' for address in addresses[:-1]),
            people=", ".join(f'"{address}" = "ann"' for address in addresses),
            domain=virtual_domain,
        )
    )
    box.start("/usr/sbin/smtpd", "-d", "-f", "/srv/smtpd.conf")
    box.wait_ready(host, PORT)
