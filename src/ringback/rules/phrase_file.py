"""phrases.toml: text to phrases, for `make docs` and the tests; it ships for people to read.

Not here: the form that programs read (phrase_table.py).
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from typing import cast

from ..values.evidence import Meaning, Stage
from .phrasebook import Level, Phrase, Phrasebook
from .wording import Pattern, Words, parse_pattern

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
                parse_pattern(written, words) for written in cast(str, fields["match"]).splitlines()
            ),
            source=cast(str, fields["source"]),
            seen=_month(cast(str, fields["date"])),
            level=Level[cast(str, fields.get("level", "plain")).upper()],
            stages=tuple(
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
