"""How far a list has come, on standard error: a bar on a terminal, else a line now and then.

Not here: how far it has come (engine/bulk.py).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from math import inf
from typing import Any, Protocol

import click

from ...engine.bulk import Progress
from ...values.job import Tally
from ...values.record import Record
from ...values.text import printable
from ..instants import in_words, utc
from . import MAX_MESSAGE_CHARS

# How often a log hears of it.
LINE_EVERY_S = 60.0
_RATE_AFTER_S = 5.0  # before, it says nothing


class Stand(Record, frozen=True):
    """How far it is, `for_s` seconds after this run began; `done_here` were done in it."""

    progress: Progress
    for_s: float = 0.0
    done_here: int = 0

    @property
    def done(self) -> int:
        return self.tally.total - self.tally.waiting

    @property
    def tally(self) -> Tally:
        return self.progress.tally


class Display(Protocol):
    """Where progress is shown."""

    def show(self, stand: Stand) -> None: ...

    def tell(self, line: str) -> None:
        """Say something else, beside it."""
        ...


@contextmanager
def shown_progress(*, beside_results: bool = False) -> Iterator[Display]:
    """What suits standard error. `beside_results`: a bar would wipe them off the terminal."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    if beside_results or not is_terminal or os.environ.get("TERM") == "dumb":
        yield _Lines()
        return
    # Imported when it is needed: it takes as long as all the rest of a short command.
    console, live = (import_module(f"rich.{name}") for name in ("console", "live"))
    colourless = click.get_current_context().color is False
    screen = console.Console(stderr=True, no_color=colourless or None, highlight=False)
    with live.Live(console=screen, auto_refresh=False, transient=True) as shown:
        yield _Bar(shown)


def in_short(stand: Stand) -> str:
    """One line of it."""
    progress = stand.progress
    parts = [f"{stand.done:,} of {stand.tally.total:,} addresses"]
    if stand.for_s >= _RATE_AFTER_S and stand.done_here:
        parts.append(_rate(stand.done_here / stand.for_s))
    if progress.left_s and stand.tally.waiting:
        parts.append(f"at least {in_words(max(1.0, progress.left_s))} left")
    if progress.next_at is not None and stand.tally.waiting:
        parts.append(f"all others wait, the next until {utc(progress.next_at)[11:16]} UTC")
    return "; ".join(parts)


def _rate(per_s: float) -> str:
    return f"{per_s:,.0f} a second" if per_s >= 2 else f"{per_s * 60:,.0f} a minute"


class _Lines:
    """Says it when it is said first, and then once in a while."""

    def __init__(self) -> None:
        self._said_at_s = -inf

    def show(self, stand: Stand) -> None:
        if stand.for_s - self._said_at_s >= LINE_EVERY_S:
            self._said_at_s = stand.for_s
            self.tell(f"ringback: {in_short(stand)}")

    def tell(self, line: str) -> None:
        with suppress(OSError):  # nobody hears it any more: no reason to end a run of days
            click.echo(_on_one_line(line), err=True)


class _Bar:
    """Has a bar and a line below all else."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self._bar, self._table, self._text = (
            import_module(f"rich.{name}") for name in ("progress_bar", "table", "text")
        )

    def show(self, stand: Stand) -> None:
        grid = self._table.Table.grid(expand=True)
        grid.add_row(self._bar.ProgressBar(total=stand.tally.total or 1, completed=stand.done))
        grid.add_row(self._text.Text(in_short(stand)))
        self._live.update(grid, refresh=True)

    def tell(self, line: str) -> None:
        # click.echo would write where the bar stands.
        self._live.console.print(self._text.Text(_on_one_line(line)))


def _on_one_line(line: str) -> str:
    """Names of files may have escapes in them."""
    return printable(line, limit=MAX_MESSAGE_CHARS)
