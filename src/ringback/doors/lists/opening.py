"""A list and what it is written to, opened together: what is wrong with files is found out before all else.

Not here: reading (listing.py) and writing them (delivery.py).
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

from ...errors import UsageError
from ...values.job import Digest, Task
from ...values.record import Record
from .listing import Form, Listing
from .output import STDOUT, Output
from .page import require_page
from .source import STDIN, open_source

# Rows that are read without letting others have their turn.
ROWS_AT_ONCE = 1_000

_SPREADSHEET = "spreadsheets open CSV, and this writes no other form for them"
_COMPRESSED = 'nothing is compressed here, though "-o - | gzip" is'
_PAGE = "rows are no page; --report writes one about them"
_OTHER_FORMS = {
    ".parquet": "Parquet comes with a later version",
    **dict.fromkeys((".xlsx", ".xls", ".ods"), _SPREADSHEET),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst", ".zip"), _COMPRESSED),
    **dict.fromkeys((".html", ".htm", ".pdf"), _PAGE),
}


class Wish(Record, frozen=True):
    """What the user asked for. None: as the file itself says."""

    file: str
    out: str = STDOUT
    page: Path | None = None
    column: str | None = None
    delimiter: str | None = None
    form: Form | None = None
    to: Form | None = None
    force: bool = False
    again: bool = False


class Opened(Record, frozen=True, gc=True):
    """A list that is open, and where its rows go."""

    wish: Wish
    listing: Listing
    output: Output


@contextmanager
def opened(wish: Wish) -> Iterator[Opened]:
    """Open all that a run reads and writes. Raises UsageError, OSError."""
    _refuse_other_forms(wish)
    _refuse_same_file(wish)
    if wish.page:
        require_page(wish.page, overwrite=wish.force)
    with opened_list(wish) as listing, Output(wish.out) as output:
        _refuse_other_delimiter(wish, listing)
        if wish.again and not (wish.force or output.is_empty):
            raise UsageError(f"{wish.out}: it exists; what is asked again needs --force as well")
        yield Opened(wish, listing, output)


@contextmanager
def opened_list(wish: Wish) -> Iterator[Listing]:
    """Open the list alone. Raises UsageError, OSError."""
    beside = Path() if wish.out == STDOUT else Path(wish.out).parent
    if not beside.is_dir():
        raise UsageError(f"{wish.out}: there is no folder {beside}; make it first")
    with open_source(wish.file, beside) as source:
        yield Listing(source, wish.form, wish.delimiter, wish.column)


async def digest_of(listing: Listing) -> str:
    """What a list is known by. Raises UsageError where it has rows, and no address in any of them."""
    digest, has_address, wrong = Digest(), False, None
    for count, row in enumerate(listing.rows(), start=1):
        task = Task.parse(row.address) if row.address else None
        if task:
            digest.add(task)
        if task and task.domain:
            has_address = True
        elif wrong is None and (task or row.problem):
            wrong = row
        if count % ROWS_AT_ONCE == 0:  # a signal is heeded within a few milliseconds
            await asyncio.sleep(0)
    if wrong and not has_address:
        why = wrong.problem or "this can be no address"
        problem, remedy = f"{why}, nor has any other row one", "see --column and --format"
        raise listing.source.mistake(wrong.number, problem, remedy)
    return digest.hex()


def _refuse_other_forms(wish: Wish) -> None:
    suffix = Path(wish.out).suffix.lower()
    if suffix in _OTHER_FORMS and not wish.to:
        raise UsageError(f"{wish.out}: {_OTHER_FORMS[suffix]}; write .csv or .jsonl")


def _refuse_other_delimiter(wish: Wish, listing: Listing) -> None:
    """A table keeps its own delimiter, as it keeps all else."""
    is_tsv = Path(wish.out).suffix.lower() == ".tsv" and wish.to in (None, Form.CSV)
    if is_tsv and listing.table and listing.table.delimiter != "\t":
        raise UsageError(
            f"{wish.out}: the list has {listing.table.delimiter} between cells, and keeps it; write .csv"
        )


def _refuse_same_file(wish: Wish) -> None:
    named = [Path(name) for name in (wish.file, wish.out) if name not in {STDIN, STDOUT}]
    named += [wish.page] if wish.page else []
    for one, other in combinations(named, 2):
        linked = one.exists() and other.exists() and one.samefile(other)
        if linked or os.path.realpath(one) == os.path.realpath(other):
            raise UsageError(f"{other}: FILE, OUT and PAGE are three files; name another one")
