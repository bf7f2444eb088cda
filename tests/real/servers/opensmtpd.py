"""Debian's OpenSMTPD, receiving mail for the mailboxes it is given, and Ringback beside it as its filter.

Not here: what becomes of that mail.
"""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

import ringback

from .box import Box
from .etc import ACCOUNTS
from .unpack import UnavailableError, unpack

PORT = 25

# A table of recipients refuses a stranger as it refuses to relay; a virtual table speaks of mailing lists.
_CONFIG = """\
table listed {{ {listed} }}
table people {{ {people} }}
{lines}
action "take" mda "/bin/false" virtual <people>
listen on {host} port {port} hostname mx.home.test {options}
match from any for rcpt-to <listed> action "take"
match from any for domain "{domain}" action "take"
"""
_COMMAND = """\
#!/usr/bin/python3 -I
import sys
sys.path.insert(0, "/srv/ringback")
from ringback.doors.cli import main
main()
"""


def fetch() -> Path:
    """Return a root with OpenSMTPD in it. Raises UnavailableError."""
    return unpack("opensmtpd", "opensmtpd")


def fetch_with_python() -> Path:
    """Return another root with OpenSMTPD in it, and what Ringback needs. Raises UnavailableError."""
    root = unpack("python-opensmtpd", "opensmtpd", "python3", "dash")
    theirs, ours = (
        (root / "usr" / "bin" / "python3").readlink(),
        "python{}.{}".format(*sys.version_info),
    )
    if str(theirs) != ours:
        raise UnavailableError(f"msgspec is built for {ours} here, and Debian has {theirs}")
    command = root / "usr" / "bin" / "ringback"
    if not command.is_symlink():
        command.symlink_to("/srv/ringback/command")  # what is tested changes; the root stays
    return root


def install_ringback(box: Box) -> None:
    """Put into the box what `pip install` would, as far as the filter needs it."""
    place = box.home / "ringback"
    for package in (ringback, click, msgspec):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, place / source.name, copy_function=shutil.copyfile)
    command = place / "command"
    command.write_text(_COMMAND)
    command.chmod(0o755)


def start(
    box: Box,
    host: str,
    listed: Iterable[str],
    virtual_domain: str,
    lines: str = "",
    options: str = "",
) -> None:
    """Start OpenSMTPD at `host` for the addresses `listed`, and for ann in `virtual_domain`.

    `lines` are further ones of smtpd.conf, `options` those of its listener.
    """
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
            lines=lines,
            options=options,
        )
    )
    box.start("/usr/sbin/smtpd", "-d", "-f", "/srv/smtpd.conf")
    box.wait_ready(host, PORT)
