"""Chance that is the same on every machine and in every version of Python: numbers that follow from a seed.

Not for secrets. The generator is SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
Generators, 2014). Not here: what is drawn for (population.py, traffic.py).
"""

import hashlib
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from math import log
from typing import Generic, TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GAMMA = 0x9E37_79B9_7F4A_7C15
_MIX_1, _MIX_2 = 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB


class Dice:
    """One sequence of numbers. `seed` is any text; different texts give unrelated sequences."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._state = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")

    def of(self, name: str) -> "Dice":
        """A sequence of its own for `name`: what is drawn from it changes nothing elsewhere."""
        return Dice(f"{self._seed}/{name}")

    def draw(self) -> float:
        """A number from 0 up to, but not including, 1."""
        self._state = (self._state + _GAMMA) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * _MIX_1) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * _MIX_2) & _MASK
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def octets(self, count: int) -> bytes:
        return bytes(self.below(256) for _ in range(count))

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.draw()

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self.draw() * count)

    def happens(self, probability: float) -> bool:
        return self.draw() < probability

    def pick(self, among: Sequence[T]) -> T:
        return among[self.below(len(among))]

    def wait(self, mean: float) -> float:
        """How long until something happens that happens once in `mean` on average."""
        return -mean * log(1.0 - self.draw())


class Urn(Generic[T]):
    """Things that are drawn as often as their weights say."""

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        self.things = tuple(things)
        self._sums = list(accumulate(weights))

    @classmethod
    def of(cls, shares: Sequence[tuple[T, float]]) -> "Urn[T]":
        """From pairs of a thing and its weight."""
        return cls([thing for thing, _ in shares], [weight for _, weight in shares])

    def draw(self, dice: Dice) -> T:
        return self.things[bisect(self._sums, dice.draw() * self._sums[-1])]


def zipf(count: int, exponent: float = 1.0) -> list[float]:
    """Weights with a heavy tail: the n-th is 1/n^exponent."""
    return [1.0 / rank**exponent for rank in range(1, count + 1)]
