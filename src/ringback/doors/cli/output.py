"""How commands print: JSON, tables, colours. Only results go to standard output.

click drops colours where the output is no terminal or NO_COLOR is set. Not here: what is printed.
"""

import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

import click

from ...values.events import Event, Trouble
from ...values.text import printable
from ...values.verdict import Verdict
from .lazy import OnDemand

if TYPE_CHECKING:
    import json
else:
    json = OnDemand("json", None)

VERDICT_COLOURS = {
    Verdict.DELIVERABLE: "green",
    Verdict.UNDELIVERABLE: "red",
    Verdict.UNKNOWN: "yellow",
}


def coloured_verdict(verdict: Verdict) -> str:
    return click.style(verdict, fg=VERDICT_COLOURS[verdict], bold=True)


def echo_json(value: object, *, indent: int | None = 2) -> None:
    """Print `value`, all of it ASCII: remote text cannot reach a terminal, and loses nothing."""
    click.echo(json.dumps(value, indent=indent, ensure_ascii=True))


# What is left of the first column, where it gives way: the terminal folds longer lines better than that.
_LEAST_COLUMNS = 16


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head on a terminal that is wide enough, and in plain aligned columns elsewhere."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(_columns, column)) for column in zip(columns, *cells, strict=True)]
    if sys.stdout.isatty() and _has_room(*widths):
        _echo_rich_table(columns, cells)
        return
    for row in (columns, *cells):
        padded = (
            cell + " " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


def _columns(text: str) -> int:
    """How many columns a terminal has for it: two for a wide character, none for an accent."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(char) in "FW" else not combining(char) for char in text)


def _has_room(first: int, *others: int) -> bool:
    left = shutil.get_terminal_size().columns - sum(others) - 2 * len(others)
    return left >= min(first, _LEAST_COLUMNS)


def _echo_rich_table(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    # Imported when it is needed: it takes as long as all the rest of a short command.
    console, table, text = (import_module(f"rich.{name}") for name in ("console", "table", "text"))
    shown = table.Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:  # the first is the longest, and gives way on a narrow terminal
        shown.add_column(column, overflow="fold", no_wrap=column is not columns[0])
    for row in cells:
        shown.add_row(*(text.Text(cell) for cell in row))  # Text: no markup of rich's in it
    colours = None if click.get_current_context().color is False else "auto"
    console.Console(highlight=False, color_system=colours).print(shown)


def complain_of(event: Event) -> None:
    """The sink of commands that log nothing: trouble of ours goes to standard error."""
    if isinstance(event, Trouble):
        click.echo(complaint_of(event), err=True)


def complaint_of(trouble: Trouble) -> str:
    """One line of it."""
    remedy = f"; {trouble.remedy}" if trouble.remedy else ""
    return printable(f"ringback: {trouble.where}: {trouble.what}{remedy}")
