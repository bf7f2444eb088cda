"""Errors of the operating system in words. Not here: what follows from them."""

import os


def in_words(error: OSError) -> str:
    """Return what the system says of `error`, without the address that asyncio adds."""
    return os.strerror(error.errno) if error.errno else str(error)
