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
from typing import NamedTuple

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
# What divides literals. Alternatives that hold no others are one sign: most are of that kind.
_SIGNS = re.compile(r"(<[a-z_]+>|\([^(){}<>*?]*\)|\{[^(){}<>*?]*\}|[(){}|~*%$?])")
_LISTED = re.compile(r"<([a-z_]+)>")
_SHORT_SIGNS = re.compile(r"([~%$])")
_MIN_ANCHOR_CHARS = 2

Anchors = frozenset[str]  # one of these texts stands in whatever matches


class _Node(NamedTuple):
    """Part of a pattern: `sign` is "" for a literal, else "(", "{" or one of _SPECIAL.

    What is bracketed has either `texts`, literals with short signs divided by "|", or `options`.
    """

    sign: str
    text: str = ""
    texts: str | None = None
    options: tuple[tuple["_Node", ...], ...] = ()
    optional: bool = False
    anchors: tuple[Anchors, ...] = ()  # of what must stand there, if it is bracketed by "("


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A pattern, ready. `anchors`: one text of each group stands in whatever it matches.

    The first group is the most telling one.
    """

    options: tuple[tuple[_Node, ...], ...]
    anchors: tuple[Anchors, ...]

    @property
    def regex(self) -> str:
        return rf"(?<!{_WORD})(?:{_regex_of(self.options)})(?!{_WORD})"

    def is_likely(self, present: Set[str]) -> bool:
        """Say whether a text can hold it, of whose anchors `present` is the set. Few can."""
        return not any(map(present.isdisjoint, self.anchors))

    def found_in(self, folded: str) -> bool:
        return _compiled(self).search(folded) is not None


@cache
def _compiled(pattern: Pattern) -> re.Pattern[str]:
    """Compile at first use: most patterns are never searched for in a short life."""
    return re.compile(pattern.regex)


def compile_pattern(written: str, words: Mapping[str, str]) -> Pattern:
    """Compile `written`; `words` are the named lists. Raises ValueError saying what is wrong."""
    if not written or len(written) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters: {written!r}")
    if written != written.lower():
        raise ValueError(f"patterns are written in lower case: {written!r}")
    if written.count("*") > MAX_GAPS:
        raise ValueError(f"more than {MAX_GAPS} gaps: {written!r}")
    source = _AROUND_GAP.sub("*", written) if "*" in written else written
    options = _Reader(spell(plain(source)), written, words).whole()
    anchors = _anchors_of_choice(options)
    if not anchors:
        raise ValueError(f"nothing in it must stand in the text: {written!r}")
    return Pattern(options, tuple(sorted(anchors, key=_worth, reverse=True)))


def expand(written: str, words: Mapping[str, str]) -> str:
    """Write out the named lists. Raises ValueError for a name that is not there."""
    return _LISTED.sub(lambda found: f"({_listed(found[1], words, written)})", written)


def _listed(name: str, words: Mapping[str, str], written: str) -> str:
    if name not in words:
        raise ValueError(f"no list of words is called {name!r}: {written!r}")
    return words[name]


@cache
def _list_of(listed: str) -> _Node:
    """Read a named list once, however many patterns use it."""
    options = _Reader(spell(plain(listed)), listed, {}).whole()
    return _Node("(", options=options, anchors=_anchors_of_choice(options))


class _Reader:
    """Reads a pattern once, left to right, into nodes."""

    def __init__(self, source: str, written: str, words: Mapping[str, str]) -> None:
        self._parts = [part for part in _SIGNS.split(source) if part]
        self._parts.append("")
        self._at, self._written, self._words = 0, written, words

    def whole(self) -> tuple[tuple[_Node, ...], ...]:
        options = self._choice("")
        if self._at < len(self._parts):
            raise ValueError(f"unbalanced {self._parts[self._at - 1]!r}: {self._written!r}")
        return options

    def _choice(self, closing: str) -> tuple[tuple[_Node, ...], ...]:
        """Read alternatives up to `closing`, or the end where it is ""."""
        options = [self._sequence()]
        while self._parts[self._at] == "|":
            self._at += 1
            options.append(self._sequence())
        if closing and self._parts[self._at] != closing:
            raise ValueError(f"{closing!r} is missing: {self._written!r}")
        self._at += 1
        return tuple(options)

    def _sequence(self) -> tuple[_Node, ...]:
        nodes: list[_Node] = []
        while (part := self._parts[self._at]) not in _ENDS:
            self._at += 1
            if part == "?":
                self._leave_out(nodes)
            elif part in _SPECIAL:
                nodes.append(_Node(part))
            elif part[0] in _CLOSING:
                nodes.append(self._bracketed(part))
            elif part[0] == "<" and (found := _LISTED.fullmatch(part)):
                nodes.append(_list_of(_listed(found[1], self._words, self._written)))
            else:
                nodes.append(_Node("", part))
        return tuple(nodes)

    def _bracketed(self, part: str) -> _Node:
        sign = part[0]
        if len(part) > 1:
            texts = part[1:-1]
            return _Node(
                sign, "", texts, (), False, _anchors_of_texts(texts) if sign == "(" else ()
            )
        start = self._at
        options = self._choice(_CLOSING[sign])
        if sign == "(":
            return _Node(sign, options=options, anchors=_anchors_of_choice(options))
        if "*" in self._parts[start : self._at]:
            raise ValueError(f"a gap cannot be repeated: {self._written!r}")
        return _Node(sign, options=options)

    def _leave_out(self, nodes: list[_Node]) -> None:
        """Make the last node optional; of a literal, only its last letter."""
        if not nodes or nodes[-1].optional:
            raise ValueError(f"'?' belongs to nothing: {self._written!r}")
        node = nodes.pop()
        if len(node.text) > 1:
            nodes.append(_Node("", node.text[:-1]))
            node = _Node("", node.text[-1])
        nodes.append(node._replace(optional=True))


_ENDS = frozenset({"", ")", "}", "|"})


def _regex_of(options: tuple[tuple[_Node, ...], ...]) -> str:
    regex = "|".join("".join(map(_regex_of_node, nodes)) for nodes in options)
    return f"(?:{regex})"


def _regex_of_node(node: _Node) -> str:
    if node.options:
        regex = _regex_of(node.options)
    elif node.texts is not None:
        regex = f"(?:{'|'.join(map(_regex_of_text, node.texts.split('|')))})"
    else:
        regex = _SPECIAL.get(node.sign) or re.escape(node.text)
    repeats = f"{{0,{MAX_REPEATS}}}" if node.sign == "{" else ""
    return f"{regex}{repeats}?" if node.optional else regex + repeats


def _regex_of_text(text: str) -> str:
    return "".join(_SPECIAL.get(part) or re.escape(part) for part in _SHORT_SIGNS.split(text))


def _anchors_of_choice(options: tuple[tuple[_Node, ...], ...]) -> tuple[Anchors, ...]:
    """Return the groups of which each has one text in whatever matches one of `options`."""
    of_each = [_anchors_of_sequence(nodes) for nodes in options]
    if len(of_each) == 1:
        return of_each[0]
    if not all(of_each):
        return ()
    best = (max(groups, key=_worth) if len(groups) > 1 else groups[0] for groups in of_each)
    return (_least(set().union(*best)),)


def _anchors_of_sequence(nodes: tuple[_Node, ...]) -> tuple[Anchors, ...]:
    anchors: list[Anchors] = []
    for node in nodes:
        if node.optional:
            continue
        if node.text:
            word = max(node.text.split(), key=len, default="")
            if len(word) >= _MIN_ANCHOR_CHARS or not word.isascii():
                anchors.append(frozenset((word,)))
        else:
            anchors += node.anchors
    return tuple(anchors)


def _anchors_of_texts(texts: str) -> tuple[Anchors, ...]:
    if "~" in texts or "%" in texts or "$" in texts:
        texts = _SHORT_SIGNS.sub(" ", texts)
    telling = set(map(_longest_word, texts.split("|")))
    shortest = min(telling, key=len)
    if len(shortest) < _MIN_ANCHOR_CHARS and (not shortest or any(map(_is_letter, telling))):
        return ()
    return (_least(telling),)


def _is_letter(word: str) -> bool:
    return len(word) < _MIN_ANCHOR_CHARS and word.isascii()


def _longest_word(text: str) -> str:
    return max(text.split(), key=len, default="") if " " in text else text


def _least(anchors: Set[str]) -> Anchors:
    """Leave out what contains another: where "user" must stand, "username" adds nothing."""
    if len(anchors) < 2:
        return frozenset(anchors)
    least: list[str] = []
    for anchor in sorted(anchors, key=len):
        for other in least:
            if other in anchor:
                break
        else:
            least.append(anchor)
    return frozenset(least)


def _worth(anchors: Anchors) -> float:
    """Long words tell texts apart best, and few of them are soonest tried."""
    return min(map(len, anchors)) / (1 + len(anchors) / 4)
