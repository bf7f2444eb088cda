"""The small language in which phrases.toml writes what servers say.

    plain text  itself, in the usual spelling of folding.py; accents and upper case do not matter in replies
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

Most patterns are never met, and a regular expression takes long to make. So a pattern has anchors, and is
compiled when a reply holds one of each group of them.
Not here: which phrases there are (phrases.toml), how replies are folded (folding.py).
"""

import re
from collections.abc import Iterator, Mapping, Set
from functools import cache

from ..values.record import Record
from .folding import plain, spell

MAX_PATTERN_CHARS = 1_500  # longer than that is two phrases
MAX_GAPS = 3  # each one multiplies the ways in which a pattern can fail
GAP_CHARS = 60  # within a sentence, not across the whole of an explanation
MAX_REPEATS = 6  # words that may stand between the two that matter
MAX_TRIED = 40  # texts, one after the other: to search for the pattern costs as much

_WORD = "[a-z0-9_]"  # Chinese, Japanese and Korean do not divide words
_BETWEEN_WORDS = rf"(?:(?<!{_WORD})|(?!{_WORD}))"
_AROUND_GAP = re.compile(r" ?\* ?")
_SIGNS = re.compile(r"(<[a-z_]+>|[(){}|~*%$?])")  # what divides literals
_REGEX_OF = {
    "(": "(?:",
    ")": ")",
    "|": "|",
    "?": "?",
    "{": "(?:",
    "}": f"){{0,{MAX_REPEATS}}}",
    "~": r"\w{0,20}",
    "%": r"\d{1,9}",
    "$": r"\S{1,64}",
    "*": rf"{_BETWEEN_WORDS}.{{0,{GAP_CHARS}}}?{_BETWEEN_WORDS}",
}
_LISTED = re.compile(r"<[a-z_]+>")
_LONE_OPTION = re.compile(r"(?:^|[({}|?~*%$])\?")
_REPEATED_GAP = re.compile(r"\{[^}]*\*")

# What must stand there; what may be missing matches without a group. A sign that is found alone belongs to
# no bracket, or to brackets within brackets within brackets.
_CHOICE = r"\((?:[^()]++|\([^()]*+\))*+\)|<[a-z_]+>"
_REPEATED = r"\{[^{}]*+\}"
_STANDING = re.compile(
    rf"{_REPEATED}|(?:{_CHOICE}|[^(){{}}<>])\?|({_CHOICE}|[^(){{}}<>|~*%$?]+(?!\?)|[|(){{}}])"
)
_ALTERNATIVES = re.compile(rf"(?:^|\|)((?:[^|(){{}}<]++|{_CHOICE}|{_REPEATED}|[^|])*+)")
_DIVIDING = re.compile(r"[(){}<?*]")  # found in none of the simple alternatives that most are
_SHORT_SIGNS = re.compile(r"[~%$]")
_LONE_SIGNS = frozenset("(){}|")
_NOTHING = frozenset(("",))  # of which nobody can tell anything

Anchors = frozenset[str]  # one of these texts stands in whatever matches
Words = Mapping[str, "Pattern"]  # the named lists


class Pattern(Record, frozen=True, eq=False):
    """A pattern as it is written. A named list is one, too: its alternatives, in no brackets.

    `anchors` are groups of words, of each of which one stands in whatever it matches; the most telling
    first. What is not well written raises ValueError: a lone "?" at once, the rest in what is made of it.
    """

    written: str
    words: Words
    anchors: tuple[Anchors, ...] = ()

    def __post_init__(self) -> None:
        if "?" in self.written and _LONE_OPTION.search(self.written):
            raise ValueError(f"a '?' belongs to a letter or a choice: {self.written!r}")

    @property
    def regex(self) -> str:
        return rf"(?<!{_WORD}){_regex_of(self)}(?!{_WORD})"

    def found_in(self, folded: str) -> bool:
        for sayings in _sayings_of(self):
            if not any(map(folded.__contains__, sayings)):
                return False
        return _compiled(self).search(folded) is not None


def parse_pattern(written: str, words: Words) -> Pattern:
    """Read a pattern, and find its anchors. Raises ValueError."""
    if not 0 < len(written) <= MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters: {written!r}")
    bare = Pattern(written, words)
    groups = map(_least, map(_words_of, _texts_of(bare)))
    if not (anchors := sorted(groups, key=_worth, reverse=True)):
        raise ValueError(f"nothing in it must stand in the text: {written!r}")
    return Pattern(written, words, tuple(anchors))


@cache
def _compiled(pattern: Pattern) -> re.Pattern[str]:
    return re.compile(pattern.regex)


def _regex_of(pattern: Pattern) -> str:
    parts = _SIGNS.split(_source_of(pattern))
    return f"(?:{''.join(_regex_of_part(part, pattern) for part in parts)})"


def _source_of(pattern: Pattern) -> str:
    """Return what is written, as a reply is folded that says it."""
    written = pattern.written
    if written.count("*") > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps: {written!r}")
    if _REPEATED_GAP.search(written):
        raise ValueError(f"a gap cannot be repeated: {written!r}")
    source = plain(_AROUND_GAP.sub("*", written))
    if source != (usual := spell(source.lower())):
        raise ValueError(f"replies are folded to {usual!r}, not to {written!r}")
    return source


def _regex_of_part(part: str, pattern: Pattern) -> str:
    if part in _REGEX_OF:
        return _REGEX_OF[part]
    return _regex_of(_list_called(part, pattern)) if _LISTED.fullmatch(part) else re.escape(part)


def _list_called(sign: str, pattern: Pattern) -> Pattern:
    name = sign[1:-1]
    if name not in pattern.words:
        raise ValueError(f"no list of words is called {name!r}: {pattern.written!r}")
    return pattern.words[name]


@cache
def _sayings_of(pattern: Pattern) -> tuple[Anchors, ...]:
    """Return what must stand there in more than one word, where it is soon tried: it spares compiling."""
    return tuple(
        texts
        for texts in _texts_of(pattern)
        if len(texts) <= MAX_TRIED and any(" " in text for text in texts)
    )


def _texts_of(pattern: Pattern) -> Iterator[Anchors]:
    """Return groups of texts, of each of which one stands in whatever `pattern` matches."""
    parts = _parts_of(plain(pattern.written))
    return filter(None, (_texts_of_part(part, pattern) for part in parts))


def _parts_of(text: str) -> list[str]:
    """Return the literals and choices that stand in whatever `text`, a sequence, matches."""
    parts = list(filter(None, _STANDING.findall(text)))
    if not _LONE_SIGNS.isdisjoint(parts):
        raise ValueError(f"a sign without brackets, or nested too deep: {text!r}")
    return parts


def _texts_of_part(part: str, pattern: Pattern) -> Anchors:
    if part[0] == "<":
        return _texts_of_list(_list_called(part, pattern))
    return _texts_in(part[1:-1] if part[0] == "(" else part, pattern)


@cache
def _texts_of_list(listed: Pattern) -> Anchors:
    return _texts_in(plain(listed.written), listed)


def _texts_in(choice: str, pattern: Pattern) -> Anchors:
    """Return a text for each alternative, which stands in whatever that matches; none if one has none."""
    divided = _DIVIDING.search(choice)
    texts: set[str] = set()
    for alternative in _ALTERNATIVES.findall(choice) if divided else choice.split("|"):
        if divided and _DIVIDING.search(alternative):
            groups = (_texts_of_part(part, pattern) for part in _parts_of(alternative))
            texts |= max(groups, key=_worth, default=_NOTHING) or _NOTHING
        else:
            texts.add(_longest_literal(alternative))
    return frozenset(texts) if all(map(_tells, texts)) else frozenset()


def _longest_literal(text: str) -> str:
    if "~" in text or "%" in text or "$" in text:
        text = max(_SHORT_SIGNS.split(text), key=len)
    return text.strip()


def _tells(text: str) -> bool:
    return len(text) > 1 or not text.isascii()  # of Chinese, one letter does


def _words_of(texts: Anchors) -> Anchors:
    return frozenset(max(text.split(), key=len) if " " in text else text for text in texts)


def _least(words: Anchors) -> Anchors:
    """Leave out what contains another: where "user" must stand, "username" adds nothing."""
    if not 1 < len(words) <= MAX_TRIED:
        return words
    return frozenset(
        word for word in words if not any(other in word for other in words if other is not word)
    )


def _worth(anchors: Set[str]) -> float:
    """Long words tell texts apart best, and few of them are soonest tried."""
    return min(map(len, anchors), default=0) / (1 + len(anchors) / 4)
