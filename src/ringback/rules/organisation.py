"""Which names belong to one organisation: its domain is one label below a public suffix. Pure.

Not here: the list of public suffixes, which callers pass, as a function.
"""

from collections.abc import Callable
from functools import lru_cache

# domain (A-labels, lower case, no final dot) -> its organisational domain
Organisation = Callable[[str], str]
# domain -> the domain that somebody registered, or None for a public suffix itself
Registered = Callable[[str], str | None]


# A callout asks for those of its domain, its host and its client, some twice.
MAX_REMEMBERED = 4_096


def organisation_by(registered: Registered) -> Organisation:
    """The organisational domain by a list of public suffixes; a name that has none stands for itself."""

    @lru_cache(MAX_REMEMBERED)
    def organisation_of(domain: str) -> str:
        name = domain.lower().removesuffix(".")
        return registered(name) or name

    return organisation_of


def share_organisation(first: str, second: str, organisation: Organisation) -> bool:
    """True if both names are given and one organisation's."""
    return bool(first and second) and organisation(first) == organisation(second)
