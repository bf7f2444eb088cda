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


# Entries as objects, some 4 kB each: what is asked for again and again, and what was just saved.
MAX_UNPACKED = 1_000


class Recent:
    """At most `most` entries, none older than what was saved here.

    One that was saved is packed when it is asked for again: most never are, and go after a while.
    """

    def __init__(self, most: int) -> None:
        self._packed: Lru[str, bytes] = Lru(most)
        self._unpacked: Lru[str, Entry] = Lru(min(most, MAX_UNPACKED))
        self._loads = Loads()

    def find(self, key: str) -> Entry | None:
        entry, packed = self._unpacked.find(key), self._packed.find(key)
        if entry is not None:
            return entry if packed is not None or self._pack(entry) else None
        if packed is None:
            return None
        entry = unpack(packed)
        self._unpacked.keep(key, entry)
        return entry

    def save(self, entry: Entry) -> None:
        """Keep the newest entry that there is."""
        self._loads.strike(entry.key)
        self._packed.drop(entry.key)
        self._unpacked.keep(entry.key, entry)

    @contextmanager
    def loading(self, key: str) -> Iterator[Callable[[Entry], None]]:
        """For the time of a load: keeps what it found, unless something newer has come meanwhile."""
        with self._loads.begin(key) as is_newest:

            def keep(entry: Entry) -> None:
                if is_newest():
                    self._pack(entry)

            yield keep

    def clear(self) -> None:
        self._packed.clear()
        self._unpacked.clear()
        self._loads.clear()

    def _pack(self, entry: Entry) -> bool:
        """Keep it packed, unless it is no text, which the writer has reported lost."""
        try:
            self._packed.keep(entry.key, pack(entry))
        except UnicodeEncodeError:
            self._unpacked.drop(entry.key)
            return False
        return True
