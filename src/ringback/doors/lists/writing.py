"""Rows of a list with their reports, as text, CSV or JSON Lines. Not here: the file they go to (output.py).

What came with a row is written as it stood, octet for octet, where the form is the list's own: our cells are
kept from being formulas in a spreadsheet, and the user's are the user's.
"""

import csv
import io
import json
from collections.abc import Container, Iterator, Sequence
from itertools import count
from typing import Protocol

from ...rules.flags import FlagLists
from ...values.query import Report
from ..account import said_in_short
from ..cells import cell
from ..reports import encode_report, flags_of_address
from .listing import Form, Listing
from .rows import Row
from .tables import Table

_ADDRESS, _INPUT = "address", "input"
# Of the exchange that decided, and of the report; flags are last.
_OF_REPORT = ("verdict", "reason", "blame", "final", "checked_at")
_OF_REPLY = ("host", "code", "enhanced", "text")
_OF_RULE = ("rule", "gate", "retry_at")
_OF_FLAGS = ("role", "disposable", "free", "tagged", "suggestion")
COLUMNS = (*_OF_REPORT, *_OF_REPLY, *_OF_RULE, *_OF_FLAGS)
_RULE_AT = COLUMNS.index("rule")


class Writer(Protocol):
    """Makes the octets of one form of output."""

    def head(self) -> bytes:
        """What stands before the first row."""
        ...

    def row(self, row: Row, report: Report | None) -> bytes:
        """A row of the list; one without an address has no report."""
        ...


def writer_of(listing: Listing, form: Form, flags: FlagLists, delimiter: str = ",") -> Writer:
    """The writer of `form` for a list. `delimiter`: of a CSV made of what is none."""
    if form is Form.JSONL:
        return ObjectWriter(listing, flags)
    if form is Form.CSV:
        if listing.table:
            return TableWriter(listing.table, _mark_of(listing, form), flags)
        return NewTableWriter(listing, flags, delimiter)
    return TextWriter(listing)


class TextWriter:
    """A line an address, as `ringback check` prints it, with tabs; comments stay where they are."""

    def __init__(self, listing: Listing) -> None:
        self._keeps = listing.form is Form.TEXT
        self._mark = _mark_of(listing, Form.TEXT)

    def head(self) -> bytes:
        return self._mark

    def row(self, row: Row, report: Report | None) -> bytes:
        said: tuple[str, ...]
        if report:
            said = (cell(row.address), report.verdict, report.reason, cell(said_in_short(report)))
        elif row.problem:
            said = (cell(row.body), "", "", cell(row.problem))
        else:
            return _octets(f"{row.body}{row.end or _LF}") if self._keeps else b""
        return _octets("\t".join(said) + ((self._keeps and row.end) or _LF))


class TableWriter:
    """The records of a CSV as they stand, and our columns behind them."""

    def __init__(self, table: Table, mark: bytes, flags: FlagLists) -> None:
        self._table, self._mark, self._flags = table, mark, flags

    def head(self) -> bytes:
        header = self._table.header
        named = self._behind(header, our_names(header.cells)) if header else b""
        return self._mark + _octets(self._table.preamble) + named

    def row(self, row: Row, report: Report | None) -> bytes:
        if not row.cells:
            return _octets(f"{row.body}{row.end or _LF}")
        return self._behind(row, cells_of(row, report, self._flags))

    def _behind(self, row: Row, cells: Sequence[str]) -> bytes:
        delimiter = self._table.delimiter
        missing = delimiter * (self._table.width - len(row.cells))
        ours = encode_record(cells, delimiter)
        return _octets(f"{row.body}{missing}{delimiter}{ours}{row.end or _LF}")


class NewTableWriter:
    """A CSV of what is none: the address, our columns, and the object that it came from."""

    def __init__(self, listing: Listing, flags: FlagLists, delimiter: str) -> None:
        self._flags, self._delimiter = flags, delimiter
        self._has_input = listing.form is Form.JSONL

    def head(self) -> bytes:
        return self._record((_ADDRESS, *COLUMNS), _INPUT)

    def row(self, row: Row, report: Report | None) -> bytes:
        if report is None and not row.problem:  # a blank line, or a comment
            return b""
        text = row.address or ("" if self._has_input else row.body)
        return self._record((cell(text), *cells_of(row, report, self._flags)), row.body)

    def _record(self, cells: Sequence[str], body: str) -> bytes:
        cells = (*cells, cell(body)) if self._has_input else cells
        return _octets(encode_record(cells, self._delimiter) + _LF)


class ObjectWriter:
    """The report of an address a line, and in its `input` what the list had in this place."""

    def __init__(self, listing: Listing, flags: FlagLists) -> None:
        self._listing, self._flags = listing, flags
        header = listing.table.header if listing.table else None
        self._names = unique_names(header.cells) if header else ()

    def head(self) -> bytes:
        return b""

    def row(self, row: Row, report: Report | None) -> bytes:
        if report is None and not row.problem:
            return b""
        members: dict[str, object] = {"address": None, "verdict": None, "reason": None}
        members |= encode_report(report, self._flags) if report else {"rule": row.problem}
        # All of it ASCII: remote text cannot reach a terminal, and loses nothing.
        ours = json.dumps(members | {"line": row.number})
        theirs = self._input_of(row)
        return f"{ours[:-1]}{theirs}}}\n".encode()

    def _input_of(self, row: Row) -> str:
        """The last member: an object of the list is itself again."""
        if self._listing.form is Form.TEXT and not row.problem:
            return ""
        if self._listing.form is Form.JSONL and row.is_object:
            return f', "{_INPUT}": {row.body}'
        cells = [_storable(text) for text in row.cells]
        named = dict(_named(self._names, cells)) if self._names else cells
        return f', "{_INPUT}": {json.dumps(named if row.cells else _storable(row.body))}'


def cells_of(row: Row, report: Report | None, flags: FlagLists) -> list[str]:
    """Our cells of a row, one a COLUMN; empty ones and the problem where nobody was asked."""
    if report is None:
        cells = [""] * len(COLUMNS)
        cells[_RULE_AT] = cell(row.problem)
        return cells
    because, looks = report.because, flags_of_address(report.address, flags)
    encoded = encode_report(report, flags)
    values = [
        *(encoded[name] for name in _OF_REPORT),
        *(getattr(because, name) if because else None for name in _OF_REPLY),
        *(encoded[name] for name in _OF_RULE),
        *(getattr(looks, name) for name in _OF_FLAGS),
    ]
    return [_said(value) for value in values]


def our_names(theirs: Sequence[str]) -> tuple[str, ...]:
    """The names of our columns, such that none is in use."""
    taken, prefix = {name.strip().casefold() for name in theirs}, ""
    while any(f"{prefix}{name}" in taken for name in COLUMNS):
        prefix = f"ringback_{prefix}"
    return tuple(f"{prefix}{name}" for name in COLUMNS)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names for the members of an object: a second one of a name is numbered, and so is one without."""
    plain = [_storable(name) or f"column {at}" for at, name in enumerate(names, start=1)]
    found: dict[str, None] = {}
    for at, name in enumerate(plain, start=1):
        found[name if name not in found else _free_name(name, at, {*plain, *found})] = None
    return tuple(found)


def _free_name(name: str, at: int, taken: Container[str]) -> str:
    return next(it for it in (f"{name} ({n})" for n in count(at)) if it not in taken)


def encode_record(cells: Sequence[str], delimiter: str) -> str:
    """A record of CSV, without its line end."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow(cells)
    return buffer.getvalue()


_LF = "\n"


def _named(names: Sequence[str], cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The members of a row, which may have more cells than the first."""
    if more := [f"column {at}" for at in range(len(names) + 1, len(cells) + 1)]:
        names = unique_names([*names, *more])
    yield from zip(names, cells, strict=False)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else cell(str(value))


def _mark_of(listing: Listing, form: Form) -> bytes:
    """The byte order mark, if the list begins with one and this is its form."""
    return "\ufeff".encode() if listing.source.has_mark and listing.form is form else b""


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _storable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
