"""What one setting may be: rules that read a value as TOML writes it, or say what is wrong with it.

A rule reads a value that it has read before as itself, so that settings made in a program and in a
file pass the same rules. Not here: written forms, such as networks (values/forms.py), and which
setting has which rule (values/settings/).
"""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..errors import SettingError
from .text import printable

# A message quotes this much of a value: enough to find it again.
MAX_QUOTED_CHARS = 80
# Whole numbers are quoted up to here; TOML allows more digits than Python likes to print.
MAX_QUOTED_NUMBER = 10**18

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (str, "text"),
    (int, "a number"),
    (float, "a number"),
    (list, "a list"),
    (tuple, "a list"),
    (dict, "a table"),
)


def quote(value: object) -> str:
    """Show a value in a message, as TOML would write it where it is short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{printable(value, limit=MAX_QUOTED_CHARS)}"'
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < MAX_QUOTED_NUMBER):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a date or time")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one setting is read.

    `wants` completes "write …"; `takes` is the TOML type it is written as; `read` returns the value
    as the program wants it, or raises ValueError with the problem, in which `show` quotes it.
    """

    wants: str
    takes: type
    read: Callable[[object], object]
    show: Callable[[object], str] = quote

    def admit(self, key: str, value: object) -> object:
        """Read the value of `key`. Raises SettingError."""
        try:
            return self.read(value)
        except SettingError as error:  # from within a table of its own
            raise SettingError(key + error.key, error.problem, error.remedy) from None
        except ValueError as error:
            raise SettingError(key, str(error), f"write {self.wants}") from None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like `name`."""
    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)[0]


def whole(low: int, high: int) -> Rule:
    """Accept a whole number within both bounds."""

    def read(value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{quote(value)} is not a whole number")
        if not low <= value <= high:
            raise ValueError(f"{quote(value)} is out of range")
        return value

    return Rule(f"a whole number from {low} to {high}", int, read)


def seconds(low: float, high: float) -> Rule:
    """Accept a duration within both bounds, which neither infinity nor NaN is."""

    def read(value: object) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f"{quote(value)} is not a number of seconds")
        if not low <= value <= high:
            raise ValueError(f"{quote(value)} is out of range")
        return float(value)

    return Rule(f"seconds, from {low:.15g} to {high:.15g}", float, read)


def choice(options: type[StrEnum]) -> Rule:
    """Accept one of a closed set of words."""
    words = [f'"{option}"' for option in options]

    def read(value: object) -> object:
        if not isinstance(value, str) or value not in list(options):
            raise ValueError(f"{quote(value)} is not one of its values")
        return options(value)

    return Rule(f"{', '.join(words[:-1])} or {words[-1]}", str, read)


def text(wants: str, parse: Callable[[str], str], show: Callable[[object], str] = quote) -> Rule:
    """Accept what `parse` does, which raises ValueError with the end of a sentence."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"{show(value)} is not text")
        if not value.isprintable():
            raise ValueError(f"{show(value)} contains a control character")
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{show(value)} {error}") from None

    return Rule(wants, str, read, show)


def optional(rule: Rule, empty: str) -> Rule:
    """Accept "" too, which means `empty`."""

    def read(value: object) -> object:
        return "" if value == "" else rule.read(value)

    return Rule(f'{rule.wants}; or "" for {empty}', str, read)


def each(rule: Rule, *, most: int, unique: bool = True) -> Rule:
    """Accept a list of at most `most` items, each of which `rule` accepts."""

    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{quote(value)} is not a list")
        if len(value) > most:
            raise ValueError(f"it has {len(value)} items, more than {most}")
        items = tuple(_read_item(rule, item) for item in value)
        if unique and len(set(items)) < len(items):
            twice = next(item for item in items if items.count(item) > 1)
            raise ValueError(f"{quote(twice)} stands there twice")
        return items

    return Rule(f"a list, each item of it {rule.wants}", list, read)


def one_or_each(rule: Rule, *, most: int) -> Rule:
    """Accept what `rule` accepts, alone or in a list of one to `most`."""
    listed = each(rule, most=most)

    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            return (rule.read(value),)
        if not value:
            raise ValueError("it is empty")
        return listed.read(value)

    return Rule(f"{rule.wants}; or a list of them", list, read)


def _read_item(rule: Rule, item: object) -> object:
    try:
        return rule.read(item)
    except ValueError as error:
        raise SettingError("", str(error), f"write it as {rule.wants}") from None


def _read_flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError(f"{quote(value)} is not true or false")
    return value


FLAG = Rule("true or false", bool, _read_flag)
