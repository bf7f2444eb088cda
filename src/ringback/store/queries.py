"""The SQL that ships with us: named statements and numbered migrations. Not here: running any."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent
_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def _named(script: str) -> dict[str, str]:
    _, *parts = _HEADING.split(script)
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


def statements(script: str) -> Iterator[str]:
    """The statements of `script`, one by one, so that they can share a transaction.

    sqlite3's own executescript would commit what is open first.
    """
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


def _numbered() -> dict[int, str]:
    found = {}
    for file in (_FOLDER / "migrations").iterdir():
        if named := _MIGRATION.fullmatch(file.name):
            found[int(named[1])] = file.read_text("utf-8")
    return dict(sorted(found.items()))


QUERIES = MappingProxyType(_named((_FOLDER / "queries.sql").read_text("utf-8")))
# By the version that each leads to, from 1; every one ends by setting `user_version` to it.
MIGRATIONS = MappingProxyType(_numbered())
