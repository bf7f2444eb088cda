"""Exim, in its own words and those of Debian's configuration. Not here: its callouts of senders."""

import os

from ..servers import exim, postfix
from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from .studio import BACKEND, DOMAIN, ELSEWHERE, HOST, KNOWN, POSTMASTER, UNKNOWN, Boxes, Scene, Take

_CONFIG = """\
primary_hostname = mx.example
domainlist ours = mx.example
spool_directory = /srv/spool
log_file_path = /srv/log/%slog
pid_file_path = /srv/exim.pid
local_interfaces = {host}
daemon_smtp_ports = 25
tls_advertise_hosts =
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = rcpt
{main}

begin acl
rcpt:
{acl}
  require message = relay not permitted
          domains = +ours
  require verify = recipient{verify}
  accept

{acls}

begin routers
{routers}

begin transports
behind:
  driver = smtp
  hosts = {backend}
"""

_MAILBOXES = """\
mailboxes:
  driver = redirect
  domains = +ours
  condition = ${if inlisti{$local_part}{ann:postmaster}}
  data = :blackhole:
"""
# As Debian's router for accounts has it.
_ACCOUNTS = f"{_MAILBOXES}  cannot_route_message = Unknown user\n"
# Domains are handed on to another host, which knows the mailboxes.
_BEHIND = f"""\
behind:
  driver = manualroute
  domains = +ours
  transport = behind
  route_list = * {BACKEND}
  self = send
"""
_ALIASES = """\
aliases:
  driver = redirect
  domains = +ours
  allow_fail
  allow_defer
  data = ${if eq{$local_part}{ann}{%s}{:blackhole:}}
"""


def scene(
    *takes: Take,
    acl: str = "",
    main: str = "",
    acls: str = "",
    verify: str = "",
    routers: str = _MAILBOXES,
    backend: bool = False,
) -> Scene:
    def start(box: Box, further: Boxes) -> None:
        if backend:
            mailboxes = f"inline:{{ {KNOWN}=ann, {POSTMASTER}=ann }}"
            mails = {"virtual_mailbox_domains": DOMAIN, "virtual_mailbox_maps": mailboxes}
            behind = {**mails, "myhostname": "behind.example"}
            postfix.start(further("behind", postfix.fetch), BACKEND, behind)
        for name in ("spool", "log"):
            (box.home / name).mkdir()
            os.chown(box.home / name, ACCOUNTS["Debian-exim"], ACCOUNTS["Debian-exim"])
        (box.home / "exim.conf").write_text(
            _CONFIG.format(
                host=HOST,
                backend=BACKEND,
                acl=acl,
                acls=acls,
                main=main,
                verify=verify,
                routers=routers,
            )
        )
        box.start("/usr/sbin/exim4", "-bdf", "-C", "/srv/exim.conf")
        box.wait_ready(HOST, exim.PORT)

    return Scene("exim", "exim4-daemon-light", takes, exim.fetch, start)


_BLACK_LIST = """\
  deny message = rejected because $sender_host_address is in a black list at $dnslist_domain\\n$dnslist_text
       dnslists = bl.example
"""
_NOT_YET = """\
  defer message = $sender_host_address is not yet authorized to deliver mail from <$sender_address> to \\
    <$local_part@$domain>. Please try later.
"""
_BLACKLISTED = (
    "is locally blacklisted here. If you think this is wrong, get in touch with postmaster"
)

SCENES = (
    scene(
        Take("known", "a mailbox that exists", "ACCEPTED accepted"),
        Take("unrouteable", "no router takes it", "REJECTED unknown_user", UNKNOWN),
        Take("relay_denied", "a domain that it does not serve", "UNSURE unknown_domain", ELSEWHERE),
    ),
    scene(
        Take("unknown", "Debian's word for no such account", "REJECTED unknown_user", UNKNOWN),
        routers=_ACCOUNTS,
    ),
    scene(
        Take("failed_alias", "an alias that fails", "UNSURE unclear"),
        routers=_ALIASES % ":fail:",
    ),
    scene(
        Take("disabled_alias", "an alias that fails in words", "REJECTED disabled_user"),
        routers=_ALIASES % ":fail: this account has been disabled",
    ),
    scene(
        Take("deferred_alias", "an alias that defers", "UNSURE unclear"),
        routers=_ALIASES % ":defer:",
    ),
    scene(
        Take("callout_known", "recipients verified by callout", "ACCEPTED accepted"),
        Take(
            "callout_unknown",
            "recipients verified by callout",
            "REJECTED unknown_user",
            UNKNOWN,
        ),
        routers=_BEHIND,
        verify="/callout=10s",
        backend=True,
    ),
    scene(
        Take("callout_down", "the host behind it is down", "DEFERRED verifying"),
        routers=_BEHIND,
        verify="/callout=10s",
    ),
    scene(
        Take("lookup_failure", "its list of mailboxes is gone", "DEFERRED server_trouble"),
        routers=_ALIASES % "${lookup{$local_part}lsearch{/srv/nowhere}}",
    ),
    scene(
        Take("block_list", "dnslists, as in Exim's example", "REFUSED client_blocked"),
        acl=_BLACK_LIST,
    ),
    scene(
        Take("block_list_curt", "dnslists, without a message", "UNSURE content_or_policy"),
        acl="  deny dnslists = bl.example\n",
    ),
    scene(
        Take("blacklisted_host", "Debian's own list of hosts", "REFUSED client_blocked"),
        acl=f"  deny message = sender IP address $sender_host_address {_BLACKLISTED}\n",
    ),
    scene(
        Take("blacklisted_sender", "Debian's list of senders", "NO_BOUNCES null_sender_refused"),
        acl=f"  deny message = sender envelope address <$sender_address> {_BLACKLISTED}\n",
    ),
    scene(
        Take("greylisted", "greylistd's words for Exim", "DEFERRED greylisted"),
        acl=_NOT_YET,
    ),
    scene(
        Take("deferred", "an ACL that defers without words", "DEFERRED server_trouble"),
        acl="  defer\n",
    ),
    scene(
        Take("dropped", "an ACL that drops", "UNSURE content_or_policy"),
        acl="  drop\n",
    ),
    scene(
        Take("connect_denied", "acl_smtp_connect", "REFUSED client_blocked"),
        main="acl_smtp_connect = no",
        acls="no:\n  deny\n",
    ),
    scene(
        Take("host_rejected", "host_reject_connection", "REFUSED client_blocked"),
        main="host_reject_connection = *",
    ),
    scene(
        Take("helo_unverified", "helo_verify_hosts", "REFUSED client_blocked"),
        main="helo_verify_hosts = *",
    ),
    scene(
        Take("mail_denied", "acl_smtp_mail", "REFUSED content_or_policy"),
        main="acl_smtp_mail = no",
        acls="no:\n  deny\n",
    ),
    scene(
        Take("no_space", "check_spool_space", "DEFERRED server_trouble"),
        main="check_spool_space = 1000000G",
    ),
    scene(
        Take("too_many", "smtp_accept_max_per_host", "REFUSED rate_limited", beside=1),
        main="smtp_accept_max_per_host = 1",
    ),
    scene(
        Take("too_many_in_all", "smtp_accept_max", "REFUSED rate_limited", beside=1),
        main="smtp_accept_max = 1",
    ),
    scene(
        Take("too_many_messages", "smtp_accept_max_per_connection", "ACCEPTED accepted"),
        main="smtp_accept_max_per_connection = 1",
    ),
)
