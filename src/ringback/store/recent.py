"""The entries used last, and the loads from disk that may add to them.

Not here: the disk (reader.py), and what is saved and not committed yet (batch.py).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..rules.freshness import Entry
from .lru import Lru
from .packed import pack, unpack


class Recent:
    """At most `most` entries, none older than what was saved here."""

    def __init__(self, most: int) -> None:
        self._packed: Lru[str, bytes] = Lru(most)
        # The newest load from disk of each key. One that was overtaken by a save or by another
        # process is struck out, so that its older entry does not get in.
        self._loading: dict[str, object] = {}

    def find(self, key: str) -> Entry | None:
        packed = self._packed.find(key)
        return None if packed is None else unpack(packed)

    def save(self, entry: Entry) -> None:
        """Keep the newest entry that there is."""
        self._loading.pop(entry.key, None)
        self._keep(entry)

    @contextmanager
    def loading(self, key: str) -> Iterator[Callable[[Entry], None]]:
        """For the time of a load: keeps what it found, unless something newer has come meanwhile."""
        ticket = self._loading[key] = object()

        def keep(entry: Entry) -> None:
            if self._loading.get(key) is ticket:
                self._keep(entry)

        try:
            yield keep
        finally:
            if self._loading.get(key) is ticket:
                del self._loading[key]

    def clear(self) -> None:
        self._packed.clear()
        self._loading.clear()

    def _keep(self, entry: Entry) -> None:
        try:
            self._packed.keep(entry.key, pack(entry))
        except UnicodeEncodeError:  # the writer reports it lost
            self._packed.drop(entry.key)
