"""A table of the configuration as a frozen value, each field of which names its rule.

    port: Annotated[int, PORT, "where mail exchangers listen"] = 25

Not here: the tables themselves (values/settings/).
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from msgspec import NODEFAULT
from msgspec.structs import fields, force_setattr

from ..errors import SettingError
from .constraints import Rule, nearest, quote
from .record import Record


class Key(Record, frozen=True):
    """One setting of a section. `default` is NODEFAULT where there is none."""

    name: str
    rule: Rule
    says: str  # its line in the manual
    default: object


class Section(Record, frozen=True):
    """Every field is read by its rule when the section is made. Raises SettingError."""

    def __post_init__(self) -> None:
        for key in keys_of(type(self)):
            value = key.rule.admit(key.name, getattr(self, key.name))
            force_setattr(self, key.name, value)


@cache
def keys_of(section: type[Section]) -> tuple[Key, ...]:
    """The settings of a section, in the order of its fields."""
    keys = []
    for part in fields(section):
        _, rule, says = get_args(part.type)
        keys.append(Key(part.name, rule, says, part.default))
    return tuple(keys)


def tables(section: type[Section], wants: str, *, most: int, unique: str) -> Rule:
    """Accept a list of tables, no two of which have the same value of the key `unique`.

    Messages count the tables from 1.
    """

    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{quote(value)} is not a list of tables")
        if len(value) > most:
            raise ValueError(f"it has {len(value)} tables, more than {most}")
        rows = tuple(_read_table(section, f"[{at}]", row) for at, row in enumerate(value, start=1))
        first_at: dict[object, int] = {}
        for at, row in enumerate(rows, start=1):
            name = getattr(row, unique)
            if first_at.setdefault(name, at) != at:
                problem = f"{quote(name)} stands in table {first_at[name]} already"
                raise SettingError(f"[{at}].{unique}", problem, "keep one of the two")
        return rows

    return Rule(wants, list, read)


def _read_table(section: type[Section], where: str, value: object) -> Section:
    if isinstance(value, section):
        return value
    if not isinstance(value, Mapping):
        raise SettingError(where, f"{quote(value)} is not a table", "write KEY = VALUE in it")
    known = {key.name: key for key in keys_of(section)}
    for name in value:
        if name not in known:
            remedy = f'the nearest known key is "{nearest(name, known)}"'
            raise SettingError(f"{where}.{quote(name)[1:-1]}", "unknown key", remedy)
    for key in known.values():
        if key.default is NODEFAULT and key.name not in value:
            raise SettingError(f"{where}.{key.name}", "it is missing", f"write {key.rule.wants}")
    given: dict[str, Any] = dict(value)
    try:
        return section(**given)
    except SettingError as error:
        raise SettingError(f"{where}.{error.key}", error.problem, error.remedy) from None
