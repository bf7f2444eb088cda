"""How commands print."""

import io
import sys

import click
import pytest

from ringback.doors.cli.output import (
    coloured_verdict,
    complain_of,
    echo_json,
    echo_table,
)
from ringback.values.events import Lifecycle, Trouble
from ringback.values.verdict import Verdict

ROWS = [("ann@shop.example", 1), ("\x1b[2J[red]bob", 22)]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def echo_on_terminal(monkeypatch: pytest.MonkeyPatch, color: bool | None, width: int = 80) -> str:
    """Print a table to a terminal of so many columns, and return what it shows."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with click.Context(click.Command("cache")) as context:
        context.color = color
        echo_table(("address", "count"), ROWS)
    return terminal.getvalue()


def test_each_verdict_has_a_colour() -> None:
    shown = {coloured_verdict(verdict) for verdict in Verdict}

    assert len(Verdict) == len(shown)
    assert set(Verdict) == {click.unstyle(text) for text in shown}


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    echo_json({"text": "ü\x9b\u202e"}, indent=None)

    assert '{"text": "\\u00fc\\u009b\\u202e"}\n' == capsys.readouterr().out


def test_tables_in_a_pipe_are_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table(("address", "count"), ROWS)

    assert [
        "address           count",
        "ann@shop.example  1",
        "\\x1b[2J[red]bob   22",
    ] == capsys.readouterr().out.splitlines()


def test_columns_are_as_wide_as_they_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table(("address", "count"), [("用户@例.example", 1), ("u\u0308@shop.example", 2)])

    assert [
        "address          count",
        "用户@例.example  1",
        "u\u0308@shop.example   2",
    ] == capsys.readouterr().out.splitlines()


def test_tables_on_a_terminal_have_a_bold_head_and_no_markup_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = echo_on_terminal(monkeypatch, None)

    assert "\x1b[1maddress" in shown
    assert "\\x1b[2J[red]bob" in shown


@pytest.mark.parametrize(("width", "folds"), [(23, True), (22, False)])
def test_tables_on_a_narrow_terminal_keep_their_rows_whole(
    width: int, folds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = echo_on_terminal(monkeypatch, False, width)

    assert folds != ("\\x1b[2J[red]bob   22\n" in shown)


def test_tables_without_colour_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in echo_on_terminal(monkeypatch, False)


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        (Trouble("store", "disk full", "make room"), "ringback: store: disk full; make room\n"),
        (Trouble("store", "disk\x1b full"), "ringback: store: disk\\x1b full\n"),
    ],
)
def test_trouble_goes_to_standard_error(
    trouble: Trouble, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    complain_of(trouble)

    assert ("", line) == tuple(capsys.readouterr())


def test_other_events_are_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    complain_of(Lifecycle("started"))

    assert ("", "") == tuple(capsys.readouterr())
