"""The phrases of phrases.toml, ready to be looked up.

Not here: reading them (phrase_file.py, phrase_table.py), which of them wins (classify.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Set
from datetime import date
from enum import IntEnum
from typing import Protocol

from ..values.evidence import Meaning, Stage
from ..values.record import Record
from .wording import Anchors, Pattern

# Anchors are looked up by their first three characters; a short one by all it has.
_BEGINNING_CHARS = (1, 2, 3)
MAX_KNOWN_WORDS, MAX_KNOWN_CHARS = 4_096, 40  # what others send is remembered within bounds

NO_CODE = "none"  # `enhanced` may say that it applies where there is no such code


class Level(IntEnum):
    """How much a phrase says, most first."""

    EXACT = 0  # the whole sentence of a known server
    PLAIN = 1  # says what is the matter
    HINT = 2  # suggests it
    FAINT = 3  # hardly more than the code
    EMPTY = 4  # nothing
    DOUBT = 5  # that a mailbox phrase beside it is about the mailbox


class Said(Record, frozen=True):
    """What is looked at in a reply. `anchors` are those of the phrasebook in `folded`."""

    folded: str
    anchors: Set[str]
    stage: Stage | None
    code: str
    enhanced: str | None


class Phrase(Record, frozen=True, omit_defaults=True):
    """One entry of phrases.toml. Empty `stages`, `codes` and `enhanced` mean any."""

    id: str
    meaning: Meaning
    source: str
    seen: date
    patterns: tuple[Pattern, ...] = ()
    level: Level = Level.PLAIN
    stages: tuple[Stage | None, ...] = ()
    codes: tuple[str, ...] = ()  # beginnings of reply codes: "5", "550"
    enhanced: tuple[str, ...] = ()
    lang: str = ""
    provider: str = ""
    weak: bool = False
    of_sender: bool = False

    @property
    def rule(self) -> str:
        return f"provider {self.provider} {self.id}" if self.provider else f"phrase {self.id}"

    def applies(self, said: Said) -> bool:
        return (
            (not self.stages or said.stage in self.stages)
            and (not self.codes or said.code.startswith(self.codes))
            and (not self.enhanced or (said.enhanced or NO_CODE) in self.enhanced)
        )


class Book(Protocol):
    """What a reply is looked up in, by one thread. What it answers never changes, and may be remembered."""

    def __hash__(self) -> int: ...

    def anchors_in(self, folded: str, /) -> set[str]: ...

    def heard_in(
        self, said: Said, level: Level, order: Callable[[Phrase], tuple[int, str]], /
    ) -> Iterator[Phrase]: ...


_Known = tuple[Phrase, Pattern, tuple[Anchors, ...]]  # with its anchors beside the first


class Phrasebook:
    """All phrases, looked up by the words of a reply."""

    def __init__(self, phrases: tuple[Phrase, ...]) -> None:
        self.phrases = phrases
        # Each pattern stands at the first group of its anchors.
        self._patterns: dict[Level, defaultdict[str, list[_Known]]] = {
            level: defaultdict(list) for level in Level
        }
        self._beginnings: defaultdict[str, list[str]] = defaultdict(
            list
        )  # of anchors → the anchors
        # Servers use few words: which anchors each contains is remembered, up to a bound.
        self._known: dict[str, frozenset[str]] = {}
        anchors: set[str] = set()
        for phrase in phrases:
            at = self._patterns[phrase.level]
            for pattern in phrase.patterns:
                first, *others = pattern.anchors
                known = (phrase, pattern, tuple(others))
                for anchor in first:
                    at[anchor].append(known)
                anchors.update(*pattern.anchors)
        for anchor in anchors:
            self._beginnings[anchor[: max(_BEGINNING_CHARS)]].append(anchor)

    def anchors_in(self, folded: str) -> set[str]:
        """Return the anchors in `folded`; none holds a space."""
        return set().union(*map(self._anchors_of, folded.split(" ")))

    def heard_in(
        self, said: Said, level: Level, order: Callable[[Phrase], tuple[int, str]]
    ) -> Iterator[Phrase]:
        """Yield the phrases of `level` that occur in `said` and apply, by `order`.

        A phrase of several patterns may come several times.
        """
        likely: dict[Pattern, Phrase] = {}
        patterns = self._patterns[level]
        is_missing = said.anchors.isdisjoint
        for anchor in said.anchors:
            for phrase, pattern, others in patterns.get(anchor, ()):
                if not any(map(is_missing, others)) and phrase.applies(said):
                    likely[pattern] = phrase
        for pattern, phrase in sorted(likely.items(), key=lambda item: order(item[1])):
            if pattern.found_in(said.folded):
                yield phrase

    def _anchors_of(self, word: str) -> frozenset[str]:
        if (known := self._known.get(word)) is not None:
            return known
        anchors = frozenset(
            anchor
            for at in range(len(word))
            for length in _BEGINNING_CHARS
            for anchor in self._beginnings.get(word[at : at + length], ())
            if word.startswith(anchor, at)
        )
        if len(word) <= MAX_KNOWN_CHARS and len(self._known) < MAX_KNOWN_WORDS:
            self._known[word] = anchors
        return anchors


class UnreadBook(Record, frozen=True):
    """A book that is read at the first refusal: reading takes a twentieth of the time of a short command."""

    read: Callable[[], Book]

    def anchors_in(self, folded: str) -> set[str]:
        return self.read().anchors_in(folded)

    def heard_in(
        self, said: Said, level: Level, order: Callable[[Phrase], tuple[int, str]]
    ) -> Iterator[Phrase]:
        return self.read().heard_in(said, level, order)
