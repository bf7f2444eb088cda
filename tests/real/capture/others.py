"""What stands before or behind a mail server and lends it words: greylisters, postscreen, Dovecot.

rspamd says its "451 4.7.1 Try again later" to newcomers after the message: a callout, which ends before, gets
the mail server's own answer about the mailbox, is never greylisted, and is no first contact to rspamd.
Not here: the mail servers themselves.
"""

import os
from pathlib import Path

from ..servers import postfix, postgrey
from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from ..servers.unpack import unpack
from .studio import BACKEND, DOMAIN, HOST, KNOWN, POSTMASTER, UNKNOWN, Boxes, Scene, Take

_MAIN = {
    "myhostname": DOMAIN,
    "virtual_mailbox_domains": DOMAIN,
    "virtual_mailbox_maps": f"inline:{{ {KNOWN}=ann, {POSTMASTER}=ann }}",
}
_POLICY_PORT, _LMTP_PORT = 10_023, 24
_FULL = f"full@{DOMAIN}"


def _asking_policy(box: Box) -> None:
    asked = f"check_policy_service inet:{BACKEND}:{_POLICY_PORT}"
    restrictions = f"reject_unauth_destination, reject_unlisted_recipient, {asked}"
    postfix.start(box, HOST, {**_MAIN, "smtpd_recipient_restrictions": restrictions})


# postgrey


def _with_postgrey(box: Box, further: Boxes) -> None:
    behind = further("postgrey", postgrey.fetch)
    postgrey.start(behind, f"{BACKEND}:{_POLICY_PORT}", 300)
    behind.wait_listening(BACKEND, _POLICY_PORT)
    _asking_policy(box)


# sqlgrey

_SQLGREY = f"""\
conf_dir = /srv/lists
user = postgrey
group = postgrey
inet = {BACKEND}:{_POLICY_PORT}
pidfile = /srv/run/sqlgrey.pid
db_type = SQLite
db_name = /srv/db/sqlgrey.db
reconnect_delay = 5
optmethod = none
loglevel = 1
clean_method = sync
"""
_LISTS = ("clients_fqdn_whitelist", "clients_ip_whitelist")
_REGEXPS = ("discrimination.regexp", "dyn_fqdn.regexp", "smtp_server.regexp")


def _fetch_sqlgrey() -> Path:
    return unpack("sqlgrey", "sqlgrey", "libdbd-sqlite3-perl")


def _with_sqlgrey(box: Box, further: Boxes) -> None:
    behind = further("sqlgrey", _fetch_sqlgrey)
    owner = ACCOUNTS["postgrey"]
    for name in ("run", "db", "lists"):
        (behind.home / name).mkdir()
        os.chown(behind.home / name, owner, owner)
    for name in (*_LISTS, *_REGEXPS):
        (behind.home / "lists" / name).touch()
    (behind.home / "sqlgrey.conf").write_text(_SQLGREY)
    behind.start("/usr/bin/perl", "/usr/sbin/sqlgrey", "-f", "/srv/sqlgrey.conf")
    behind.wait_listening(BACKEND, _POLICY_PORT)
    _asking_policy(box)


# rspamd, as a milter

_REDIS_PORT, _MILTER_PORT = 6_379, 11_332
_RSPAMD = {
    "redis.conf": f'servers = "127.0.0.1:{_REDIS_PORT}";\n',
    "greylist.conf": "enabled = true;\ncheck_local = true;\nwhitelist_domains_url = [];\n",
    "actions.conf": "greylist = -100;\n",  # whoever is new has to wait, whatever he says
    "options.inc": 'local_addrs = [];\ndns { nameserver = "127.0.0.1"; }\n',
    "worker-proxy.inc": f'''milter = yes;
bind_socket = "{BACKEND}:{_MILTER_PORT}";
upstream "local" {{ default = yes; self_scan = yes; }}
''',
}


def _fetch_rspamd() -> Path:
    return unpack("rspamd", "rspamd", "redis-server")


def _with_rspamd(box: Box, further: Boxes) -> None:
    redis = further("redis", _fetch_rspamd)
    redis.start("/usr/bin/redis-server", "--port", str(_REDIS_PORT), "--save", "", "--dir", "/srv")
    redis.wait_listening("127.0.0.1", _REDIS_PORT)
    behind = further("rspamd", _fetch_rspamd)
    for name in ("run", "db", "log", "local/local.d"):
        (behind.home / name).mkdir(parents=True)
        os.chown(behind.home / name, ACCOUNTS["nobody"], ACCOUNTS["nobody"])
    for name, text in _RSPAMD.items():
        (behind.home / "local" / "local.d" / name).write_text(text)
    places = {"LOCAL_CONFDIR": "local", "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "log"}
    settings = [word for key, at in places.items() for word in ("--var", f"{key}=/srv/{at}")]
    behind.start("/usr/bin/rspamd", "-f", "-u", "nobody", "-g", "nogroup", *settings)
    behind.wait_listening(BACKEND, _MILTER_PORT)
    milter = {
        "smtpd_milters": f"inet:{BACKEND}:{_MILTER_PORT}",
        "milter_default_action": "tempfail",
    }
    postfix.start(box, HOST, {**_MAIN, **milter})


# postscreen

_SCREENING = f"""\
{HOST}:25 inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy
"""


def _screened(**main: str) -> Scene:
    takes = {
        "postscreen_dnsbl_sites": Take(
            "postscreen_block_list", "postscreen and a block list", "REFUSED client_blocked"
        ),
        "postscreen_bare_newline_enable": Take(
            "postscreen_first_contact",
            "postscreen's tests after the greeting, which end in a deferral",
            "DEFERRED greylisted",
        ),
        "postscreen_cache_map": Take(
            "postscreen_second_contact",
            "postscreen, by one who has passed its tests before",
            "ACCEPTED accepted",
            before=1,
        ),
        "postscreen_denylist_action": Take(
            "postscreen_deny_list", "postscreen's own list", "REFUSED client_blocked"
        ),
    }

    def start(box: Box, further: Boxes) -> None:
        settings = {**_MAIN, "postscreen_cache_map": "", "postscreen_greet_wait": "1s", **main}
        postfix.start(box, BACKEND, settings, _SCREENING)
        box.wait_ready(HOST, postfix.PORT)

    return Scene("postfix", "postfix", (takes[next(iter(main))],), postfix.fetch, start)


# Dovecot's LMTP server behind a Postfix that verifies recipients.

_DOVECOT = f"""\
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
mail_plugins = quota
lmtp_rcpt_check_quota = yes
lmtp_save_to_detail_mailbox = no
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=1G
  quota_grace = 0
}}
passdb {{
  driver = passwd-file
  args = username_format=%n /srv/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%n /srv/users
}}
service lmtp {{
  inet_listener lmtp {{
    address = {BACKEND}
    port = {_LMTP_PORT}
  }}
}}
"""
_USER = "{name}::{it}:{it}::/srv/mail/{name}::{extra}\n"


def _fetch_dovecot() -> Path:
    return unpack("dovecot", "dovecot-lmtpd")


def _before_dovecot(box: Box, further: Boxes) -> None:
    behind = further("dovecot", _fetch_dovecot)
    it = ACCOUNTS["ann"]
    for name in ("run", "state", "log", "mail", "mail/full", "mail/full/cur", "mail/full/new"):
        (behind.home / name).mkdir()
        os.chown(behind.home / name, it, it)
    (behind.home / "mail" / "full" / "cur" / "1.1.mx:2,").write_text("Subject: full\n\n" * 400)
    names = {"ann": "", "postmaster": "", "full": "userdb_quota_rule=*:storage=1K"}
    users = (_USER.format(name=name, it=it, extra=extra) for name, extra in names.items())
    (behind.home / "users").write_text("".join(users))
    (behind.home / "dovecot.conf").write_text(_DOVECOT)
    behind.start("/usr/sbin/dovecot", "-F", "-c", "/srv/dovecot.conf")
    behind.wait_ready(BACKEND, _LMTP_PORT)
    main = {
        "myhostname": DOMAIN,
        "relay_domains": DOMAIN,
        "relay_transport": f"lmtp:[{BACKEND}]:{_LMTP_PORT}",
        "unverified_recipient_reject_code": "550",
        "address_verify_poll_count": "8",
        "address_verify_poll_delay": "1s",
        "address_verify_map": "",
        "smtpd_recipient_restrictions": "reject_unauth_destination, reject_unverified_recipient",
    }
    postfix.start(box, HOST, main, "lmtp unix - - n - - lmtp\n")


SCENES = (
    Scene(
        "postgrey",
        "postgrey",
        (Take("first_contact", "with Postfix, first contact", "DEFERRED greylisted"),),
        postfix.fetch,
        _with_postgrey,
    ),
    Scene(
        "sqlgrey",
        "sqlgrey",
        (Take("first_contact", "with Postfix, first contact", "DEFERRED greylisted"),),
        postfix.fetch,
        _with_sqlgrey,
    ),
    Scene(
        "rspamd",
        "rspamd",
        (
            Take("first_contact", "with Postfix; it makes only messages wait", "ACCEPTED accepted"),
            Take("unknown", "with Postfix, no such mailbox", "REJECTED unknown_user", UNKNOWN),
        ),
        postfix.fetch,
        _with_rspamd,
    ),
    _screened(
        postscreen_dnsbl_sites="bl.example",
        postscreen_dnsbl_action="enforce",
    ),
    _screened(postscreen_bare_newline_enable="yes", postscreen_bare_newline_action="enforce"),
    _screened(
        postscreen_cache_map="btree:/srv/data/screened",
        postscreen_bare_newline_enable="yes",
        postscreen_bare_newline_action="enforce",
    ),
    _screened(
        postscreen_denylist_action="enforce",
        postscreen_blacklist_action="enforce",
        postscreen_access_list="static:reject",
    ),
    Scene(
        "dovecot",
        "dovecot-lmtpd",
        (
            Take("lmtp_known", "LMTP behind Postfix, a user that exists", "ACCEPTED accepted"),
            Take("lmtp_unknown", "LMTP behind Postfix", "REJECTED unknown_user", UNKNOWN),
            Take("lmtp_full", "LMTP behind Postfix, over quota", "FULL full", _FULL),
        ),
        postfix.fetch,
        _before_dovecot,
    ),
)
