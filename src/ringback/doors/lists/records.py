"""Records of CSV: their delimiter, and the reader. Not here: files (source.py), columns (tables.py).

Records are kept as they stand, quotes and all, so that their output can have them octet for octet. What one
reader takes for one record and another for two is refused: an address in it would be somebody else's.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from .rows import ADDRESS_NAMES, Row, is_address, plain_name, without_end
from .source import Source

DELIMITERS = ",;\t|"
# Of one record; what has more is no list of people.
MAX_CELLS = 1_000
MAX_RECORD_CHARS = 1_048_576
_SNIFFED = 20  # records that are looked at for the delimiter
# Says the delimiter to Excel, in a line of its own before all others.
_EXCEL = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*(?:[\r\n]|$)', re.IGNORECASE)
_UNCLOSED = "is a quote opened there and not closed?"


def records(source: Source, delimiter: str) -> Iterator[Row]:
    """Every record, the header too, without a look for an address. Raises UsageError."""
    begun: list[tuple[int, str]] = []
    rows = csv.reader(
        _lines_of(source, begun),
        delimiter=delimiter,
        skipinitialspace=delimiter != " ",
        strict=True,
    )
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise source.mistake(begun[0][0], *_meant(error)) from None
        if cells is None:
            return
        number = begun[0][0]
        if len(cells) > MAX_CELLS:
            raise source.mistake(number, f"more than {MAX_CELLS} cells", "see --delimiter")
        body, end = without_end("".join(line for _, line in begun))
        begun.clear()
        yield Row(number, body, end, cells=tuple(cells))


def is_blank(row: Row) -> bool:
    """Whether a record comes before a table without being part of it."""
    return not "".join(row.cells).strip() or (row.number == 1 and bool(_EXCEL.match(row.body)))


def sniff_delimiter(text: str, column: str | None = None) -> str:
    """The delimiter that finds the addresses, or `column`, in how a file begins; else that of most cells."""
    if said := _EXCEL.match(text):
        return said[1]
    return max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter, column))


def _fit(text: str, delimiter: str, column: str | None) -> tuple[bool, int, int]:
    rows = list(islice(_begun_records(text, delimiter), _SNIFFED))
    first: Sequence[str] = next((cells for cells in rows if "".join(cells).strip()), ())
    finds = column in first or any(plain_name(cell) in ADDRESS_NAMES for cell in first)
    return finds or any(map(is_address, first)), len(first), max(map(len, rows), default=0)


def _begun_records(text: str, delimiter: str) -> Iterator[Sequence[str]]:
    """The records at the beginning of a file; the last may be torn."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        yield from rows
    except csv.Error:  # a cell beyond all bounds: whoever reads the file says so
        return


def _lines_of(source: Source, begun: list[tuple[int, str]]) -> Iterator[str]:
    """The lines as the reader of records pulls them; `begun` has those of the record that it is in."""
    length = 0
    for number, line in source.lines():
        length = length + len(line) if begun else len(line)
        begun.append((number, line))
        if length > MAX_RECORD_CHARS:
            raise source.mistake(begun[0][0], "this record is longer than 1 MiB", _UNCLOSED)
        yield line
    if begun:  # the reader wants the rest of a record
        raise source.mistake(begun[0][0], "a quote is opened there and never closed", "close it")


def _meant(error: csv.Error) -> tuple[str, str]:
    """What that module found, and the remedy."""
    if "field limit" in str(error):
        return f"a cell is longer than {csv.field_size_limit():,} characters", _UNCLOSED
    return (
        "text stands behind a closing quote",
        'write "" for each quote within such a cell, or see --delimiter',
    )
