"""Text as a cell of a table that a spreadsheet may open."""

import pytest

from ringback.doors.cells import MAX_CELL_CHARS, cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such user", "No such user"),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1", "'-1"),
        ("+1", "'+1"),
        ("\t=1+1", "\\t=1+1"),
        ("a\nb\x1b[2J", "a b\\x1b[2J"),
        ("\udcff", "\\udcff"),
    ],
)
def test_a_cell_is_one_line_and_no_formula(text: str, shown: str) -> None:
    assert shown == cell(text)


def test_a_cell_fits_a_spreadsheet() -> None:
    assert MAX_CELL_CHARS == len(cell("=" + "x" * 100_000))
