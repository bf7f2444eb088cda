"""What an operator may search for: one address, all of a domain, a host.

Not here: searching (memory.py, sqlite.py).
"""

from ipaddress import ip_address

from ..rules.forwarding import MARK


def domain_of(key: str) -> str:
    """The domain of an entry's key, or all of `key` where it has no "@".

    A quoted local part may hold an "@" of its own (RFC 5321 section 4.1.2), so the last one counts.
    """
    return key.rpartition("@")[2]


def parse(pattern: str) -> str:
    """Return `pattern` as keys and subjects are spelled: the domain in lower case, nothing else changed.

    There are no wildcards: every character stands for itself.
    """
    local, at, domain = pattern.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def bare(key: str) -> str:
    """The address or domain of a key or subject, whichever purpose it is remembered for."""
    return key.removeprefix(MARK)


def spellings(pattern: str) -> tuple[str, str]:
    """What an address or a domain is remembered under: for senders, and as a recipient's."""
    return pattern, f"{MARK}{pattern}"


def parse_ip(pattern: str) -> str | None:
    """Return the IP address that `pattern` is, in its usual spelling; None if it is none."""
    try:
        return str(ip_address(pattern))
    except ValueError:
        return None


def path_of(name: str) -> str:
    """The labels of a DNS name from its top, "org.example."; of no name, "".

    The path of a name is how the path of every name below it begins.
    """
    labels = reversed(name.lower().split("."))
    return "".join(f"{label}." for label in labels) if name else ""


def path_end(path: str) -> str:
    """What sorts behind `path` and all that is below it: "/" is the character after "."."""
    return f"{path[:-1]}/" if path else ""
