"""The phrases of phrases.toml, parsed and ready. Not here: which phrase wins (classify.py)."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import cast

from ..values.evidence import Meaning, Stage
from .wording import Pattern, compile_pattern, expand


class Level(IntEnum):
    """How much a phrase says, most first."""

    EXACT = 0  # the whole sentence of a known server
    PLAIN = 1  # says what is the matter
    HINT = 2  # suggests it
    FAINT = 3  # hardly more than the code
    EMPTY = 4  # nothing
    DOUBT = 5  # that a mailbox phrase beside it is about the mailbox


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

    def applies(self, stage: Stage | None, code: str, enhanced: str | None) -> bool:
        return (
            (not self.stages or stage in self.stages)
            and (not self.codes or code.startswith(self.codes))
            and (not self.enhanced or (enhanced or _NO_CODE) in self.enhanced)
        )


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """All phrases, indexed by the anchors of their patterns. Made by parse_phrasebook."""

    phrases: tuple[Phrase, ...]
    beginnings: Mapping[str, tuple[str, ...]]  # of anchors → the anchors
    patterns: Mapping[str, tuple[tuple[Phrase, Pattern], ...]]  # by each of their first anchors

    def found_in(
        self, folded: str, stage: Stage | None, code: str, enhanced: str | None
    ) -> list[Phrase]:
        """Return the phrases that occur in `folded` and apply, each once, in no order."""
        present = self._anchors_in(folded)
        found: dict[str, Phrase] = {}
        for anchor in present:
            for phrase, pattern in self.patterns.get(anchor, ()):
                if phrase.id in found or not phrase.applies(stage, code, enhanced):
                    continue
                if pattern.found_in(folded, present):
                    found[phrase.id] = phrase
        return list(found.values())

    def _anchors_in(self, folded: str) -> set[str]:
        return {
            anchor
            for at in range(len(folded))
            for length in _BEGINNING_CHARS
            for anchor in self.beginnings.get(folded[at : at + length], ())
            if folded.startswith(anchor, at)
        }


# Anchors are looked up by their first three characters; a short one by all it has.
_BEGINNING_CHARS = (1, 2, 3)


def _indexed(phrases: tuple[Phrase, ...]) -> Phrasebook:
    beginnings: defaultdict[str, set[str]] = defaultdict(set)
    patterns: defaultdict[str, list[tuple[Phrase, Pattern]]] = defaultdict(list)
    for phrase in phrases:
        for pattern in phrase.patterns:
            for anchor in frozenset().union(*pattern.anchors):
                beginnings[anchor[: max(_BEGINNING_CHARS)]].add(anchor)
            for anchor in pattern.anchors[0]:
                patterns[anchor].append((phrase, pattern))
    return Phrasebook(
        phrases,
        {beginning: tuple(sorted(anchors)) for beginning, anchors in beginnings.items()},
        {anchor: tuple(needing) for anchor, needing in patterns.items()},
    )


_NO_CODE = "none"  # "enhanced" may say that it applies where there is no such code
_NO_STAGE = "none"  # "stages" may say that it applies where the stage is not known
_TEXTS = ("id", "meaning", "source", "date", "level", "lang", "provider")
_LISTS = ("match", "stages", "codes", "enhanced")
_FLAGS = ("weak", "of_sender")
_REQUIRED = ("id", "meaning", "source", "date", "match")


def parse_phrasebook(text: str) -> Phrasebook:
    """Read phrases.toml. Raises ValueError naming the entry and what is wrong with it."""
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
    return _indexed(tuple(phrases.values()))


def _words(table: object) -> dict[str, str]:
    """Read the named lists; each may use those above it."""
    if not isinstance(table, dict):
        raise ValueError("[words] is a table")
    words: dict[str, str] = {}
    for name, listed in table.items():
        if not _texts(listed):
            raise ValueError(f"[words] {name!r} is not a list of texts")
        words[name] = "|".join(expand(text, words) for text in listed)
    return words


def _phrase(entry: object, words: Mapping[str, str]) -> Phrase:
    fields = _typed(entry)
    name = fields["id"]
    try:
        return Phrase(
            id=cast(str, name),
            meaning=Meaning(cast(str, fields["meaning"])),
            patterns=tuple(compile_pattern(written, words) for written in _list(fields, "match")),
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
