"""Debian's Dovecot as an LMTP server, for the users it is given. Not here: mail that it would store."""

import os
from collections.abc import Iterable
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack

_CONFIG = """\
protocols = lmtp
base_dir = /srv/run/dovecot
state_dir = /srv/state
log_path = /srv/log/dovecot.log
default_internal_user = ann
default_internal_group = ann
default_login_user = postmaster
ssl = no
first_valid_uid = 1
mail_location = maildir:/srv/mail/%n
passdb {{
  driver = passwd-file
  args = username_format=%u /srv/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u /srv/users
}}
service lmtp {{
  inet_listener lmtp {{
    address = {host}
    port = {port}
  }}
  unix_listener {socket} {{
    mode = 0666
  }}
}}
"""
SOCKET = "lmtp"
_USER = "{user}::{it}:{it}::/srv/mail/{user}::\n"


def fetch() -> Path:
    """Return a root with Dovecot in it. Raises UnavailableError."""
    return unpack("dovecot", "dovecot-lmtpd")


def start(box: Box, host: str, port: int, users: Iterable[str]) -> Path:
    """Start Dovecot's LMTP at `host` and `port`; return the path of its socket when it greets."""
    it = ACCOUNTS["ann"]
    for name in ("run", "state", "log", "mail"):
        (box.home / name).mkdir()
        os.chown(box.home / name, it, it)
    (box.home / "users").write_text("".join(_USER.format(user=user, it=it) for user in users))
    config = _CONFIG.format(host=host, port=port, socket=SOCKET)
    (box.home / "dovecot.conf").write_text(config)
    box.start("/usr/sbin/dovecot", "-F", "-c", "/srv/dovecot.conf")
    box.wait_ready(host, port)
    return box.home / "run" / "dovecot" / SOCKET
