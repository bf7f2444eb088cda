"""Debian's Sendmail, whose mailboxes are the accounts of etc.py. Not here: what becomes of its mail."""

import os
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack

PORT = 25

_CONFIG = """\
divert(-1)
include(`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `mx.home.test')
define(`confPID_FILE', `/srv/run/sendmail.pid')
define(`STATUS_FILE', `')
define(`QUEUE_DIR', `/srv/spool')
define(`ALIAS_FILE', `null:none')
define(`confTO_IDENT', `0')
dnl Under load it would take anything and look later.
define(`confQUEUE_LA', `1000')
define(`confREFUSE_LA', `1000')
define(`confDELAY_LA', `1000')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr=HOST, Port=PORT')
FEATURES
MAILER(`local')
MAILER(`smtp')
LOCAL_CONFIG
Cw DOMAIN
"""


def fetch() -> Path:
    """Return a root with Sendmail in it. Raises UnavailableError."""
    return unpack("sendmail", "sendmail-bin", "sendmail-cf", "m4")


def start(box: Box, host: str, domain: str, features: str = "dnl") -> None:
    """Start Sendmail at `host` for `domain`, with further lines of sendmail.mc; return when it greets."""
    for name in ("run", "spool"):
        (box.home / name).mkdir()
    os.chown(box.home / "spool", 0, ACCOUNTS["smmta"])
    config = _CONFIG.replace("HOST", host).replace("PORT", str(PORT)).replace("DOMAIN", domain)
    config = config.replace("FEATURES", features)
    (box.home / "sendmail.mc").write_text(config)
    (box.home / "sendmail.cf").write_text(box.run("/usr/bin/m4", "/srv/sendmail.mc"))
    box.start("/usr/libexec/sendmail/sendmail", "-bD", "-C/srv/sendmail.cf")
    box.wait_ready(host, PORT)
