"""The facts used last, so that a callout does not go to disk for each of its looks.

That there are none is worth as much to know, and the usual case. Not here: the disk (reader.py), entries
(recent.py).
"""

from ..values.facts import Fact
from .lru import Lru
from .recent import Loads

# Domains, hosts and pairs of the two: three for each domain that is called. Those of which nothing is known
# take some 200 bytes.
MAX_SUBJECTS = 30_000


class RecentFacts:
    """All that there are about at most MAX_SUBJECTS, none older than what was saved here."""

    def __init__(self) -> None:
        self._facts: Lru[str, tuple[Fact, ...]] = Lru(MAX_SUBJECTS)
        self._loads = Loads(self._facts.keep)
        self.loading = self._loads.begin

    def find(self, *subjects: str) -> tuple[Fact, ...] | None:
        """The facts about `subjects`; None where some are to be loaded."""
        known: tuple[Fact, ...] = ()
        for subject in subjects:
            facts = self._facts.find(subject)
            if facts is None:
                return None
            known += facts
        return known

    def save(self, fact: Fact) -> None:
        """Have `fact` in place of an older one of its kind."""
        self.forget(fact.subject, fact.kind, fact)

    def forget(self, subject: str, kind: str, *instead: Fact) -> None:
        self._loads.strike(subject)
        known = self._facts.find(subject)
        if known is not None:
            others = tuple(fact for fact in known if fact.kind != kind)
            self._facts.keep(subject, (*others, *instead))

    def clear(self) -> None:
        self._facts.clear()
        self._loads.clear()
