"""Macros in SPF (RFC 7208 section 7): strings with macros, read and expanded. Pure.

Not here: where such strings stand (rules/spf_record.py), and what the letters stand for (rules/spf.py).
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from ..values.record import Record

# The longest name of a host, in the form without a final dot: section 7.3 cuts names down to it.
MAX_NAME_CHARS = 253
# Section 7.4 shows up to four in one string; together with the bound on what a letter stands for (an
# address), this bounds the length of what comes out.
MAX_MACROS = 40

# Section 7.2: these are for explanations only.
_EXPLAINING = frozenset("crt")
_LETTERS = frozenset("slodipvh") | _EXPLAINING
# Signs that stand for themselves or for a space, section 7.1.
_SIGNS = {"%": "%", "_": " ", "-": "%20"}

# A count of more than nine digits is nobody's: no name has a milliard labels.
_PART = re.compile(
    r"(?P<literal>[^%]+)|%(?P<sign>[%_-])"
    r"|%\{(?P<letter>[a-z])(?P<count>[0-9]{0,9})(?P<reverse>r?)(?P<delimiters>[-.+,/_=]*)\}",
    re.IGNORECASE | re.ASCII,
)
_LITERAL = re.compile(r"[!-~]*")
_LITERAL_OR_SPACE = re.compile(r"[ -~]*")
# Alphanumeric with hyphens inside, and not all digits.
_TOP_LABEL = re.compile(r"(?=.*[a-z-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)


class Macro(Record, frozen=True):
    """One macro. `letter` is in lower case, or one of the signs after a "%"; `count` 0 keeps all parts."""

    letter: str
    count: int = 0
    reversed: bool = False
    delimiters: str = "."
    escaped: bool = False  # written in upper case: for use in a URL


Template = tuple[str | Macro, ...]


def parse_macro_string(text: str) -> Template:
    """Read a macro-string as a record may hold. Raises ValueError, which says what is wrong."""
    return _parse(text, _LITERAL, _LETTERS - _EXPLAINING)


def parse_explanation(text: str) -> Template:
    """Read an explain-string, which has spaces and three more letters. Raises ValueError."""
    return _parse(text, _LITERAL_OR_SPACE, _LETTERS)


def parse_domain_spec(text: str) -> Template:
    """Read a macro-string that ends in a macro or like a host's name. Raises ValueError."""
    template = parse_macro_string(text)
    end = template[-1] if template else ""
    if isinstance(end, str):
        _, dot, label = end.removesuffix(".").rpartition(".")
        if not dot or not _TOP_LABEL.fullmatch(label):
            raise ValueError(f"not a domain name: {text}")
    return template


def _parse(text: str, literal: re.Pattern[str], letters: frozenset[str]) -> Template:
    parts: list[str | Macro] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None:
            raise ValueError(f"a % without its macro: {text}")
        parts.append(_read_part(found, literal, letters))
        at = found.end()
    if sum(isinstance(part, Macro) for part in parts) > MAX_MACROS:
        raise ValueError(f"more than {MAX_MACROS} macros")
    return tuple(parts)


def _read_part(
    found: re.Match[str], literal: re.Pattern[str], letters: frozenset[str]
) -> str | Macro:
    if found["sign"]:
        return Macro(found["sign"])
    if found["literal"]:
        if not literal.fullmatch(found["literal"]):
            raise ValueError(f"characters that may not stand here: {found['literal']}")
        return found[0]
    letter, count = found["letter"].lower(), found["count"]
    if letter not in letters:
        raise ValueError(f"no such macro here: {found[0]}")
    if count and not int(count):  # section 7.3
        raise ValueError(f"a macro that keeps nothing: {found[0]}")
    return Macro(
        letter,
        int(count or 0),
        reversed=bool(found["reverse"]),
        delimiters=found["delimiters"] or ".",
        escaped=found["letter"].isupper(),
    )


def letters_in(template: Template) -> frozenset[str]:
    """The letters whose values it takes to expand `template`."""
    macros = (part for part in template if isinstance(part, Macro))
    return frozenset(macro.letter for macro in macros) - set(_SIGNS)


def expand(template: Template, values: Mapping[str, str]) -> str:
    """Put `values`, by lower-case letter, in the macros' places."""
    return "".join(
        part if isinstance(part, str) else _expand_macro(part, values) for part in template
    )


def expand_name(template: Template, values: Mapping[str, str]) -> str:
    """Expand to a name to ask for: no final dot, and what is too long loses labels on the left.

    Nothing says that the outcome can be a name in the DNS.
    """
    name = expand(template, values).removesuffix(".")
    if len(name) <= MAX_NAME_CHARS:
        return name
    return name[-MAX_NAME_CHARS - 1 :].partition(".")[2]


def _expand_macro(macro: Macro, values: Mapping[str, str]) -> str:
    if macro.letter in _SIGNS:
        return _SIGNS[macro.letter]
    parts = re.split(f"[{re.escape(macro.delimiters)}]", values[macro.letter])
    if macro.reversed:
        parts.reverse()
    text = ".".join(parts[-macro.count :])
    return quote(text, safe="", errors="backslashreplace") if macro.escaped else text
