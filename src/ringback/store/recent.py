"""What was used last, and the loads from disk that may add to it.

Not here: the disk (reader.py), and what is saved and not committed yet (batch.py).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ..rules.freshness import Entry
from ..values.facts import Fact
from .lru import Lru
from .packed import pack, unpack

# Domains, hosts and pairs of them whose facts are at hand: three for each domain that is called, mostly
# without any facts, which is worth as much to know.
MAX_SUBJECTS = 30_000


class Loads:
    """The loads under way: of each key, the newest.

    One that was overtaken by a save or by another process is struck out, so that what it found does not
    get in.
    """

    def __init__(self) -> None:
        self._newest: dict[str, object] = {}

    @contextmanager
    def begin(self, key: str) -> Iterator[Callable[[], bool]]:
        """For the time of a load: says whether nothing newer has come meanwhile."""
        ticket = self._newest[key] = object()

        def is_newest() -> bool:
            return self._newest.get(key) is ticket

        try:
            yield is_newest
        finally:
            if is_newest():
                del self._newest[key]

    def strike(self, key: str) -> None:
        self._newest.pop(key, None)

    def clear(self) -> None:
        self._newest.clear()


class Recent:
    """At most `most` entries, none older than what was saved here."""

    def __init__(self, most: int) -> None:
        self._packed: Lru[str, bytes] = Lru(most)
        self._loads = Loads()

    def find(self, key: str) -> Entry | None:
        packed = self._packed.find(key)
        return None if packed is None else unpack(packed)

    def save(self, entry: Entry) -> None:
        """Keep the newest entry that there is."""
        self._loads.strike(entry.key)
        self._keep(entry)

    @contextmanager
    def loading(self, key: str) -> Iterator[Callable[[Entry], None]]:
        """For the time of a load: keeps what it found, unless something newer has come meanwhile."""
        with self._loads.begin(key) as is_newest:

            def keep(entry: Entry) -> None:
                if is_newest():
                    self._keep(entry)

            yield keep

    def clear(self) -> None:
        self._packed.clear()
        self._loads.clear()

    def _keep(self, entry: Entry) -> None:
        try:
            self._packed.keep(entry.key, pack(entry))
        except UnicodeEncodeError:  # the writer reports it lost
            self._packed.drop(entry.key)


class RecentFacts:
    """The facts about at most MAX_SUBJECTS, all that there are of each, none older than what was saved here."""

    def __init__(self) -> None:
        self._facts: Lru[str, tuple[Fact, ...]] = Lru(MAX_SUBJECTS)
        self._loads = Loads()

    def find(self, subject: str) -> tuple[Fact, ...] | None:
        """The facts about `subject`; None where they are to be loaded."""
        return self._facts.find(subject)

    def save(self, fact: Fact) -> None:
        """Have `fact` in place of an older one of its kind."""
        self.forget(fact.subject, fact.kind, fact)

    def forget(self, subject: str, kind: str, *instead: Fact) -> None:
        self._loads.strike(subject)
        known = self._facts.find(subject)
        if known is not None:
            others = tuple(fact for fact in known if fact.kind != kind)
            self._facts.keep(subject, (*others, *instead))

    @contextmanager
    def loading(self, subject: str) -> Iterator[Callable[[Iterable[Fact]], tuple[Fact, ...]]]:
        """For the time of a load: keeps what it found, unless something newer has come meanwhile."""
        with self._loads.begin(subject) as is_newest:

            def keep(found: Iterable[Fact]) -> tuple[Fact, ...]:
                facts = tuple(found)
                if is_newest():
                    self._facts.keep(subject, facts)
                return facts

            yield keep

    def clear(self) -> None:
        self._facts.clear()
        self._loads.clear()
