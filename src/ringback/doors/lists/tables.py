"""Lists as CSV: whether they have a header, and the column with the addresses. Not here: records.py."""

from collections.abc import Iterator, Sequence

from ...errors import UsageError
from ...values.record import Record
from ...values.text import printable
from .records import is_blank, records, sniff_delimiter
from .rows import ADDRESS_NAMES, Row, address_in, is_address, plain_name
from .source import Source

_SHOWN_NAMES = 8  # of columns in a message
_MAX_DIGITS = 4  # of the number of a column


class Table(Record, frozen=True):
    """How a file of CSV is read. `header`: its first row if that has names; `column`: of the addresses."""

    delimiter: str
    column: int
    header: Row | None
    first: int = 1  # line of its first row, header or not
    preamble: str = ""  # blank lines before it, and one that tells Excel the delimiter
    width: int = 0  # the most cells that a row has
    ragged: int = 0  # rows with more or fewer cells than the first
    first_ragged: int = 0  # line of the first of them


def read_table(source: Source, delimiter: str | None, column: str | None) -> Table:
    """Find out how `source` is to be read; all of it is looked at. Raises UsageError."""
    delimiter = delimiter or sniff_delimiter(source.head, column)
    rows, preamble = records(source, delimiter), ""
    while (first := next(rows, None)) is not None and is_blank(first):
        preamble += first.body + first.end
    if first is None:
        raise UsageError(f"{source.shown}: it is empty; its first line names the columns")
    named = _has_names(first.cells, column)
    found = _column_of(source, first.cells, column, named)
    is_sure = column is not None or not named or len(first.cells) > 1 or _is_known(first.cells[0])
    width, ragged, first_ragged = len(first.cells), 0, 0
    for row in rows:
        count = len(row.cells)
        if count and count != len(first.cells):
            if not is_sure:
                raise _no_header(source, first, row)
            ragged += 1
            first_ragged = first_ragged or row.number
            width = max(width, count)
    header = first if named else None
    return Table(delimiter, found, header, first.number, preamble, width, ragged, first_ragged)


def table_rows(source: Source, table: Table) -> Iterator[Row]:
    """The records below the header. Raises UsageError."""
    begins = table.first + (table.header is not None)
    for row in records(source, table.delimiter):
        if row.number < begins:
            continue
        if not row.cells:  # a blank line
            yield row
        elif len(row.cells) <= table.column:
            yield row.but(problem="this row ends before the column of addresses")
        else:
            address, problem = address_in(row.cells[table.column])
            problem = problem or ("" if address else "no address in this row")
            yield row.but(address=address, problem=problem)


def _has_names(cells: Sequence[str], column: str | None) -> bool:
    """Whether the first row is a header. One may have an address in it, for an example."""
    if any(map(is_address, cells)):
        return False
    return column in cells or any(map(_is_known, cells)) or not any("@" in it for it in cells)


def _is_known(name: str) -> bool:
    return plain_name(name) in ADDRESS_NAMES


def _column_of(source: Source, first: Sequence[str], column: str | None, named: bool) -> int:
    if column is not None:
        return _wanted(source, first if named else (), column, len(first))
    if len(first) == 1:
        return 0
    if not named:
        return _unnamed_column(source, first)
    plain = [plain_name(name) for name in first]
    wanted = next((name for name in ADDRESS_NAMES if name in plain), None)
    if wanted is None:
        raise UsageError(
            f"{source.shown}: no column of addresses among {_shown(first)}; name it with --column, "
            "or say --format txt if it has an address a line"
        )
    if plain.count(wanted) > 1:
        raise _ambiguous(source, wanted)
    return plain.index(wanted)


def _unnamed_column(source: Source, first: Sequence[str]) -> int:
    """The one that has an address in the first row, or what was meant for one."""
    found = [at for at, cell in enumerate(first) if is_address(cell)]
    found = found or [at for at, cell in enumerate(first) if "@" in cell]
    if len(found) > 1:
        raise UsageError(
            f"{source.shown}: more than one column may be that of the addresses; "
            "give its number with --column"
        )
    return found[0]


def _wanted(source: Source, names: Sequence[str], column: str, count: int) -> int:
    """The column that the user named, or numbered from 1."""
    if names.count(column) > 1:
        raise _ambiguous(source, column)
    if column in names:
        return names.index(column)
    if column.isdecimal() and len(column) <= _MAX_DIGITS and 0 < int(column) <= count:
        return int(column) - 1
    among = _shown(names) if names else f"{count} without names; give its number"
    raise UsageError(f'{source.shown}: there is no column "{printable(column)}" among {among}')


def _ambiguous(source: Source, name: str) -> UsageError:
    return UsageError(
        f'{source.shown}: more than one column is called "{printable(name)}"; '
        "give its number with --column"
    )


def _no_header(source: Source, first: Row, other: Row) -> UsageError:
    return source.mistake(
        first.number,
        f"{_shown(first.cells)} stands alone, and line {other.number} has {len(other.cells)} cells",
        "take off what stands before the names of the columns, or say --column 1",
    )


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(f'"{printable(name, limit=40)}"' for name in names[:_SHOWN_NAMES])
    return f"{shown} …" if len(names) > _SHOWN_NAMES else shown
