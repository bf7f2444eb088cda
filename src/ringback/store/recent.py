"""The entries used last, and the loads from disk that may add to what is held in memory.

Not here: the disk (reader.py), what is saved and not committed yet (batch.py), facts (recent_facts.py).
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from ..rules.freshness import Entry
from .lru import Lru
from .packed import pack, unpack

V = TypeVar("V")


class Load(Generic[V]):
    """`with load as keep:` keeps what it finds, unless something newer has come meanwhile."""

    __slots__ = ("_keep", "_key", "_newest")

    def __init__(
        self, newest: "dict[str, Load[V]]", key: str, keep: Callable[[str, V], None]
    ) -> None:
        self._newest, self._key, self._keep = newest, key, keep

    def __enter__(self) -> Callable[[V], None]:
        self._newest[self._key] = self
        return self._found

    def __exit__(self, *_: object) -> None:
        if self._newest.get(self._key) is self:
            del self._newest[self._key]

    def _found(self, value: V) -> None:
        if self._newest.get(self._key) is self:
            self._keep(self._key, value)


class Loads(Generic[V]):
    """The loads under way: of each key, the newest. `keep` gets what they find, by key.

    One that was overtaken by a save or by another process is struck out, so that what it found does not
    get in.
    """

    def __init__(self, keep: Callable[[str, V], None]) -> None:
        self._keep = keep
        self._newest: dict[str, Load[V]] = {}

    def begin(self, key: str) -> Load[V]:
        """To be held for the time of a load."""
        return Load(self._newest, key, self._keep)

    def strike(self, *keys: str) -> None:
        if self._newest:  # mostly none is under way
            for key in keys:
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
        self._loads = Loads(self._keep)
        self.loading = self._loads.begin

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

    def clear(self) -> None:
        self._packed.clear()
        self._unpacked.clear()
        self._loads.clear()

    def _keep(self, _: str, entry: Entry) -> None:
        self._pack(entry)

    def _pack(self, entry: Entry) -> bool:
        """Keep it packed, unless it is no text, which the writer has reported lost."""
        try:
            self._packed.keep(entry.key, pack(entry))
        except UnicodeEncodeError:
            self._unpacked.drop(entry.key)
            return False
        return True
