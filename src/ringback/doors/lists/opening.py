"""A list and what it is written to, opened together: what is wrong with files is found out before all else.

Not here: reading (listing.py) and writing them (delivery.py).
"""

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

_OTHER_FORMS = {
    ".parquet": "Parquet comes with a later version",
    ".xlsx": "spreadsheets open CSV, and this writes no other form for them",
    ".ods": "spreadsheets open CSV, and this writes no other form for them",
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
    if wish.page and not wish.force:
        require_page(wish.page)
    with opened_list(wish) as listing, Output(wish.out) as output:
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


def digest_of(listing: Listing) -> str:
    """What a list is known by. Raises UsageError."""
    digest = Digest()
    for address in listing.addresses():
        digest.add(Task.parse(address))
    return digest.hex()


def _refuse_other_forms(wish: Wish) -> None:
    suffix = Path(wish.out).suffix.lower()
    if suffix in _OTHER_FORMS and not wish.to:
        raise UsageError(f"{wish.out}: {_OTHER_FORMS[suffix]}; write .csv or .jsonl")


def _refuse_same_file(wish: Wish) -> None:
    named = [Path(name) for name in (wish.file, wish.out) if name not in {STDIN, STDOUT}]
    named += [wish.page] if wish.page else []
    for one, other in combinations(named, 2):
        linked = one.exists() and other.exists() and one.samefile(other)
        if linked or one.resolve() == other.resolve():
            raise UsageError(f"{other}: FILE, OUT and PAGE are three files; name another one")
