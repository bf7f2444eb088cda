"""Debian's Exim with a sender callout in its ACL for RCPT, its own limits on sessions lifted.

Not here: unpacking it (tests/real/servers/exim.py).
"""

import os

from real.servers import exim
from real.servers.etc import ACCOUNTS

from ..orders import Way
from ..places import HELO_NAME, SMTP_PORT
from ..world import World
from .system import System, started

# It looks up no AAAA records, and says nothing in its log of what it lets pass: both are in its favour.
_CONFIG = """\
primary_hostname = {name}
domainlist ours = home.test
spool_directory = /srv/spool
log_file_path = /srv/log/%slog
pid_file_path = /srv/exim.pid
local_interfaces = {host}
daemon_smtp_ports = {port}
disable_ipv6 = true
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
message_logs = false
smtp_accept_max = 0
smtp_accept_max_nonmail = 1000000000
smtp_accept_max_per_connection = 1000000000
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 1024
acl_smtp_rcpt = rcpt

begin acl
rcpt:
  deny !verify = sender/callout={within}s{options}
  accept domains = +ours

begin routers
outward:
  driver = dnslookup
  domains = !+ours
  self = send
  transport = outward
inward:
  driver = redirect
  domains = +ours
  data = :blackhole:

begin transports
outward:
  driver = smtp
  allow_localhost = true
  hosts_avoid_tls = {in_clear}
  helo_data = {name}
"""


def start(
    world: World,
    name: str,
    host: str,
    *,
    random: bool = False,
    secure: bool = False,
    each: bool = False,
    within_s: int = 30,
) -> System:
    """Start it; `random` is its control address, `secure` takes STARTTLS where it is offered.

    `each`: asked in a session of its own for each message.
    """
    box = world.box(name.replace(" ", "-"), exim.fetch)
    for folder in ("spool", "log"):
        (box.home / folder).mkdir()
        os.chown(box.home / folder, ACCOUNTS["Debian-exim"], ACCOUNTS["Debian-exim"])
    config = _CONFIG.format(
        name=HELO_NAME,
        host=host,
        port=SMTP_PORT,
        within=within_s,
        options=",random" if random else "",
        in_clear="" if secure else "*",
    )
    (box.home / "exim.conf").write_text(config)
    pid = started(lambda: box.start("/usr/sbin/exim4", "-bdf", "-C", "/srv/exim.conf"))
    box.wait_ready(host, SMTP_PORT)
    about = box.run("/usr/sbin/exim4", "-C", "/srv/exim.conf", "-bV").splitlines()[0]
    way = Way.SMTP_EACH if each else Way.SMTP
    return System(name, way, host, SMTP_PORT, pid, frozenset({"250"}), world, about=about)
