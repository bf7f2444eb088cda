"""The small language in which phrases.toml writes what servers say.

    plain text  itself, folded as the reply is: case, accents and white space do not matter
    (a|b)       one of them
    x? (a)?     the letter or the choice before it may be missing
    {a |b }     up to MAX_REPEATS of them, one after the other
    <name>      one of the words listed under that name
    ~           the rest of a word
    $           any word
    %           a number
    *           anything, at most GAP_CHARS of it, between two words

No other repetition can be written, and every one that can is bounded: the work grows with the length
of a reply, and no reply can make it explode.
Not here: which phrases there are (phrases.toml), how replies are folded (folding.py).
"""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache

from .folding import plain, spell

MAX_PATTERN_CHARS = 1_500  # longer than that is two phrases
MAX_GAPS = 3  # each one multiplies the ways in which a pattern can fail
GAP_CHARS = 60  # within a sentence, not across the whole of an explanation
MAX_REPEATS = 6  # words that may stand between the two that matter

_WORD = "[a-z0-9_]"  # Chinese, Japanese and Korean do not divide words
_BETWEEN_WORDS = rf"(?:(?<!{_WORD})|(?!{_WORD}))"
_GAP = rf"{_BETWEEN_WORDS}.{{0,{GAP_CHARS}}}?{_BETWEEN_WORDS}"
_AROUND_GAP = re.compile(r" ?\* ?")
_SPECIAL = {"~": r"\w{0,20}", "*": _GAP, "%": r"\d{1,9}", "$": r"\S{1,64}"}
_CLOSING = {"(": ")", "{": "}"}
_LITERAL = re.compile(r"[^(){}|~*%$?]+")
_MIN_ANCHOR_CHARS = 2

Anchors = frozenset[str]  # one of these texts stands in whatever matches


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, ready. `anchors`: one text of each group stands in whatever it matches.

    The first group is the most telling one.
    """

    regex: str
    anchors: tuple[Anchors, ...]

    def found_in(self, folded: str, present: Set[str]) -> bool:
        """Say whether it occurs in `folded`, of whose anchors `present` is the set.

        Only a text that has an anchor of each group is searched, which few are.
        """
        if any(group.isdisjoint(present) for group in self.anchors):
            return False
        return _compiled(self.regex).search(folded) is not None


# At first use: most patterns are never searched for in a short life.
_compiled = cache(re.compile)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a pattern; the same two fields."""

    regex: str
    anchors: tuple[Anchors, ...] = ()


def compile_pattern(written: str, words: Mapping[str, str]) -> Pattern:
    """Compile `written`; `words` are the named lists. Raises ValueError saying what is wrong."""
    if not written or len(written) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters: {written!r}")
    if written != written.lower():
        raise ValueError(f"patterns are written in lower case: {written!r}")
    if written.count("*") > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps: {written!r}")
    source = spell(expand(plain(_AROUND_GAP.sub("*", written)), words))
    whole = _Writer(source, written).pattern()
    if not whole.anchors:
        raise ValueError(f"nothing in it must stand in the text: {written!r}")
    chosen = sorted(whole.anchors, key=_worth, reverse=True)
    return Pattern(rf"(?<!{_WORD})(?:{whole.regex})(?!{_WORD})", tuple(chosen))


def expand(written: str, words: Mapping[str, str]) -> str:
    """Write out the named lists. Raises ValueError for a name that is not there."""

    def listed(found: re.Match[str]) -> str:
        if not found[1]:
            return "<>"  # the null sender stands for itself
        if found[1] not in words:
            raise ValueError(f"no list of words is called {found[1]!r}: {written!r}")
        return f"({plain(words[found[1]])})"

    return re.sub(r"<([a-z_]*)>", listed, written)


class _Writer:
    """Reads a pattern once, left to right, and writes the regular expression."""

    def __init__(self, source: str, written: str) -> None:
        self._source, self._written, self._at = source, written, 0

    def pattern(self) -> _Piece:
        piece = self._choice("")
        if self._at < len(self._source):
            raise ValueError(f"unbalanced {self._source[self._at]!r}: {self._written!r}")
        return piece

    @property
    def _next(self) -> str:
        return self._source[self._at : self._at + 1]

    def _choice(self, closing: str) -> _Piece:
        """Read alternatives up to `closing`, or the end where it is ""."""
        options = [self._sequence()]
        while self._next == "|":
            self._at += 1
            options.append(self._sequence())
        if closing and self._next != closing:
            raise ValueError(f"{closing!r} is missing: {self._written!r}")
        self._at += len(closing)
        regex = "|".join(option.regex for option in options)
        if len(options) == 1:
            return _Piece(f"(?:{regex})", options[0].anchors)
        if not all(option.anchors for option in options):
            return _Piece(f"(?:{regex})")
        best = (max(option.anchors, key=_worth) for option in options)
        return _Piece(f"(?:{regex})", (_least(frozenset().union(*best)),))

    def _sequence(self) -> _Piece:
        regex, anchors = "", list[Anchors]()
        while self._next and self._next not in ")}|":
            piece = self._piece()
            regex += piece.regex
            if self._next == "?":
                self._at += 1
                regex += "?"
            else:
                anchors += piece.anchors
        return _Piece(regex, tuple(anchors))

    def _piece(self) -> _Piece:
        char = self._next
        if char in _SPECIAL:
            self._at += 1
            return _Piece(_SPECIAL[char])
        if char not in _CLOSING:
            return self._literal()
        start, self._at = self._at, self._at + 1
        choice = self._choice(_CLOSING[char])
        if char == "(":
            return choice
        if "*" in self._source[start : self._at]:
            raise ValueError(f"a gap cannot be repeated: {self._written!r}")
        return _Piece(f"{choice.regex}{{0,{MAX_REPEATS}}}")

    def _literal(self) -> _Piece:
        found = _LITERAL.match(self._source, self._at)
        if found is None:
            raise ValueError(f"{self._next!r} belongs to nothing: {self._written!r}")
        literal = found[0]
        if self._source[found.end() : found.end() + 1] == "?" and len(literal) > 1:
            literal = literal[:-1]  # only the last letter may be missing
        self._at += len(literal)
        word = max(literal.split(), key=len, default="")
        telling = len(word) >= _MIN_ANCHOR_CHARS or (word and not word.isascii())
        return _Piece(re.escape(literal), (frozenset({word}),) if telling else ())


def _least(anchors: Anchors) -> Anchors:
    """Leave out what contains another: where "user" must stand, "username" adds nothing."""
    return frozenset(
        anchor for anchor in anchors if not any(o != anchor and o in anchor for o in anchors)
    )


def _worth(anchors: Anchors) -> float:
    """Long words tell texts apart best, and few of them are soonest tried."""
    return min(map(len, anchors)) / (1 + len(anchors) / 4)
