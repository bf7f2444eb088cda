"""Courier, whose words are its own, and who hangs up without any on whom it does not want.

Not here: its filters' words, which are anybody's.
"""

import shutil
from pathlib import Path

from ringback.lab.tls import throwaway_pem
from ringback.values.settings import TlsPolicy

from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from ..servers.unpack import unpack
from .studio import DOMAIN, ELSEWHERE, HOST, UNKNOWN, Boxes, Scene, Take

_USER, _NUMBER = "courier", 61_010
# Where it looks for all it has, as compiled: what Debian puts there is kept beside it.
_ETC, _VAR = "etc/courier", "var/lib/courier"
_KEPT = ".debian"

# What Debian's scripts do when it is installed, and when an administrator has changed something.
_MADE = """\
set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /srv/etc
makeuserdb
makealiases
makehosteddomains
makedat -src=/srv/etc/smtpaccess -file=/srv/etc/smtpaccess.dat -tmp=/srv/etc/tmp -cidr
chown -R {user}:{user} /srv/etc /srv/var /srv/run
"""
_RUN = """\
PATH=/usr/sbin:/usr/bin:/sbin:/bin
set -a
. /srv/etc/authdaemonrc
/usr/lib/courier/courier-authlib/authdaemond &
. /srv/etc/esmtpd
exec /usr/sbin/couriertcpd -user={user} -group={user} -address={host} -access=/srv/etc/smtpaccess.dat \\
  -maxprocs=$MAXDAEMONS -maxperc=$MAXPERC -maxperip=$MAXPERIP -noidentlookup \\
  $BLACKLISTS 25 /usr/sbin/courieresmtpd
"""
_ACCOUNT = "{name}\tuid={it}|gid={it}|home=/srv/mail|shell=/bin/sh\n"


def _fetch() -> Path:
    root = unpack("courier", "courier-mta", "dash", "coreutils", "findutils", "sed", "grep")
    if not (root / _ETC).is_symlink():
        (root / "usr/bin/makedat").symlink_to("makedat.courier")
        for place, target in ((_VAR, "/srv/var"), (_ETC, "/srv/etc")):
            (root / place).rename(root / (place + _KEPT))
            (root / place).symlink_to(target)
        with (root / "etc/passwd").open("a") as passwd, (root / "etc/group").open("a") as group:
            passwd.write(f"{_USER}:x:{_NUMBER}:{_NUMBER}::/srv:/bin/false\n")
            group.write(f"{_USER}:x:{_NUMBER}:\n")
    return root


def scene(
    *takes: Take, esmtpd: str = "", access: str = "", hosted: str = "", **files: str
) -> Scene:
    """`esmtpd` and `access` are lines of these files, `files` are further ones."""
    written = {
        "me": DOMAIN,
        "defaultdomain": DOMAIN,
        "locals": f"localhost\n{DOMAIN}\n",
        "esmtpacceptmailfor": f"{DOMAIN}\n",
        "smtpaccess/default": access,
        "aliases/system": "postmaster: ann\n",
        "hosteddomains/ours": hosted,
        "userdb": _ACCOUNT.format(name="ann", it=ACCOUNTS["ann"]),
        **files,
    }

    def start(box: Box, further: Boxes) -> None:
        root = _fetch()
        for place, name in ((_ETC, "etc"), (_VAR, "var")):
            shutil.copytree(root / (place + _KEPT), box.home / name, symlinks=True)
        (box.home / "run" / "courier" / "authdaemon").mkdir(parents=True)
        (box.home / "mail" / "Maildir").mkdir(parents=True)
        (box.home / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        (box.home / "tls.pem").write_bytes(throwaway_pem(DOMAIN))
        for name, text in written.items():
            (box.home / "etc" / name).write_text(text)
        (box.home / "etc" / "userdb").chmod(0o600)
        with (box.home / "etc" / "esmtpd").open("a") as settings:
            settings.write(f"TARPIT=0\nMAXPERIP=100\nMAXPERC=100\n{esmtpd}")
        with (box.home / "etc" / "authdaemonrc").open("a") as settings:
            settings.write("authmodulelist=authuserdb\ndaemons=1\n")
        box.run("/bin/sh", "-c", _MADE.format(user=_USER))
        box.start("/bin/sh", "-c", _RUN.format(user=_USER, host=HOST))
        box.wait_ready(HOST, 25)

    return Scene("courier", "courier-mta", takes, _fetch, start)


SCENES = (
    scene(
        Take("known", "accounts, one that exists", "ACCEPTED accepted"),
        Take("unknown", "no such account", "REJECTED unknown_user", UNKNOWN),
        Take("relay_denied", "a domain that it does not serve", "UNSURE unknown_domain", ELSEWHERE),
    ),
    scene(
        Take(
            "hosted_unknown", "a hosted domain, no such account", "REJECTED unknown_user", UNKNOWN
        ),
        hosted=f"{DOMAIN}\n",
        locals="localhost\n",
    ),
    scene(
        Take("block_list", "couriertcpd -block, with the list's words", "REFUSED client_blocked"),
        esmtpd='BLACKLISTS="-block=bl.example,BLOCK,*"\n',
    ),
    scene(
        Take("access_denied", "smtpaccess, which wastes no words", "UNREACHABLE closed"),
        access="127.8.0.1\tdeny\n",
    ),
    scene(
        Take("too_many", "MAXPERIP", "UNREACHABLE closed", beside=1),
        esmtpd="MAXPERIP=1\n",
    ),
    scene(
        Take("tls_refused", "ESMTP_TLS_REQUIRED", "UNSURE tls_required", tls=TlsPolicy.NEVER),
        esmtpd="ESMTP_TLS_REQUIRED=1\nTLS_CERTFILE=/srv/tls.pem\n",
    ),
    scene(
        Take("auth_required", "AUTH_REQUIRED", "REFUSED auth_required"),
        esmtpd='AUTH_REQUIRED=1\nESMTPAUTH="LOGIN"\n',
    ),
    scene(
        Take("accounts_down", "its authdaemond does not answer", "DEFERRED server_trouble"),
        esmtpd="kill $!\n",
    ),
)
