"""What the tests of lists share: a list as a file, and a report to write beside its rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ringback.doors.lists.listing import Form, Listing
from ringback.doors.lists.source import Source, open_source

Opens = Callable[..., Source]
Lists = Callable[..., Listing]


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    """Opens a file with some octets."""
    with ExitStack() as stack:

        def open_one(octets: bytes, name: str = "list.txt") -> Source:
            path = tmp_path / name
            path.write_bytes(octets)
            return stack.enter_context(open_source(str(path), tmp_path))

        yield open_one


@pytest.fixture
def lists(opens: Opens) -> Lists:
    """Reads a file with some octets as a list."""

    def list_one(
        octets: bytes,
        name: str = "list.txt",
        form: Form | None = None,
        delimiter: str | None = None,
        column: str | None = None,
    ) -> Listing:
        return Listing(opens(octets, name), form, delimiter, column)

    return list_one
