"""How many files the process may have open at a time, connections among them.

Most systems start a process with 1,024 for the sake of select(2), and let it ask for more.
Not here: how many are needed (doors/service.py).
"""

import resource
from contextlib import suppress


def raise_limit() -> int | None:
    """Raise the limit as far as the system lets us, and return it; None where there is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):  # forbidden, or more than the kernel has
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return None if soft == resource.RLIM_INFINITY else soft
