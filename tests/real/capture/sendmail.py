"""Sendmail, with the features that callers meet. Not here: its milters' words, which are anybody's."""

import os

from ..servers import sendmail
from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from .studio import DOMAIN, ELSEWHERE, HOST, UNKNOWN, Boxes, Scene, Take

_CONFIG = """\
divert(-1)
include(`/usr/share/sendmail/cf/m4/cf.m4')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `{domain}')
define(`confPID_FILE', `/srv/run/sendmail.pid')
define(`STATUS_FILE', `')
define(`QUEUE_DIR', `/srv/spool')
define(`ALIAS_FILE', `null:none')
define(`confTO_IDENT', `0')
define(`confDONT_PROBE_INTERFACES', `true')
define(`confQUEUE_LA', `1000')
define(`confREFUSE_LA', `1000')
define(`confDELAY_LA', `1000')
FEATURE(`no_default_msa')
FEATURE(`nocanonify')
DAEMON_OPTIONS(`Family=inet, Name=MTA, Addr={host}, Port=25')
{features}
LOCAL_DOMAIN(`{domain}')
MAILER(`local')
MAILER(`smtp')
"""
_READY_S = 60.0
_ACCESS = "FEATURE(`access_db', `text -k0 -v1 -T<TMPF> /srv/access')\n"


def scene(*takes: Take, features: str = "", access: str = "") -> Scene:
    def start(box: Box, further: Boxes) -> None:
        for name in ("run", "spool"):
            (box.home / name).mkdir()
        os.chown(box.home / "spool", ACCOUNTS["smmta"], ACCOUNTS["smmta"])
        (box.home / "access").write_text(access)
        lines = (_ACCESS if access else "") + features
        (box.home / "sendmail.mc").write_text(
            _CONFIG.format(host=HOST, domain=DOMAIN, features=lines)
        )
        made = box.run("/usr/bin/m4", "-I/usr/share/sendmail/cf", "/srv/sendmail.mc")
        (box.home / "sendmail.cf").write_text(made)
        box.start("/usr/libexec/sendmail/sendmail", "-C", "/srv/sendmail.cf", "-bD")
        box.wait_ready(HOST, sendmail.PORT, _READY_S)

    return Scene("sendmail", "sendmail-bin", takes, sendmail.fetch, start)


SCENES = (
    scene(
        Take("known", "accounts, one that exists", "ACCEPTED accepted"),
        Take("unknown", "no such account", "REJECTED unknown_user", UNKNOWN),
        Take("relay_denied", "a domain that it does not serve", "UNSURE unknown_domain", ELSEWHERE),
    ),
    scene(
        Take("disabled", "blocklist_recipients", "REJECTED disabled_user"),
        features="FEATURE(`blocklist_recipients')\n",
        access="To:ann@mx.example REJECT\n",
    ),
    scene(
        Take("access_denied", "access_db, the client", "REFUSED client_blocked"),
        access="Connect:127.8.0.1 REJECT\n",
    ),
    scene(
        Take("block_list", "dnsbl", "REFUSED client_blocked"),
        features="FEATURE(`dnsbl', `bl.example')\n",
    ),
    scene(
        Take("block_list_delayed", "enhdnsbl with delay_checks", "REFUSED client_blocked"),
        features="FEATURE(`delay_checks')\nFEATURE(`enhdnsbl', `bl.example')\n",
    ),
    scene(
        Take("no_reverse_name", "require_rdns", "REFUSED client_blocked"),
        features="FEATURE(`require_rdns')\n",
        access="Connect:192.0.2.99 OK\n",
    ),
    scene(
        Take("connection_rate", "ratecontrol", "REFUSED rate_limited", before=1),
        features="FEATURE(`ratecontrol', `nodelay', `terminate')\n",
        access="ClientRate: 1\n",
    ),
    scene(
        Take("too_many", "conncontrol", "REFUSED rate_limited", beside=1),
        features="FEATURE(`conncontrol', `nodelay', `terminate')\n",
        access="ClientConn: 1\n",
    ),
    scene(
        Take("disk_full", "MinFreeBlocks", "DEFERRED server_trouble"),
        features="define(`confMIN_FREE_BLOCKS', `2000000000')\n",
    ),
    scene(
        Take("bad_recipients", "BadRcptThrottle", "REJECTED unknown_user", UNKNOWN),
        features="define(`confBAD_RCPT_THROTTLE', `1')\n",
    ),
)
