"""Settings from a file and the environment, each with its source; every mistake is a ConfigError.

Order: defaults, then one TOML file, then RINGBACK_SECTION__KEY. Not here: what a setting may be
(values/settings/).
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, SettingError
from ..values.constraints import nearest, quote
from ..values.record import Record
from ..values.section import Key, Section, keys_of
from ..values.settings import Settings
from ..values.text import printable

STANDARD_PATH = "/etc/ringback/ringback.toml"
PATH_VARIABLE = "RINGBACK_CONFIG"
PREFIX = "RINGBACK_"
DEFAULT = "default"
# Ten thousand routes fit; somebody's mail spool, named by mistake, does not.
MAX_FILE_BYTES = 1_048_576

_AT = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


class Loaded(Record, frozen=True):
    """Settings, and where each comes from: "default", a file's path or a variable's name."""

    settings: Settings
    sources: Mapping[str, str] = {}  # by dotted key
    file: str | None = None  # None: there is none at the standard place


class Later(Record, frozen=True):
    """A setting whose active values come with a later version, and what to write until then."""

    key: str
    is_active: Callable[[Any], bool]
    remedy: str
    documented: bool = True  # where the manual offers such a value, and must say that it is to come


class _Given(Record, frozen=True):
    """One value as it was written."""

    key: str
    value: object
    source: str


LATER = (
    Later("identity.probe_sender", bool, 'write probe_sender = "", the null sender'),
    Later(
        "store.url",
        lambda url: url.startswith("postgresql:"),
        'write url = "sqlite:///path/to/file" under [store]',
        documented=False,
    ),
)

_DEFAULTS = Settings()
SECTIONS: Mapping[str, type[Section]] = {
    name: type(getattr(_DEFAULTS, name)) for name in Settings.__struct_fields__
}
KEYS: Mapping[str, Key] = {
    f"{name}.{key.name}": key for name, section in SECTIONS.items() for key in keys_of(section)
}


def variable_of(key: str) -> str:
    """Name the environment variable that overrides a dotted key."""
    return PREFIX + key.replace(".", "__").upper()


VARIABLES: Mapping[str, str] = {variable_of(key): key for key in KEYS}


def load_settings(
    path: str | None, environ: Mapping[str, str], *, standard_path: str = STANDARD_PATH
) -> Loaded:
    """Read the settings in force. Raises ConfigError for the first mistake."""
    loaded, mistakes = examine_settings(path, environ, standard_path=standard_path)
    if loaded is None:
        raise mistakes[0]
    return loaded


def examine_settings(
    path: str | None, environ: Mapping[str, str], *, standard_path: str = STANDARD_PATH
) -> tuple[Loaded | None, list[ConfigError]]:
    """Read the settings in force, or else say all that is wrong with them."""
    mistakes: list[ConfigError] = []
    try:
        file, tables = _read_file(path or environ.get(PATH_VARIABLE), standard_path)
    except ConfigError as error:
        return None, [error]
    given: dict[str, _Given] = {}
    for item in (*_from_tables(tables, file or ""), *_from_environment(environ)):
        if isinstance(item, ConfigError):
            mistakes.append(item)
        else:
            given[item.key] = item
    values = _read_values(given, mistakes)
    settings = _build(values, given, mistakes)
    if mistakes:
        return None, mistakes
    sources = {key: given[key].source if key in given else DEFAULT for key in KEYS}
    return Loaded(settings, sources, file), []


def value_of(settings: Settings, key: str) -> Any:
    """Look up a dotted key."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def _read_file(path: str | None, standard_path: str) -> tuple[str | None, Mapping[str, object]]:
    named = path or standard_path
    try:
        with Path(named).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        if path is None:
            return None, {}
        raise _unreadable(named, error) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL within the path
        raise _unreadable(named, error) from None
    if len(content) > MAX_FILE_BYTES:
        problem = f"it is larger than {MAX_FILE_BYTES} bytes"
        raise ConfigError(printable(named), "", problem, "name a file of settings")
    return printable(named), _parse_toml(printable(named), content)


def _unreadable(path: str, error: Exception) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    remedy = f"name a readable file with --config or {PATH_VARIABLE}"
    return ConfigError(printable(path), "", f"cannot be read ({why})", remedy)


def _parse_toml(path: str, content: bytes) -> Mapping[str, object]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # editors on Windows write the mark
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}", "", "it is not UTF-8", "save it as UTF-8") from None
    except RecursionError:
        raise ConfigError(
            path, "", "its values are nested too deeply", "no key wants that"
        ) from None
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        found, last_line = _AT.search(str(error)), content.count(b"\n") + 1
        where = f"{path}:{found[1] or last_line}" if found else path
        problem = f"not TOML: {_AT.sub('', str(error))}"
        raise ConfigError(
            where, "", printable(problem), "write KEY = VALUE under [SECTION]"
        ) from None


def _from_tables(tables: Mapping[str, object], file: str) -> Iterator[_Given | ConfigError]:
    for name, table in tables.items():
        shown = quote(name)[1:-1]
        if name not in SECTIONS:
            yield _unknown_section(file, shown, name)
        elif not isinstance(table, Mapping):
            # Not quoted: it may be a URL with a password.
            yield ConfigError(file, shown, "it is not a table", f"write [{name}]")
        else:
            for key, value in table.items():
                dotted = f"{name}.{key}"
                known = dotted in KEYS
                yield _Given(dotted, value, file) if known else _unknown_key(file, name, key)


def _unknown_section(file: str, shown: str, name: str) -> ConfigError:
    homes = [key for key in KEYS if key.partition(".")[2] == name]
    if homes:
        problem = "it belongs to a section"
        return ConfigError(file, shown, problem, f'the nearest known key is "{homes[0]}"')
    remedy = f'the nearest known one is "{nearest(name, SECTIONS)}"'
    return ConfigError(file, shown, "unknown section", remedy)


def _unknown_key(file: str, section: str, key: str) -> ConfigError:
    homes = [known for known in KEYS if known.partition(".")[2] == key]
    closest = homes[0] if homes else nearest(f"{section}.{key}", KEYS)
    remedy = f'the nearest known key is "{closest}"'
    return ConfigError(file, quote(f"{section}.{key}")[1:-1], "unknown key", remedy)


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Given | ConfigError]:
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == PATH_VARIABLE:
            continue
        key = VARIABLES.get(variable)
        if key is None:
            remedy = f"the nearest known one is {nearest(variable, (*VARIABLES, PATH_VARIABLE))}"
            yield ConfigError(printable(variable), "", "unknown environment variable", remedy)
        else:
            yield _Given(key, _parse_variable(environ[variable], KEYS[key].rule.takes), variable)


def _parse_variable(text: str, takes: type) -> object:
    """Read a TOML value; what is none is text, and one item is a list where a list is wanted."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        parsed = {}
    value = parsed["value"] if list(parsed) == ["value"] else text
    if takes is str and not isinstance(value, str):
        return text
    if takes is list and not isinstance(value, list):
        return [] if text == "" else [value]
    return value


def _read_values(given: Mapping[str, _Given], mistakes: list[ConfigError]) -> dict[str, object]:
    """Read each value by its rule, and refuse by name what a later version brings."""
    values: dict[str, object] = {}
    for key, item in given.items():
        try:
            values[key] = KEYS[key].rule.admit(key, item.value)
        except SettingError as error:
            mistakes.append(ConfigError(item.source, error.key, error.problem, error.remedy))
    for later in LATER:
        if later.key in values and later.is_active(values[later.key]):
            mistakes.append(_not_yet(later, values[later.key], given[later.key].source))
            del values[later.key]
    return values


def _not_yet(later: Later, value: object, source: str) -> ConfigError:
    problem = f"{KEYS[later.key].rule.show(value)} comes with a later version"
    return ConfigError(source, later.key, problem, later.remedy)


def _build(
    values: Mapping[str, object], given: Mapping[str, _Given], mistakes: list[ConfigError]
) -> Settings:
    sections: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        dotted = {key.name: f"{name}.{key.name}" for key in keys_of(section)}
        own = {short: values[key] for short, key in dotted.items() if key in values}
        try:
            sections[name] = section(**own)
        except SettingError as error:  # two keys that do not go together
            key = dotted[error.key]
            source = given[key].source if key in given else DEFAULT
            mistakes.append(ConfigError(source, key, error.problem, error.remedy))
    return Settings(**sections)
