"""OpenSMTPD, whose words for "no" are few. Not here: its filters' words, which are anybody's."""

import os

from ringback.lab.tls import throwaway_pem
from ringback.values.settings import TlsPolicy

from ..servers import opensmtpd
from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from .studio import DOMAIN, ELSEWHERE, HOST, KNOWN, POSTMASTER, UNKNOWN, Boxes, Scene, Take

_CONFIG = """\
pki {domain} cert "/srv/tls.pem"
pki {domain} key "/srv/tls.pem"
table mailboxes {{ "{known}" = "ann", "{postmaster}" = "ann" }}
table logins {{ "ann" = "nobody" }}
{tables}
listen on {host} port 25 {listening} hostname {domain}
{rules}
"""
_POSTMASTER = f'"{POSTMASTER}" = "ann"'
_VIRTUAL = """\
action "take" mda "/bin/false" virtual <mailboxes>
match from any for domain "mx.example" action "take"
"""
_LOCAL = """\
action "take" mda "/bin/false"
match from any for domain "mx.example" action "take"
"""


def scene(*takes: Take, rules: str = _VIRTUAL, listening: str = "", tables: str = "") -> Scene:
    def start(box: Box, further: Boxes) -> None:
        (box.home / "run").mkdir()
        offline = box.home / "spool" / "smtpd" / "offline"
        offline.mkdir(parents=True)
        offline.parent.chmod(0o711)
        os.chown(offline, 0, ACCOUNTS["opensmtpq"])
        offline.chmod(0o770)
        pem = box.home / "tls.pem"
        pem.write_bytes(throwaway_pem(DOMAIN))
        pem.chmod(0o600)
        (box.home / "smtpd.conf").write_text(
            _CONFIG.format(
                host=HOST,
                domain=DOMAIN,
                known=KNOWN,
                postmaster=POSTMASTER,
                listening=listening,
                tables=tables,
                rules=rules,
            )
        )
        box.start("/usr/sbin/smtpd", "-d", "-f", "/srv/smtpd.conf")
        box.wait_ready(HOST, opensmtpd.PORT)

    return Scene("opensmtpd", "opensmtpd", takes, opensmtpd.fetch, start)


# It says the same of an account that does not exist, of a domain that is not its own, and of a recipient
# that a rule rejects: the words count only where postmaster is accepted, and then they are read like this.
SCENES = (
    scene(
        Take("known", "virtual users, one that exists", "ACCEPTED accepted"),
        Take("unknown_virtual", "no such virtual user", "REJECTED unknown_user", UNKNOWN),
        Take("relay_denied", "a domain it does not serve", "REJECTED unknown_user", ELSEWHERE),
    ),
    scene(
        # Where its list says so of itself, there is no mailbox either, and a bounce would not arrive.
        Take("alias_loop", "an alias that leads back to itself", "REJECTED unknown_user"),
        rules=_VIRTUAL.replace("<mailboxes>", "<looping>"),
        tables=f'table looping {{ "{KNOWN}" = "{UNKNOWN}", "{UNKNOWN}" = "{KNOWN}", {_POSTMASTER} }}',
    ),
    scene(
        Take("alias_dangling", "an alias of an account that is gone", "REJECTED unknown_user"),
        rules=_VIRTUAL.replace("<mailboxes>", "<dangling>"),
        tables=f'table dangling {{ "{KNOWN}" = "gone", {_POSTMASTER} }}',
    ),
    scene(
        Take("known_local", "accounts, one that exists", "ACCEPTED accepted"),
        Take("unknown_local", "no such account", "REJECTED unknown_user", UNKNOWN),
        rules=_LOCAL,
    ),
    scene(
        Take("rejected", "a rule that rejects", "REJECTED unknown_user"),
        rules='match from any for rcpt-to "ann@mx.example" reject\n' + _VIRTUAL,
    ),
    scene(
        Take(
            "tls_refused",
            "tls-require, with STARTTLS taken out by a middle box",
            "UNSURE tls_required",
            tls=TlsPolicy.NEVER,
        ),
        listening=f"tls-require pki {DOMAIN}",
    ),
    scene(
        Take(
            "auth_required",
            "auth, with STARTTLS taken out by a middle box",
            "REFUSED auth_required",
            tls=TlsPolicy.NEVER,
        ),
        listening=f"tls pki {DOMAIN} auth <logins>",
    ),
)
