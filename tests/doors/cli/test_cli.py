"""The command `ringback`: its commands, and how its runs end."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import click
import pytest

from ringback.doors import cli
from ringback.doors.cli import COMMANDS, main
from ringback.errors import ConfigError, StoreError, UsageError

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

# What takes longer to import than all that help needs.
HEAVY = {
    "asyncio",
    "dns",
    "email_validator",
    "idna",
    "msgspec",
    "rich",
    "sqlite3",
    "ssl",
}


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Make `ringback check` do something else."""

    def become(action: Callable[[], object]) -> None:
        command = click.Command("check", callback=action)
        monkeypatch.setattr(cli.ringback, "get_command", lambda _ctx, _name: command)

    return become


Pretend = Callable[[Callable[[], object]], None]


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> object:
        raise error

    return action


def test_help_names_every_command_with_a_line(run: Run) -> None:
    status, out, _ = run("--help")

    assert 0 == status
    width = max(map(len, COMMANDS))
    assert all(f"  {name:{width}}  {line}\n" in out for name, line in COMMANDS.items())


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_imports_no_command_and_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from ringback.doors.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(' '.join(sys.modules))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = set(ended.stdout.splitlines()[-1].split())

    assert set() == loaded & (HEAVY | {f"ringback.doors.cli.{name}" for name in COMMANDS})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_manual_of_its_own(name: str, run: Run) -> None:
    status, out, err = run(name, "--help")

    assert (0, "") == (status, err)
    assert out.startswith(f"Usage: ringback {name} ")


def test_without_a_command_help_is_a_mistake(run: Run) -> None:
    status, out, err = run()

    assert (2, "") == (status, out)
    assert err.startswith("Usage: ringback ")


def test_the_version_is_that_of_the_package(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"9.9 of {name}")

    assert (0, "ringback 9.9 of ringback\n", "") == run("--version")


def test_a_source_tree_has_no_version(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)

    assert (0, "ringback, run from its source without being installed\n", "") == run("--version")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("x: cannot be; write y"), "ringback: x: cannot be; write y\n"),
        (
            ConfigError("a.toml", "smtp.port", "0 is out of range", "write 25"),
            "ringback: a.toml: smtp.port: 0 is out of range; write 25\n",
        ),
        (StoreError("a.db: gone"), "ringback: a.db: gone\n"),
        (StoreError("a\n\x1b[2Jb: gone"), "ringback: a \\x1b[2Jb: gone\n"),
        (
            ExceptionGroup("tasks", [ExceptionGroup("more", [StoreError("a.db: gone")])]),
            "ringback: a.db: gone\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "ringback: output: No space left on device\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a"),
            "ringback: /a: Permission denied\n",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    error: Exception, line: str, run: Run, pretend: Pretend
) -> None:
    pretend(raising(error))

    assert (2, "", line) == run("check")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["chekc"], 'no such command "chekc"; the nearest is "check"; see ringback --help'),
        (
            ["config", "check", "--bogus"],
            "no such option '--bogus'; see ringback config check --help",
        ),
        (["cache", "show"], "missing argument 'PATTERN'; see ringback cache show --help"),
    ],
)
def test_a_mistake_in_usage_says_where_the_manual_is(
    arguments: list[str], line: str, run: Run
) -> None:
    assert (2, "", f"ringback: {line}\n") == run(*arguments)


@pytest.mark.parametrize(
    "error", [RuntimeError("bug"), ExceptionGroup("bugs", [RuntimeError("bug")])]
)
def test_a_bug_is_not_disguised_and_no_answer(error: Exception, run: Run, pretend: Pretend) -> None:
    pretend(raising(error))

    status, out, err = run("check")

    assert (70, "") == (status, out)
    assert "Traceback" in err
    assert "RuntimeError: bug" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "ending", "status"),
    [
        (["check"], "raise UsageError('x')", 2),
        (["check"], "raise RuntimeError('bug')", 70),
        (["check"], "return 3", 3),
        ([], "return 3", 2),
    ],
)
@pytest.mark.parametrize("stderr", ["/dev/full", "&-"])
def test_a_mistake_that_cannot_be_told_is_one_all_the_same(
    arguments: list[str], ending: str, status: int, stderr: str
) -> None:
    script = (
        "import click\n"
        "from ringback.doors import cli\n"
        "from ringback.errors import UsageError\n"
        f"def end(): {ending}\n"
        "cli.ringback.get_command = lambda *_: click.Command('check', callback=end)\n"
        f"cli.main({arguments})\n"
    )
    ended = subprocess.run(
        f'"{sys.executable}" - 2>{stderr}',
        input=script,
        shell=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        text=True,
    )

    assert status == ended.returncode


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (click.exceptions.Exit(3), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141),
        (ExceptionGroup("tasks", [BrokenPipeError(errno.EPIPE, "Broken pipe")]), 141),
    ],
)
def test_other_ends_have_a_status_and_no_words(
    error: BaseException, status: int, run: Run, pretend: Pretend
) -> None:
    pretend(raising(error))

    ended_with, out, err = run("check")

    assert (status, "", "") == (ended_with, out, err.strip())


def test_a_reader_that_went_away_is_noticed_at_the_end_too(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    pretend(lambda: sys.stdout.write("result\n"))
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            main(["check"])

    assert 141 == ended.value.code


def test_output_that_is_no_file_of_the_system_will_do(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(lambda: click.echo("result"))
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    with pytest.raises(SystemExit) as ended:
        main(["check"])

    assert (0, "result\n") == (ended.value.code, stdout.getvalue())


def test_output_that_cannot_be_written_is_a_mistake(
    pretend: Pretend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretend(lambda: sys.stdout.write("result\n"))
    with Path("/dev/full").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(SystemExit) as ended:
            main(["check"])

    assert 2 == ended.value.code
    assert "ringback: output: No space left on device\n" == capsys.readouterr().err


@pytest.mark.parametrize(("said", "status"), [("result", 2), ("", 0)])
def test_output_that_is_closed_is_a_mistake_of_who_writes_there(
    said: str,
    status: int,
    pretend: Pretend,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pretend(lambda: click.echo(said, nl=False))
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    sys.stdout.close()

    assert status == ended.value.code
    assert ["ringback: output: Bad file descriptor"] * bool(said) == (
        capsys.readouterr().err.splitlines()
    )


def test_a_log_that_is_closed_is_lost(pretend: Pretend, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(lambda: click.echo("trouble", err=True))
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    sys.stderr.close()

    assert 0 == ended.value.code


@pytest.mark.parametrize(
    ("variable", "coloured"), [("NO_COLOR", False), ("TERM", False), ("OTHER", None)]
)
def test_no_color_is_honoured(
    variable: str, coloured: bool | None, pretend: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool | None] = []
    pretend(lambda: seen.append(click.get_current_context().color))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, "dumb")

    with pytest.raises(SystemExit):
        main(["check"])

    assert [coloured] == seen
