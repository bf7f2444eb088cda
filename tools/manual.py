"""Write ringback(1), ringback.toml(5) and the completion of three shells into a folder, for a package.

They have the same source as docs/reference. Usage: python -m tools.manual FOLDER
"""

import inspect
import os
import re
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete
from msgspec import NODEFAULT
from tools.example import EXAMPLES, ROUTE, explain, summary

from ringback.doors.cli import ringback
from ringback.doors.configuration import PATH_VARIABLE, SECTIONS, STANDARD_PATH
from ringback.doors.toml import encode
from ringback.values.section import Key, Section, keys_of
from ringback.values.settings import RecipientRoute

PROGRAM = "ringback"
COMPLETE_VARIABLE = "_RINGBACK_COMPLETE"
# By the name of the file, which is what the shell looks for.
COMPLETIONS: dict[str, type[ShellComplete]] = {
    "bash/ringback": BashComplete,
    "zsh/_ringback": ZshComplete,
    "fish/ringback.fish": FishComplete,
}
# Sources of roff have short lines by custom, and mandoc(1) complains of others.
COLUMNS = 70

# How click marks a paragraph that is not to be wrapped.
AS_IT_IS = "\b"

_CODE = re.compile(r"`([^`]+)`")
_ESCAPES = str.maketrans(
    {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
)

AFTER_COMMANDS = f"""\
.SH EXIT STATUS
0, or what a command says of its own; 2 for a mistake in usage or configuration, which is one line on
standard error; 130 when interrupted.
.SH SIGNALS
.B ringback serve
heeds them.
.TP
.B SIGTERM\\fR,\\fP SIGINT
What is under way comes to its end within seconds, and it stops.
.TP
.B SIGHUP
The configuration is read again. A mistake in it is logged and changes nothing. Connections, budgets
and callouts go on.
.SH ENVIRONMENT
.TP
.B {PATH_VARIABLE}
The configuration file, where no option names one.
.TP
.BI RINGBACK_ SECTION __ KEY
One setting, before that of the file, as in
.BR RINGBACK_SMTP__PORT=2525 .
.TP
.B NO_COLOR
No colour, whatever its value.
.TP
.BR LISTEN_FDS ,\\~ LISTEN_PID ,\\~ NOTIFY_SOCKET ,\\~ WATCHDOG_USEC
Set by the service manager: sockets to listen on, and where it wants to be told how we are.
.SH FILES
.TP
.I {STANDARD_PATH}
The configuration, see
.BR ringback.toml (5).
.TP
.I /var/lib/ringback/ringback.db
What is remembered, unless
.B store.url
names another place.
.SH SEE ALSO
.BR ringback.toml (5),
.BR systemd.socket (5),
.BR postconf (5)
"""

TOML_HEAD = f"""\
.SH NAME
ringback.toml \\- settings of the callback verifier
.SH SYNOPSIS
.I {STANDARD_PATH}
.SH DESCRIPTION
A TOML file: tables in brackets, and under each of them a line for each setting. What is not written has
its default. The environment overrides the file, see
.BR ringback (1).
.PP
.B ringback config check
says what is wrong with it, and
.B ringback config show
what holds and where it comes from. An unknown key is a mistake. A running service reads the file again on
SIGHUP; store.url and cache.memory_entries hold from the next start on.
"""


def write_program_page() -> str:
    """ringback(1)."""
    root = click.Context(ringback, info_name=PROGRAM, **ringback.context_settings)
    parts = [
        _title("RINGBACK", 1, "User Commands"),
        f".SH NAME\nringback \\- {_escape(_summary_of(ringback))}\n",
        ".SH SYNOPSIS\n.B ringback\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...\n",
        ".SH DESCRIPTION\nResults go to standard output, everything else to standard error.\n",
        ".SH OPTIONS\n" + _options(ringback, root),
        ".SH COMMANDS\n",
        *_commands(ringback, root),
        AFTER_COMMANDS,
    ]
    return "".join(parts)


def write_settings_page() -> str:
    """ringback.toml(5)."""
    parts = [_title("RINGBACK.TOML", 5, "File Formats"), TOML_HEAD]
    for name, section in SECTIONS.items():
        parts += _section(f"[{name}]", name, section)
    parts += _section(f"[[{ROUTE}]]", ROUTE, RecipientRoute)
    parts.append(".SH SEE ALSO\n.BR ringback (1)\n")
    return "".join(parts)


def write_completion(name: str) -> str:
    """The script that a shell reads; it asks the program, so that it need not change with it."""
    kind = COMPLETIONS[name]
    return kind.source_template % kind(ringback, {}, PROGRAM, COMPLETE_VARIABLE).source_vars()


def _title(name: str, section: int, kind: str) -> str:
    # The day of the release, where who builds it says so (reproducible-builds.org).
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    day = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return f'.TH {name} {section} "{day:%Y-%m-%d}" "ringback {version(PROGRAM)}" "{kind}"\n'


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        below = click.Context(command, context, name)
        if isinstance(command, click.Group):
            yield f".SS {_escape(below.command_path)}\n{_paragraphs(command)}"
            yield from _commands(command, below)
        else:
            usage = " ".join(command.collect_usage_pieces(below))
            yield f".SS {_escape(f'{below.command_path} {usage}')}\n"
            yield _paragraphs(command) + _options(command, below)


def _options(command: click.Command, context: click.Context) -> str:
    rows = [record for it in command.get_params(context) if (record := it.get_help_record(context))]
    return "".join(f".TP\n.B {_escape(name)}\n{as_prose(says)}\n" for name, says in rows if says)


def _paragraphs(command: click.Command) -> str:
    help_text = inspect.cleandoc(command.help or "")
    return ".PP\n".join(_paragraph(part) for part in help_text.split("\n\n"))


def _paragraph(part: str) -> str:
    if part.startswith(AS_IT_IS):
        lines = (_escape(line) for line in part.removeprefix(AS_IT_IS).strip("\n").split("\n"))
        return ".RS 4\n.nf\n" + "".join(f"{line}\n" for line in lines) + ".fi\n.RE\n"
    return f"{as_prose(part)}\n"


def _summary_of(command: click.Command) -> str:
    summary = (command.help or "").split("\n\n")[0].rstrip(".")
    return f"{summary[0].lower()}{summary[1:]}"


def _section(title: str, name: str, section: type[Section]) -> Iterator[str]:
    yield f".SH {_escape(title)}\n{as_prose(summary(section))}\n"
    for key in keys_of(section):
        if f"{name}.{key.name}" != ROUTE:
            says, wants = explain(name, key)
            yield f".TP\n.B {_escape(key.name)}\n{as_prose(f'{says} {wants} {_default(name, key)}')}\n"


def _default(name: str, key: Key) -> str:
    if key.default is NODEFAULT:
        return f"Required, such as {encode(EXAMPLES[f'{name}.{key.name}'])}."
    return f"Default: {encode(key.default)}."


def as_prose(prose: str) -> str:
    """Prose with `code` in it; no line of it begins with what roff takes for a request."""
    lines = textwrap.wrap(prose, COLUMNS, break_long_words=False, break_on_hyphens=False)
    # A piece of code that is broken in two stays code on both lines.
    parts = _CODE.split("\n".join(lines))
    marked = "".join(
        "\n".join(f"\\fB{_escape(it)}\\fR" for it in part.split("\n")) if at % 2 else _escape(part)
        for at, part in enumerate(parts)
    )
    return "\n".join(f"\\&{it}" if it.startswith((".", "'")) else it for it in marked.split("\n"))


def _escape(text: str) -> str:
    escaped = text.translate(_ESCAPES)
    return "".join(it if it.isascii() else f"\\[u{ord(it):04X}]" for it in escaped)


def main(arguments: list[str]) -> int:
    """Write all of them. Returns the exit status."""
    folder = Path(arguments[0])
    pages = {"ringback.1": write_program_page(), "ringback.toml.5": write_settings_page()}
    scripts = {name: write_completion(name) for name in COMPLETIONS}
    for name, content in (pages | scripts).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
