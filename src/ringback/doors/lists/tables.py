"""Lists as CSV: the dialect, the column with the addresses, the records. Not here: files (source.py).

Records are kept as they stand, quotes and all, so that their output can have them octet for octet.
"""

import csv
from collections.abc import Iterator, Sequence

from ...errors import UsageError
from ...values.record import Record
from ...values.text import printable
from .rows import ADDRESS_NAMES, Row, bare, plain_name, without_end
from .source import Source

DELIMITERS = ",;\t|"
# Of one record; what has more is no list of people.
MAX_CELLS = 1_000
MAX_RECORD_CHARS = 1_048_576
_SHOWN_NAMES = 8  # of columns in a message


class Table(Record, frozen=True):
    """How a file of CSV is read. `header`: its first row if that has names; `column`: of the addresses."""

    delimiter: str
    column: int
    header: Row | None
    width: int = 0  # the most cells that a row has
    ragged: int = 0  # rows with more or fewer cells than the first
    first_ragged: int = 0  # line of the first of them


def read_table(source: Source, delimiter: str | None, column: str | None) -> Table:
    """Find out how `source` is to be read; all of it is looked at. Raises UsageError."""
    delimiter = delimiter or sniff_delimiter(source.head)
    first = next(_records(source, delimiter), None)
    if first is None:
        raise UsageError(f"{source.shown}: it is empty; its first line names the columns")
    named = not any("@" in cell for cell in first.cells)
    found = _column_of(source, first, column, named)
    width, ragged, first_ragged = len(first.cells), 0, 0
    for row in _records(source, delimiter):
        count = len(row.cells)
        if count and count != len(first.cells):
            ragged += 1
            first_ragged = first_ragged or row.number
            width = max(width, count)
    return Table(delimiter, found, first if named else None, width, ragged, first_ragged)


def table_rows(source: Source, table: Table) -> Iterator[Row]:
    """The records below the header. Raises UsageError."""
    rows = _records(source, table.delimiter)
    if table.header:
        next(rows, None)
    for row in rows:
        if not row.cells:  # a blank line
            yield row
        elif len(row.cells) <= table.column:
            yield row.but(problem="this row ends before the column of addresses")
        else:
            address = bare(row.cells[table.column])
            yield row.but(address=address, problem="" if address else "no address in this row")


def sniff_delimiter(text: str) -> str:
    """The delimiter that the first line has most of, outside quotes."""
    first = next(iter(text.splitlines()), "")
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _records(source: Source, delimiter: str) -> Iterator[Row]:
    """Every record, the header too, without a look for an address. Raises UsageError."""
    begun: list[tuple[int, str]] = []
    rows = csv.reader(_lines_of(source, begun), delimiter=delimiter)
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:  # a cell beyond that module's bound
            raise source.mistake(begun[0][0], str(error), _UNCLOSED) from None
        if cells is None:
            return
        number = begun[0][0]
        if len(cells) > MAX_CELLS:
            raise source.mistake(number, f"more than {MAX_CELLS} cells", "see --delimiter")
        body, end = without_end("".join(line for _, line in begun))
        begun.clear()
        yield Row(number, body, end, cells=tuple(cells))


_UNCLOSED = "is a quote opened there and not closed?"


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


def _column_of(source: Source, first: Row, column: str | None, named: bool) -> int:
    names = first.cells
    if column is not None:
        return _wanted(source, names if named else (), column, len(names))
    if len(names) == 1:
        return 0
    if not named:
        return next(at for at, cell in enumerate(names) if "@" in cell)
    plain = [plain_name(name) for name in names]
    wanted = next((name for name in ADDRESS_NAMES if name in plain), None)
    if wanted is None:
        problem = f"no column of addresses among {_shown(names)}"
        raise UsageError(f"{source.shown}: {problem}; name it with --column")
    if plain.count(wanted) > 1:
        raise _ambiguous(source, wanted)
    return plain.index(wanted)


def _wanted(source: Source, names: Sequence[str], column: str, count: int) -> int:
    """The column that the user named, or numbered from 1."""
    if names.count(column) > 1:
        raise _ambiguous(source, column)
    if column in names:
        return names.index(column)
    if column.isdecimal() and 0 < int(column) <= count:
        return int(column) - 1
    among = _shown(names) if names else f"{count} without names; give its number"
    raise UsageError(f'{source.shown}: there is no column "{printable(column)}" among {among}')


def _ambiguous(source: Source, name: str) -> UsageError:
    return UsageError(
        f'{source.shown}: more than one column is called "{printable(name)}"; '
        "give its number with --column"
    )


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{printable(name, limit=40)}"' for name in names[:_SHOWN_NAMES])
    return f"{shown} …" if len(names) > _SHOWN_NAMES else shown
