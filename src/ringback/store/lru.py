"""The most recently used values, at most so many.

Not here: what is worth keeping (sqlite.py, memory.py).
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """A dictionary of at most `most` values that forgets the least recently used first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[V]:
        """The values, the least recently used first."""
        return iter(self._values.values())

    def find(self, key: K) -> V | None:
        """The value of `key`, which counts as a use."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, *keys: K) -> None:
        """Forget `keys`, if they are known."""
        for key in keys:
            self._values.pop(key, None)

    def clear(self) -> None:
        self._values.clear()
