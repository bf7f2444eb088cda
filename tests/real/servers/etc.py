"""What Debian's mail servers look up in /etc: the accounts they run under, and where names are asked for.

Not here: the accounts of the machine, which nobody touches.
"""

import shutil
from pathlib import Path

# Numbers that no account of the machine is likely to have: limits are counted by number.
ACCOUNTS = {
    "root": 0,
    "postfix": 61_001,
    "postdrop": 61_002,
    "Debian-exim": 61_003,
    "opensmtpd": 61_004,
    "opensmtpq": 61_005,
    "smmta": 61_006,
    "smmsp": 61_007,
    "postgrey": 61_008,
    # Mailboxes, where a server takes its users for them.
    "ann": 61_100,
    "postmaster": 61_101,
    "nogroup": 65_534,
    "nobody": 65_534,
}


FILES = {
    "passwd": "".join(f"{name}:x:{it}:{it}::/srv:/bin/false\n" for name, it in ACCOUNTS.items()),
    "group": "".join(f"{name}:x:{it}:\n" for name, it in ACCOUNTS.items()),
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n",
}
# What a server writes or a test decides: each box has its own.
LINKS = {
    "etc/resolv.conf": "/srv/resolv.conf",
    "run": "/srv/run",
    "var/run": "/srv/run",
    "var/mail": "/srv/mail",
    "var/spool": "/srv/spool",
}


def furnish(root: Path) -> None:
    """Put into an unpacked root what no package brings."""
    for folder in ("etc", "var"):
        (root / folder).mkdir(exist_ok=True)
    for name, text in FILES.items():
        (root / "etc" / name).write_text(text)
    for name, target in LINKS.items():
        place = root / name
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
