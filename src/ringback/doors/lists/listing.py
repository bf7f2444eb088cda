"""A list as it is read: which form its file has, and its rows. Not here: each form (texts.py and on)."""

import io
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from ...errors import UsageError
from .objects import object_rows
from .records import sniff_delimiter
from .rows import Row
from .source import Source
from .tables import Table, read_table, table_rows
from .texts import COMMENT, text_rows


class Form(StrEnum):
    """What a file is made of."""

    TEXT = "txt"
    CSV = "csv"
    JSONL = "jsonl"


_SUFFIXES = {
    ".txt": Form.TEXT,
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
    ".jsonl": Form.JSONL,
    ".ndjson": Form.JSONL,
    ".json": Form.JSONL,
}
_ARRAY = re.compile(r"\s*\[\s*[\[{\"\]]")


class Listing:
    """A list that is open. Its rows can be read as often as wanted, one reader at a time."""

    def __init__(
        self, source: Source, form: Form | None, delimiter: str | None, column: str | None
    ):
        """`form`: None to tell by name and content. Raises UsageError, as the reading of rows does."""
        self.source = source
        self.form = form or _form_of(source)
        self._column = column
        self.table: Table | None = None
        self._refuse_idle(delimiter, column)
        if self.form is Form.CSV:
            self.table = read_table(source, delimiter, column)
        elif self.form is Form.JSONL and _ARRAY.match(source.head):
            raise UsageError(
                f"{source.shown}: this is one JSON array; write an object a line: jq -c '.[]'"
            )

    def _refuse_idle(self, delimiter: str | None, column: str | None) -> None:
        """Who says more than is heeded means another form than this."""
        idle = "--delimiter" if delimiter and self.form is not Form.CSV else ""
        idle = "--column" if column is not None and self.form is Form.TEXT else idle
        if idle:
            what = f"this is read as {self.form}, which has none for {idle}"
            raise UsageError(f"{self.source.shown}: {what}; say --format csv if it is a table")

    def rows(self) -> Iterator[Row]:
        """All rows but the header, in their order."""
        if self.table:
            return table_rows(self.source, self.table)
        if self.form is Form.JSONL:
            return object_rows(self.source, self._column)
        return text_rows(self.source)

    def addresses(self) -> Iterator[str]:
        """What there is to ask, in its order."""
        return (row.address for row in self.rows() if row.address)


def form_by_suffix(path: Path) -> Form | None:
    """The form that a file's name tells."""
    return _SUFFIXES.get(path.suffix.lower())


def _form_of(source: Source) -> Form:
    if form := form_by_suffix(Path(source.shown)):
        return form
    if source.head.lstrip().startswith("{") or _ARRAY.match(source.head):
        return Form.JSONL
    lines = (line.strip() for line in io.StringIO(source.head, newline=None))
    first = next((line for line in lines if line and not line.startswith(COMMENT)), "")
    return Form.CSV if sniff_delimiter(first) in first else Form.TEXT
