"""How a host of the lab behaves, as data: read from TOML, resolved, validated.

A persona is a table from step (greeting, ehlo, mail, rcpt, …) to rules; the first rule whose conditions hold
speaks. What a persona does not say, the one it is `like` says, in the end `normal`.
Not here: the conversation (dialogue.py), the shipped personas themselves (personas.toml).
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from ..errors import ConfigError

ROOT = "normal"  # every persona without a `like` of its own resembles this one


class Step(StrEnum):
    """What a rule answers."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    LHLO = "lhlo"  # RFC 2033
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    VRFY = "vrfy"
    DATA = "data"
    MESSAGE = "message"  # the end of the message after DATA
    RSET = "rset"
    NOOP = "noop"
    QUIT = "quit"
    UNKNOWN = "unknown"  # a command that nobody knows
    BAD_SEQUENCE = "bad_sequence"  # a command before its time
    BAD_SYNTAX = "bad_syntax"  # an argument that cannot be read, a parameter not offered


class Then(StrEnum):
    """What the host does after its reply."""

    GO_ON = "go_on"
    CLOSE = "close"
    RESET = "reset"  # TCP RST
    SILENCE = "silence"  # reads, and never says anything again
    TLS = "tls"  # the handshake; without a certificate it fails as GARBAGE does
    GARBAGE = "garbage"  # answers the handshake with bytes that are no TLS
    OLD_TLS = "old_tls"  # refuses the handshake: protocol_version


class Manner(StrEnum):
    """How the bytes of a reply leave."""

    WHOLE = "whole"
    PIECES = "pieces"  # each byte a write of its own, `every_s` apart
    LINES = "lines"  # each line a write of its own, `every_s` apart
    ENDLESS = "endless"  # again and again for ever, `every_s` apart


class Scope(StrEnum):
    """What `after` and `refused` count in."""

    TRANSACTION = "transaction"  # since MAIL
    SESSION = "session"
    HOST = "host"  # all sessions of this client


class Rule(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    rename={"sender": "from", "recipient": "to", "scope": "of"},
):
    """One row: conditions, all of which must hold, and what is then said and done.

    `sender`: "null", "real" or a pattern. `recipient`: "known", "unknown", "foreign" or a pattern.
    Patterns are those of a shell, and mind case. `after`: so many commands of this step came before.
    `refused`: so many recipients were refused before. `greylist_s`: holds until this client, sender
    and recipient were first seen so long ago. `say` is a code and text; each of its lines gets the
    code. `raw` goes out as it is, one byte a character.
    """

    sender: str = ""
    recipient: str = ""
    tls: bool | None = None
    pipelined: bool | None = None  # came before the answer to the command before it
    after: int = 0
    refused: int = 0
    scope: Scope = Scope.SESSION
    greylist_s: float = 0.0
    say: str = ""
    raw: str = ""
    pad_chars: int = 0  # the last line is drawn out to this many characters
    repeat_lines: int = 1  # the first line is said so many times
    manner: Manner = Manner.WHOLE
    every_s: float = 0.0
    delay_s: float = 0.0
    then: Then = Then.GO_ON

    @property
    def unconditional(self) -> bool:
        asked = (self.sender, self.recipient, self.after, self.refused, self.greylist_s)
        return not any(asked) and self.tls is None and self.pipelined is None


@dataclass(frozen=True, slots=True)
class Persona:
    """A behaviour. `rules` has every step, and each ends with a rule without conditions.

    `strict`: commands out of order are refused, as RFC 5321 section 4.1.4 has it.
    """

    name: str
    about: str
    offers: tuple[str, ...]  # EHLO keywords, with their arguments
    strict: bool
    rules: Mapping[Step, tuple[Rule, ...]]


Personas = Mapping[str, Persona]


_Said = str | Rule | list[str | Rule]


class _Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a persona may have beside its steps."""

    about: str = ""
    like: str = ROOT
    offers: tuple[str, ...] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """A persona as it stands in the file."""

    says: Mapping[Step, _Said]
    rest: _Rest


_KEYS = (*Step, *_Rest.__struct_fields__)
_SAYING = re.compile(r"[0-9]{3}(?: .*)?", re.DOTALL)


def load_personas(path: Path | None = None) -> dict[str, Persona]:
    """Return the shipped personas, and those of the file at `path`. Raises ConfigError."""
    if path is None:
        return dict(_shipped())
    return parse_personas(read_named(path), str(path), known=_shipped())


def read_named(path: Path) -> str:
    """Read a file that the user names. Raises ConfigError."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problem = f"cannot be read ({why})"
        raise ConfigError(str(path), "", problem, "name a TOML file") from error


@cache
def _shipped() -> Personas:
    text = resources.files(__package__).joinpath("personas.toml").read_text("utf-8")
    return parse_personas(text, "personas.toml")


def parse_personas(text: str, source: str, known: Personas | None = None) -> dict[str, Persona]:
    """Return `known` and the personas in `text`, which may be like those. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, "", f"not TOML: {error}", "mend that line") from error
    raw = {name: _table(name, table, source) for name, table in tables.items()}
    done = dict(known or {})
    for name in raw:
        done[name] = _resolve(name, raw, done, source, ())
    return done


def _table(name: str, table: Any, source: str) -> _Table:
    if not isinstance(table, dict):
        raise ConfigError(source, name, "is not a table", f'begin a persona with "[{name}]"')
    for key in table:
        if key not in _KEYS:
            raise ConfigError(source, f"{name}.{key}", "unknown key", _nearest(key))
    says = {
        Step(key): _read(value, _Said, source, f"{name}.{key}")
        for key, value in table.items()
        if key in set(Step)
    }
    rest = {key: value for key, value in table.items() if key not in says}
    return _Table(says, _read(rest, _Rest, source, name))


def _read(value: Any, kind: Any, source: str, key: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(source, key, str(error), _RULE_KEYS) from error


_RULE_KEYS = "a rule may have: " + ", ".join(
    msgspec.json.schema(Rule)["$defs"]["Rule"]["properties"]
)


def _nearest(key: str) -> str:
    near = difflib.get_close_matches(key, _KEYS, n=1)
    return f'did you mean "{near[0]}"?' if near else "known are: " + ", ".join(_KEYS)


def _resolve(
    name: str,
    raw: Mapping[str, _Table],
    done: Personas,
    source: str,
    above: tuple[str, ...],
) -> Persona:
    table = raw[name]
    rules = {step: _rules(said, source, f"{name}.{step}") for step, said in table.says.items()}
    if name == ROOT:
        return _root(table.rest, rules, source)
    like = table.rest.like
    if like in (name, *above):
        raise ConfigError(source, f"{name}.like", "goes round in a circle", "name another persona")
    if like not in raw and like not in done:
        problem = f'there is no persona "{like}"'
        raise ConfigError(source, f"{name}.like", problem, "name one of this file or a shipped one")
    base = _resolve(like, raw, done, source, (*above, name)) if like in raw else done[like]
    return Persona(
        name,
        table.rest.about or base.about,
        base.offers if table.rest.offers is None else table.rest.offers,
        base.strict if table.rest.strict is None else table.rest.strict,
        {step: (*rules.get(step, ()), *base.rules[step]) for step in Step},
    )


def _root(rest: _Rest, rules: dict[Step, tuple[Rule, ...]], source: str) -> Persona:
    for step in Step:
        if not (rules.get(step) and rules[step][-1].unconditional):
            problem = "the persona that all resemble must answer every step"
            raise ConfigError(
                source, f"{ROOT}.{step}", problem, "end it with a rule without conditions"
            )
    return Persona(ROOT, rest.about, rest.offers or (), rest.strict is not False, rules)


def _rules(said: _Said, source: str, key: str) -> tuple[Rule, ...]:
    listed = said if isinstance(said, list) else [said]
    rules = tuple(Rule(say=rule) if isinstance(rule, str) else rule for rule in listed)
    for rule in rules:
        _judge_rule(rule, source, key)
    return tuple(_drawn_out(rule) for rule in rules)


def _judge_rule(rule: Rule, source: str, key: str) -> None:
    if rule.say and rule.raw:
        raise ConfigError(source, key, "has both say and raw", "keep one")
    if rule.say and not _SAYING.fullmatch(rule.say):
        problem = f"{rule.say[:40]!r} does not begin with a reply code"
        raise ConfigError(source, key, problem, 'write "250 text", or use raw')
    if any(ord(char) > 0xFF for char in rule.raw):
        raise ConfigError(source, key, "raw has a character above U+00FF", "write its bytes")
    if not rule.say and not rule.raw and rule.then is Then.GO_ON:
        raise ConfigError(
            source, key, "says nothing and goes on", 'add say, raw or then = "silence"'
        )


def _drawn_out(rule: Rule) -> Rule:
    if not rule.pad_chars and rule.repeat_lines == 1:
        return rule
    first, *rest = rule.say.split("\n")
    lines = [first, *[first[4:]] * (rule.repeat_lines - 1), *rest]
    lines[-1] = lines[-1].ljust(rule.pad_chars, "x")
    return msgspec.structs.replace(rule, say="\n".join(lines), pad_chars=0, repeat_lines=1)
