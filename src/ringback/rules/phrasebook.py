"""The phrases of phrases.toml, parsed and ready. Not here: which phrase wins (classify.py)."""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from itertools import chain
from typing import Protocol, cast

from ..values.evidence import Meaning, Stage
from .wording import Anchors, Pattern, Words


class Level(IntEnum):
    """How much a phrase says, most first."""

    EXACT = 0  # the whole sentence of a known server
    PLAIN = 1  # says what is the matter
    HINT = 2  # suggests it
    FAINT = 3  # hardly more than the code
    EMPTY = 4  # nothing
    DOUBT = 5  # that a mailbox phrase beside it is about the mailbox


@dataclass(frozen=True, slots=True)
class Said:
    """What is looked at in a reply. `anchors` are those of the phrasebook in `folded`."""

    folded: str
    anchors: Set[str]
    stage: Stage | None
    code: str
    enhanced: str | None


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry of phrases.toml. Empty `stages`, `codes` and `enhanced` mean any."""

    id: str
    meaning: Meaning
    patterns: tuple[Pattern, ...]
    source: str
    seen: date
    level: Level = Level.PLAIN
    stages: frozenset[Stage | None] = frozenset()
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
            and (not self.enhanced or (said.enhanced or _NO_CODE) in self.enhanced)
        )


class Book(Protocol):
    """What a reply is looked up in, by one thread. What it answers never changes, and may be remembered."""

    def __hash__(self) -> int: ...

    def anchors_in(self, folded: str, /) -> set[str]: ...

    def heard_in(
        self, said: Said, level: Level, order: Callable[[Phrase], tuple[int, str]], /
    ) -> Iterator[Phrase]: ...


_Met = tuple[Phrase, Pattern, tuple[Anchors, ...]]  # with its anchors beside the first


class Phrasebook:
    """All phrases, looked up by the words of a reply. Made by parse_phrasebook.

    A pattern is known by its clue until a reply holds that, and by its anchors from then on: what most
    are made of is never looked at. No answer changes by it.
    """

    def __init__(self, phrases: tuple[Phrase, ...]) -> None:
        self.phrases = phrases
        self._beginnings: dict[str, tuple[str, ...]] = {}  # of anchors → the anchors
        self._by_clue: defaultdict[str, list[tuple[Phrase, Pattern]]] = defaultdict(list)
        self._met: set[Pattern] = set()  # and these by their first anchors
        self._patterns: dict[Level, defaultdict[str, list[_Met]]] = {
            level: defaultdict(list) for level in Level
        }
        # Servers use few words: which anchors each contains is remembered, up to a bound.
        self._known: dict[str, frozenset[str]] = {}
        for phrase in phrases:
            for pattern in phrase.patterns:
                known = (phrase, pattern)
                for clue in pattern.clue:
                    self._by_clue[clue].append(known)
        self._learn(self._by_clue)

    def anchors_in(self, folded: str) -> set[str]:
        """Return the anchors in `folded`; none holds a space."""
        words = folded.split(" ")
        present = set().union(*map(self._anchors_of, words))
        if not self._by_clue.keys().isdisjoint(present):
            self._meet(self._by_clue.keys() & present)
            present = set().union(*map(self._anchors_of, words))
        return present

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

    def _meet(self, clues: Set[str]) -> None:
        """Know the patterns with these clues by their anchors from now on."""
        met = {pattern: phrase for clue in clues for phrase, pattern in self._by_clue.pop(clue)}
        for pattern in met.keys() - self._met:
            self._met.add(pattern)
            phrase, (first, *others) = met[pattern], pattern.anchors
            for anchor in first:
                self._patterns[phrase.level][anchor].append((phrase, pattern, tuple(others)))
            self._learn(first, *others)

    def _learn(self, *anchors: Iterable[str]) -> None:
        for anchor in chain.from_iterable(anchors):
            beginning = anchor[: max(_BEGINNING_CHARS)]
            those = self._beginnings.get(beginning, ())
            if anchor not in those:
                self._beginnings[beginning] = (*those, anchor)
        self._known.clear()

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


@dataclass(frozen=True, slots=True)
class UnreadBook:
    """A book that is read at the first refusal: reading takes a tenth of the time of a short command."""

    read: Callable[[], Book]

    def anchors_in(self, folded: str) -> set[str]:
        return self.read().anchors_in(folded)

    def heard_in(
        self, said: Said, level: Level, order: Callable[[Phrase], tuple[int, str]]
    ) -> Iterator[Phrase]:
        return self.read().heard_in(said, level, order)


# Anchors are looked up by their first three characters; a short one by all it has.
_BEGINNING_CHARS = (1, 2, 3)
MAX_KNOWN_WORDS, MAX_KNOWN_CHARS = 4_096, 40  # what others send is remembered within bounds

_NO_CODE = "none"  # "enhanced" may say that it applies where there is no such code
_NO_STAGE = "none"  # "stages" may say that it applies where the stage is not known
_TEXTS = ("id", "meaning", "match", "source", "date", "level", "lang", "provider")
_LISTS = ("stages", "codes", "enhanced")
_FLAGS = ("weak", "of_sender")
_REQUIRED = ("id", "meaning", "source", "date", "match")


def parse_phrasebook(text: str) -> Phrasebook:
    """Read phrases.toml. Raises ValueError naming the entry or its pattern, and what is wrong with it."""
    table = tomllib.loads(text)  # TOMLDecodeError is a ValueError
    if unknown := table.keys() - {"words", "phrase"}:
        raise ValueError(f"unknown table {min(unknown)!r}")
    words, entries = _words(table.get("words", {})), table.get("phrase", [])
    if not isinstance(entries, list) or not entries:
        raise ValueError("there is no [[phrase]]")
    phrases: dict[str, Phrase] = {}
    for entry in entries:
        phrase = _phrase(entry, words)
        if phrase.id in phrases:
            raise ValueError(f"phrase {phrase.id!r} stands there twice")
        phrases[phrase.id] = phrase
    return Phrasebook(tuple(phrases.values()))


def _words(table: object) -> Words:
    """Read the named lists; each may use those above it."""
    if not isinstance(table, dict):
        raise ValueError("[words] is a table")
    words: dict[str, Pattern] = {}
    for name, listed in table.items():
        if not _texts(listed):
            raise ValueError(f"[words] {name!r} is not a list of texts")
        words[name] = Pattern("|".join(listed), words.copy())
    return words


def _phrase(entry: object, words: Words) -> Phrase:
    fields = _typed(entry)
    name = fields["id"]
    try:
        return Phrase(
            id=cast(str, name),
            meaning=Meaning(cast(str, fields["meaning"])),
            patterns=tuple(
                Pattern(written, words) for written in cast(str, fields["match"]).splitlines()
            ),
            source=cast(str, fields["source"]),
            seen=_month(cast(str, fields["date"])),
            level=Level[cast(str, fields.get("level", "plain")).upper()],
            stages=frozenset(
                None if stage == _NO_STAGE else Stage(stage) for stage in _list(fields, "stages")
            ),
            codes=tuple(_list(fields, "codes")),
            enhanced=tuple(_list(fields, "enhanced")),
            lang=cast(str, fields.get("lang", "")),
            provider=cast(str, fields.get("provider", "")),
            weak=bool(fields.get("weak", False)),
            of_sender=bool(fields.get("of_sender", False)),
        )
    except KeyError as error:
        raise ValueError(f"phrase {name!r}: no level is called {error}") from None
    except ValueError as error:
        raise ValueError(f"phrase {name!r}: {error}") from None


def _typed(entry: object) -> dict[str, object]:
    """Return the fields of an entry, each of the type that its name promises."""
    if not isinstance(entry, dict):
        raise ValueError("[[phrase]] is a table")
    named = repr(entry.get("id", "without id"))
    for key, value in entry.items():
        good = (
            (key in _TEXTS and isinstance(value, str) and bool(value))
            or (key in _FLAGS and isinstance(value, bool))
            or (key in _LISTS and _texts(value))
        )
        if not good:
            raise ValueError(f"phrase {named}: {key!r} is unknown or not of its type")
    if missing := [key for key in _REQUIRED if key not in entry]:
        raise ValueError(f"phrase {named}: {missing[0]!r} is missing")
    return entry


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)


def _list(fields: Mapping[str, object], key: str) -> list[str]:
    return cast(list[str], fields.get(key, []))


def _month(written: str) -> date:
    """Read "2026-11" or "2026-11-21"."""
    return date.fromisoformat(written if len(written) > len("2026-11") else f"{written}-01")
