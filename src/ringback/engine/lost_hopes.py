"""Where somebody came back as often as anybody does, and in vain: others there need not wait for it, too.

Not here: what such an answer is (rules/lists.py).
"""

from collections.abc import Sequence

from ..rules.lists import is_given_up
from ..values.query import Report

# Domains and hosts, some 100 bytes each.
MAX_GIVEN_UP = 10_000


class LostHopes:
    """Those of one run. `places`: see rules.lists.places_of."""

    def __init__(self) -> None:
        self._given_up: set[str] = set()

    def has_any(self, places: Sequence[str]) -> bool:
        return not self._given_up.isdisjoint(places)

    def note(self, report: Report, places: Sequence[str]) -> None:
        """Take in the last word on an address: who answers somebody is waited for again."""
        if not is_given_up(report):
            self._given_up.difference_update(places if report.callouts else ())
        elif len(self._given_up) < MAX_GIVEN_UP:
            self._given_up.update(places)
