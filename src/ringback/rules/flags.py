"""What the look of an address says: role, disposable, free, tagged, and a likely slip of the hand. Pure.

Facts of their own, each from a list with a date (flags.toml); they never change a verdict.
"""

import tomllib

from ..values.address import Address
from ..values.query import Flags
from ..values.record import Record


class FlagLists(Record, frozen=True):
    """The lists, in lower case."""

    role: frozenset[str]
    free: frozenset[str]
    disposable: frozenset[str]


def parse_flag_lists(text: str) -> FlagLists:
    """Read flags.toml. Raises ValueError or KeyError."""
    lists = tomllib.loads(text)
    return FlagLists(
        **{name: frozenset(lists[name]["names"]) for name in FlagLists.__struct_fields__}
    )


_QUOTE = '"'  # the folded key goes without it


def flags_of(address: Address, lists: FlagLists) -> Flags:
    local = address.local.lower()
    untagged = local.partition("+")[0]
    known = address.domain in lists.free
    return Flags(
        role=untagged in lists.role,
        disposable=address.domain in lists.disposable,
        free=known,
        tagged=address.folded_key != f"{local.strip(_QUOTE)}@{address.domain}",
        suggestion=None if known else _suggestion(address, lists),
    )


def _suggestion(address: Address, lists: FlagLists) -> str | None:
    """The address at the one large provider whose name is a single slip away: gmial.com, gmail.con."""
    for slip in _one_slip_from(address.domain):
        if slip in lists.free:
            return f"{address.local}@{slip}"
    return None


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-."
# Longer than any provider's name and a slip: what follows grows with the square of the length.
_MAX_CHARS = 24
# gmx.de and gmx.at are a slip apart, and so are many honest short names; below this, no guess.
_MIN_CHARS = 8


def _one_slip_from(domain: str) -> list[str]:
    if not _MIN_CHARS <= len(domain) <= _MAX_CHARS:
        return []
    cuts = [(domain[:at], domain[at:]) for at in range(len(domain) + 1)]
    left_out = [head + tail[1:] for head, tail in cuts if tail]
    swapped = [head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1]
    replaced = [head + char + tail[1:] for head, tail in cuts if tail for char in _LETTERS]
    added = [head + char + tail for head, tail in cuts for char in _LETTERS]
    return sorted({*left_out, *swapped, *replaced, *added} - {domain})
