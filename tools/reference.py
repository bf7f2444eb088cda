"""Write docs/reference/settings.md and docs/reference/cli.md from the code, or compare them with it.

Usage: python tools/reference.py [--check]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import NODEFAULT

from ringback.doors.cli import ringback
from ringback.doors.configuration import LATER, SECTIONS, STANDARD_PATH
from ringback.doors.toml import encode
from ringback.values.section import Key, Section, keys_of
from ringback.values.settings import RecipientRoute

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
# Help is wrapped to this many columns, whatever the terminal.
HELP_COLUMNS = 88

SETTINGS_HEAD = f"""\
# Settings

Made by `make docs` from the source; do not edit.

Settings are read from a TOML file: the one that `--config FILE` names, else the one that
`RINGBACK_CONFIG` names, else `{STANDARD_PATH}` if it exists. The environment overrides the file:
`RINGBACK_SECTION__KEY` holds a TOML value, as in `RINGBACK_SMTP__PORT=2525`; text needs no quotes
there, and where a list is wanted, one item is a list.

`ringback config check` says what is wrong with them, `ringback config show` what they are and where each
comes from. An unknown key is a mistake, not ignored. Domains are compared as A-labels in lower case, and
shown so. In messages, tables of a list are counted from 1.
"""

CLI_HEAD = """\
# Command line

Made by `make docs` from the source; do not edit.

Results go to standard output, everything else to standard error. Colour appears only on a terminal, and
not where `NO_COLOR` is set. A mistake in usage or configuration is one line, and exit status 2; an
interrupted command exits 130, and one that a bug ends 70.

Shell completion comes with the Debian package. Without it, put the line of your shell into its start-up
file.

| shell | line |
|---|---|
| bash, `~/.bashrc` | `eval "$(_RINGBACK_COMPLETE=bash_source ringback)"` |
| zsh, `~/.zshrc` | `eval "$(_RINGBACK_COMPLETE=zsh_source ringback)"` |
| fish, `~/.config/fish/completions/ringback.fish` | `_RINGBACK_COMPLETE=fish_source ringback \\| source` |
"""


def write_settings() -> str:
    """The settings reference."""
    parts = [SETTINGS_HEAD]
    for name, section in SECTIONS.items():
        parts += [f"## `[{name}]`\n", f"{_summary(section)}\n", _table(name, section)]
    route = "recipient.route"
    parts += [f"## `[[{route}]]`\n", f"{_summary(RecipientRoute)}\n", _table(route, RecipientRoute)]
    return "\n".join(parts)


def write_cli() -> str:
    """The command line reference: the help of every command."""
    parts = [CLI_HEAD]
    for path, text in _helps(ringback, None, "ringback"):
        parts += [f"## `{path}`\n", f"```text\n{text}\n```\n"]
    return "\n".join(parts)


def _summary(section: type[Section]) -> str:
    return (section.__doc__ or "").splitlines()[0]


def _table(name: str, section: type[Section]) -> str:
    rows = ["| key | default | write | what it is |", "|---|---|---|---|"]
    rows += [_row(name, key) for key in keys_of(section)]
    return "\n".join(rows) + "\n"


def _row(name: str, key: Key) -> str:
    default = "(required)" if key.default is NODEFAULT else f"`{encode(key.default)}`"
    dotted = f"{name}.{key.name}"
    remedies = [later.remedy for later in LATER if later.documented and later.key == dotted]
    says = "".join([key.says, *(f". **For now, {it}**" for it in remedies)])
    cells = (f"`{key.name}`", default, key.rule.wants, says)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _helps(
    command: click.Command, parent: click.Context | None, name: str
) -> Iterator[tuple[str, str]]:
    given = {**command.context_settings, "terminal_width": HELP_COLUMNS}
    context = click.Context(command, parent, name, **given)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            if below is not None:
                yield from _helps(below, context, each)


PAGES = {"settings.md": write_settings, "cli.md": write_cli}


def main(arguments: list[str]) -> int:
    """Write the pages, or say which of them differ. Returns the exit status."""
    status = 0
    for name, write in PAGES.items():
        page = FOLDER / name
        if "--check" not in arguments:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(write(), encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != write():
            click.echo(f"docs/reference/{name} is out of date: run make docs", err=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
