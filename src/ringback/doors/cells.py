"""Text as a cell of a table that a spreadsheet may open. Not here: which cells (calls.py, lists/)."""

from ..values.text import printable

MAX_CELL_CHARS = 32_767  # what a cell of a spreadsheet holds
# What makes a spreadsheet take text for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """The text on one line, and never a formula."""
    shown = printable(text, limit=MAX_CELL_CHARS - 1)
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown
