"""What Debian's mail servers look up in /etc: the accounts they run under, and where names are asked for.

Not here: the accounts of the machine, which nobody touches.
"""

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
    "nogroup": 65_534,
    "nobody": 65_534,
}

_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
_SWITCH = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"


def write_etc(etc: Path) -> None:
    """Write the files of `etc` that no package brings."""
    numbers = ACCOUNTS.items()
    passwd = [f"{name}:x:{number}:{number}::/srv:/bin/false\n" for name, number in numbers]
    group = [f"{name}:x:{number}:\n" for name, number in numbers]
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text("".join(passwd))
    (etc / "group").write_text("".join(group))
    (etc / "hosts").write_text(_HOSTS)
    (etc / "nsswitch.conf").write_text(_SWITCH)
    # Each box names its own server in /srv/resolv.conf, if it has one.
    (etc / "resolv.conf").symlink_to("/srv/resolv.conf")
