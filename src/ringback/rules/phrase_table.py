"""phrases.json: what phrases.toml says, with the anchors of its patterns, which take long to find.

`make docs` writes it, programs read it. Not here: phrases.toml (phrase_file.py), looking anything up
(phrasebook.py).
"""

from collections.abc import Iterator
from functools import cache
from sys import intern

import msgspec

from ..values.record import Record
from .phrasebook import Phrase, Phrasebook
from .wording import Anchors, Pattern

_Groups = tuple[str, ...]  # of anchors, each group in one text


class _Table(Record, frozen=True):
    words: dict[str, str]  # the named lists
    phrases: tuple[Phrase, ...]  # without their patterns
    patterns: dict[str, dict[str, _Groups]]  # as they are written, by phrase


def encode_table(book: Phrasebook) -> bytes:
    """Write a book."""
    lists = book.phrases[0].patterns[0].words  # all have the same
    table = _Table(
        {name: listed.written for name, listed in lists.items()},
        tuple(phrase.but(patterns=()) for phrase in book.phrases),
        {phrase.id: _encode_patterns(phrase) for phrase in book.phrases},
    )
    return msgspec.json.format(msgspec.json.encode(table), indent=1) + b"\n"


def _encode_patterns(phrase: Phrase) -> dict[str, _Groups]:
    return {
        pattern.written: tuple(" ".join(sorted(group)) for group in pattern.anchors)
        for pattern in phrase.patterns
    }


def decode_table(table: bytes) -> Phrasebook:
    """Read what `encode_table` wrote.

    Raises msgspec.DecodeError, and KeyError for a phrase that has no patterns there.
    """
    read = msgspec.json.decode(table, type=_Table)
    words: dict[str, Pattern] = {}
    for name, written in read.words.items():
        words[name] = Pattern(written, words.copy())
    group = cache(_decode_group)  # one for all patterns that have it

    def patterns_of(phrase: Phrase) -> Iterator[Pattern]:
        for written, groups in read.patterns[phrase.id].items():
            yield Pattern(written, words, tuple(map(group, groups)))

    return Phrasebook(
        tuple(phrase.but(patterns=tuple(patterns_of(phrase))) for phrase in read.phrases)
    )


def _decode_group(text: str) -> Anchors:
    return frozenset(map(intern, text.split()))
