"""Debian's Exim, receiving mail for the mailboxes it is given, and throwing away what it accepted.

Its lists are named as Debian's configuration names them. Not here: callouts of Exim's own, which are a matter
of the benchmarks.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from .box import Box
from .etc import ACCOUNTS
from .unpack import unpack

PORT = 25

_CONFIG = """\
primary_hostname = mx.home.test
domainlist ours = {domains}
hostlist relay_from_hosts = 127.0.0.1
spool_directory = /srv/spool
log_file_path = /srv/log/%slog
pid_file_path = /srv/exim.pid
local_interfaces = {host}
daemon_smtp_ports = {port}
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
{main}

begin acl
rcpt:
  require message = relay not permitted
          domains = +ours
  require verify = recipient
  .include /srv/local.acl
  accept

begin routers
mailboxes:
  driver = redirect
  domains = +ours
  address_test
  condition = ${{if inlisti{{$local_part@$domain}}{{{mailboxes}}}}}
  data = :blackhole:
"""


def fetch() -> Path:
    """Return a root with Exim in it. Raises UnavailableError."""
    return unpack("exim", "exim4-daemon-light")


def start(
    box: Box,
    host: str,
    mailboxes: Iterable[str],
    statements: str = "",
    more: str = "",
    main: str = "",
) -> None:
    """Start Exim at `host`, where exactly `mailboxes` exist; return when it greets.

    `statements` are further ones of the ACL for RCPT, `more` further sections, `main` lines of the first.
    """
    for name in ("spool", "log"):
        (box.home / name).mkdir()
        os.chown(box.home / name, ACCOUNTS["Debian-exim"], ACCOUNTS["Debian-exim"])
    addresses = sorted(mailboxes)
    domains = sorted({address.rpartition("@")[2] for address in addresses})
    (box.home / "exim.conf").write_text(
        _CONFIG.format(
            host=host,
            port=PORT,
            main=main,
            domains=" : ".join(domains),
            mailboxes=":".join(addresses),
        )
        + more
    )
    (box.home / "local.acl").write_text(statements)
    box.start("/usr/sbin/exim4", "-bdf", "-C", "/srv/exim.conf")
    box.wait_ready(host, PORT)
