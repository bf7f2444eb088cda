"""Groups that import a command when it is wanted."""

import gc
import sys
from pathlib import Path
from subprocess import run

import click
import pytest
from click.testing import CliRunner

from ringback.doors.cli.lazy import LazyGroup, OnDemand

MODULE = """
import click

@click.command()
def {name}():
    "Do {name}."
    click.echo("{name} ran")
"""

# What one question does without, and what a service does that has no HTTP door.
RARE = {"ctypes", "dns.asyncquery", "jinja2", "litestar", "publicsuffixlist", "rich", "uvicorn"}
OF_SERVICES = {"prometheus_client", "uvloop", "ringback.engine.doctor", "ringback.rules.spf"}


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group of two commands, neither imported, in a package of their own."""
    package = tmp_path / "lazy_commands"
    package.mkdir()
    for name in ("bake", "serve"):
        (package / f"{name}.py").write_text(MODULE.format(name=name))
        monkeypatch.delitem(sys.modules, f"lazy_commands.{name}", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    lazy = {"bake": "Make it hot.", "serve": "Bring it."}
    return LazyGroup("oven", package="lazy_commands", lazy=lazy)


def imported() -> set[str]:
    return {name for name in sys.modules if name.startswith("lazy_commands.")}


def test_help_lists_commands_and_imports_none(group: LazyGroup) -> None:
    ended = CliRunner().invoke(group, ["--help"])

    assert "Commands:\n  bake   Make it hot.\n  serve  Bring it.\n" in ended.output
    assert set() == imported()


def test_the_command_that_runs_is_imported(group: LazyGroup) -> None:
    ended = CliRunner().invoke(group, ["bake"])

    assert (0, "bake ran\n") == (ended.exit_code, ended.output)
    assert {"lazy_commands.bake"} == imported()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bka"], 'no such command "bka"; the nearest is "bake"'),
        (["--bake"], "No such option '--bake'"),
    ],
)
def test_what_is_no_command_is_a_mistake(group: LazyGroup, arguments: list[str], said: str) -> None:
    ended = CliRunner().invoke(group, arguments)

    assert 2 == ended.exit_code
    assert said in ended.output


def test_completion_imports_no_command(group: LazyGroup) -> None:
    context = click.Context(group)

    commands = group.shell_complete(context, "b")
    options = group.shell_complete(context, "--h")

    assert [("bake", "Make it hot.")] == [(item.value, item.help) for item in commands]
    assert ["--help"] == [item.value for item in options]
    assert set() == imported()


def test_names_outside_the_table_are_unknown_to_completion(group: LazyGroup) -> None:
    context = click.Context(group)

    assert ["bake", "serve"] == group.list_commands(context)
    assert group.get_command(context, "roast") is None


def test_a_module_that_is_loaded_late_is_not_looked_through_for_garbage(group: LazyGroup) -> None:
    before = gc.get_freeze_count()

    late = OnDemand("lazy_commands.bake", None)
    assert set() == imported()
    assert "Do bake." == late.bake.help
    assert gc.isenabled()
    assert before < gc.get_freeze_count()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "rare"),
    [
        ("ringback.doors.cli.checking", RARE | OF_SERVICES),
        ("ringback.doors.service", RARE),
    ],
)
def test_what_is_needed_rarely_is_not_loaded_with_the_rest(module: str, rare: set[str]) -> None:
    script = f"import sys, {module}; print(*sys.modules)"

    loaded = run([sys.executable, "-c", script], capture_output=True, check=True, text=True)

    assert set() == rare & set(loaded.stdout.split())
