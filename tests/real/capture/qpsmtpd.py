"""qpsmtpd, whose plugins speak for it. Not here: its greylister, which lets the null sender pass."""

import os
from pathlib import Path

from ..servers.box import Box
from ..servers.etc import ACCOUNTS
from ..servers.unpack import unpack
from .studio import DOMAIN, ELSEWHERE, HELO, HOST, UNKNOWN, Boxes, Scene, Take

_RUN = '$ENV{QPSMTPD_CONFIG} = "/srv/config"; $0 = "/usr/bin/qpsmtpd-forkserver"; do $0 or die $@;'


def _fetch() -> Path:
    return unpack("qpsmtpd", "qpsmtpd")


def scene(*takes: Take, plugins: str = "", **config: str) -> Scene:
    """`plugins` go before those that decide about recipients; `config` are further files."""
    files = {
        "plugins": f"{plugins}\nrcpt_ok\n",
        "plugin_dirs": "/usr/share/qpsmtpd/plugins\n",
        "rcpthosts": f"{DOMAIN}\n",
        "me": f"{DOMAIN}\n",
        "spool_dir": "/srv/spool\n",
        "smtpgreeting": f"{DOMAIN} ESMTP qpsmtpd\n",
        **config,
    }

    def start(box: Box, further: Boxes) -> None:
        for name in ("config", "spool", "var"):
            (box.home / name).mkdir()
            os.chown(box.home / name, ACCOUNTS["nobody"], ACCOUNTS["nobody"])
        (box.home / "spool").chmod(0o700)
        for name, text in files.items():
            (box.home / "config" / name).write_text(text)
        options = ("-l", HOST, "-p", "25", "-u", "nobody", "-H")
        box.start("/usr/bin/perl", "-e", _RUN, "--", *options)
        box.wait_ready(HOST, 25)

    return Scene("qpsmtpd", "qpsmtpd", takes, _fetch, start)


SCENES = (
    scene(
        Take("accepts_any", "it does not know who exists", "ACCEPTED accepted"),
        Take("relay_denied", "a domain that it does not serve", "UNSURE unknown_domain", ELSEWHERE),
    ),
    scene(
        Take("bad_recipient", "badrcptto", "UNSURE content_or_policy", UNKNOWN),
        plugins="badrcptto",
        badrcptto=f"{UNKNOWN}\n",
    ),
    scene(
        Take("block_list", "dnsbl", "REFUSED client_blocked"),
        plugins="dnsbl",
        dnsbl_zones="bl.example\n",
    ),
    scene(
        # It hangs up after its refusal of EHLO, so that HELO is the question left unanswered.
        Take("bad_helo", "helo", "REFUSED client_blocked"),
        plugins="helo policy lenient",
        badhelo=f"{HELO}\n",
    ),
)
