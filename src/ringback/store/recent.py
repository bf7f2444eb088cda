"""The entries used last, and the loads from disk that may add to what is held in memory.

Not here: the disk (reader.py), what is saved and not committed yet (batch.py), facts (recent_facts.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..rules.freshness import Entry
from .lru import Lru
from .packed import pack, unpack


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
