"""What an operator may search for: one address, or all of a domain.

Not here: searching (memory.py, sqlite.py).
"""


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
