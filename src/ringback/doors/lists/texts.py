"""Lists of an address a line. Not here: files (source.py), what is asked (engine/)."""

from collections.abc import Iterator

from .rows import Row, address_in, without_end
from .source import Source

COMMENT = "#"


def text_rows(source: Source) -> Iterator[Row]:
    """Blank lines, and those that begin with #, have no address. Raises UsageError."""
    for number, line in source.lines():
        body, end = without_end(line)
        skipped = not body.strip() or body.lstrip().startswith(COMMENT)
        address, problem = ("", "") if skipped else address_in(body)
        yield Row(number, body, end, address, problem)
