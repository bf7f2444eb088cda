"""How commands print: JSON, tables, colours. Only results go to standard output.

click drops colours where the output is no terminal or NO_COLOR is set. Not here: what is printed.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

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


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head on a terminal, and in plain aligned columns elsewhere."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _echo_rich_table(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for row in (columns, *cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


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
        remedy = f"; {event.remedy}" if event.remedy else ""
        click.echo(printable(f"ringback: {event.where}: {event.what}{remedy}"), err=True)
