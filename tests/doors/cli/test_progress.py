"""How far a list has come, on a terminal and elsewhere."""

import errno
import io
import sys

import click
import pytest

from ringback.doors.cli.progress import LINE_EVERY_S, Stand, in_short, shown_progress
from ringback.engine.bulk import Progress
from ringback.values.job import Tally
from ringback.values.verdict import Reason

TALLY = Tally(1_300, {Reason.ACCEPTED: 1_000, Reason.GREYLISTED: 200})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def stand(
    for_s: float = 0.0,
    done_here: int = 0,
    left_s: float | None = None,
    next_at: float | None = None,
    tally: Tally = TALLY,
) -> Stand:
    return Stand(Progress(tally, 0, next_at, left_s), for_s, done_here)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (stand(), "1,200 of 2,500 addresses"),
        (stand(for_s=1.0, done_here=100), "1,200 of 2,500 addresses"),
        (stand(for_s=100.0, done_here=1_000), "1,200 of 2,500 addresses; 10 a second"),
        (stand(for_s=100.0, done_here=20), "1,200 of 2,500 addresses; 12 a minute"),
        (stand(left_s=7_500.0), "1,200 of 2,500 addresses; at least 2 h 5 min left"),
        (
            stand(next_at=1_800_000_000.0),
            "1,200 of 2,500 addresses; all others wait, the next until 08:00 UTC",
        ),
        (
            stand(left_s=0.0, next_at=1_800_000_000.0, tally=TALLY.but(waiting=0)),
            "1,200 of 1,200 addresses",
        ),
    ],
)
def test_a_line_says_what_is_known(given: Stand, said: str) -> None:
    assert said == in_short(given)


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as display:
        for for_s in (0.0, 1.0, LINE_EVERY_S - 1, LINE_EVERY_S, LINE_EVERY_S + 1):
            display.show(stand(for_s=for_s))
        display.tell("ringback: trouble")

    line = "ringback: 1,200 of 2,500 addresses\n"
    assert ("", f"{line}{line}ringback: trouble\n") == capsys.readouterr()


@pytest.mark.parametrize("gone", [OSError(errno.ENOSPC, "full"), BrokenPipeError()])
def test_who_does_not_listen_ends_no_run(monkeypatch: pytest.MonkeyPatch, gone: OSError) -> None:
    tried = []

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            tried.append(text)
            raise gone

    monkeypatch.setattr(sys, "stderr", Gone())
    with shown_progress() as display:
        display.show(stand())
        display.tell("ringback: trouble")

    assert "trouble" in tried[-1]


def test_a_closed_standard_error_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with shown_progress() as display:
        display.tell("ringback: trouble")

    assert "" == capsys.readouterr().out


def test_results_on_the_terminal_have_lines_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress(beside_results=True) as display:
        display.show(stand())
        display.tell("ringback: \x1b[2Jtrouble")

    assert "ringback: 1,200 of 2,500 addresses\nringback: \\x1b[2Jtrouble\n" == screen.getvalue()


@pytest.mark.parametrize("colour", [None, False])
def test_a_terminal_has_a_bar_and_what_is_told_above_it(
    monkeypatch: pytest.MonkeyPatch, colour: bool | None
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    context = click.Context(click.Command("bulk"))
    context.color = colour
    with context.scope(), shown_progress() as display:
        display.show(stand())
        display.tell("ringback: [red]trouble[/red]\x07")

    shown = screen.getvalue()
    assert "━━━" in shown
    assert "1,200 of 2,500 addresses" in shown
    assert "ringback: [red]trouble[/red]\\x07" in shown
    assert ("\x1b[9" in shown) is (colour is None)
    assert shown.endswith("\x1b[2K")  # nothing of the bar is left
