"""The command `ringback`: which commands there are, and how every run of it ends.

Exit status: 0, or what a command says; 2 for a mistake in usage or configuration, and for output that
cannot be written; 70 for a bug; 130 when interrupted; 141 when the reader of the output went away, as a
shell shows SIGPIPE. Not here: the commands, one module each, imported when they run.
"""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from ...errors import RingbackError
from ...values.text import printable
from .lazy import LazyGroup

EXIT_USAGE = 2
EXIT_BUG = 70  # EX_SOFTWARE of sysexits; Python's own is 1, which says "undeliverable"
EXIT_INTERRUPTED = 128 + 2  # SIGINT
EXIT_PIPE_GONE = 128 + 13  # SIGPIPE
_STANDARD_ERROR = 2  # the last of the numbers that every program expects to be open
# A message names a file, a key, a value and a remedy; a long path must not lose the remedy.
MAX_MESSAGE_CHARS = 6_000

COMMANDS = {
    "check": "Ask whether addresses take mail.",
    "bulk": "Ask about a list of addresses.",
    "serve": "Answer mail servers: all configured doors.",
    "opensmtpd-filter": "Let OpenSMTPD ask the service; OpenSMTPD starts it.",
    "doctor": "Say whether this host is fit to call anyone.",
    "demo": "Watch it at work in a small internet on this machine.",
    "lab": "Run that small internet by itself.",
    "audit": "Say who was called, why, and what was said.",
    "cache": "See, explain and forget what is remembered.",
    "replay": "Say what this would have done to your own traffic.",
    "trace": "Find the callbacks that others make at you.",
    "classify": "Say what replies of mail servers mean.",
    "config": "See the effective settings, and what is wrong with them.",
}


class _Ringback(LazyGroup):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, ExceptionGroup) as error:
            cause = _cause_of(error)
            if isinstance(cause, BrokenPipeError):
                # Here, since click's own way with it exits 1, which says "undeliverable".
                raise click.exceptions.Exit(EXIT_PIPE_GONE) from None
            if isinstance(cause, RingbackError | OSError):
                raise cause from None
            raise


def _cause_of(error: Exception) -> Exception:
    """What happened first, where tasks that ran together ended together."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    metadata = import_module("importlib.metadata")  # not for every start: it takes its time
    try:
        click.echo(f"ringback {metadata.version('ringback')}")
    except metadata.PackageNotFoundError:
        click.echo("ringback, run from its source without being installed")
    ctx.exit()


@click.group(
    cls=_Ringback,
    package=__name__,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def ringback(ctx: click.Context) -> None:
    """Ask a sender's mail exchanger whether the sender exists, with manners."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its status. A mistake is one line on standard error."""
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8
    sys.exit(_flush(_run(args)))


def _replace_closed_streams() -> None:
    """Put something in place of what was closed before: no other file is to take its number.

    Who writes results to a standard output that was closed is told that it fails; a log is lost.
    """
    while (spare := os.open(os.devnull, os.O_RDONLY)) <= _STANDARD_ERROR:
        pass
    os.close(spare)
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _run(args: Sequence[str] | None) -> int:
    try:
        status = ringback.main(args, prog_name="ringback", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        _tell(error.format_message())
        return EXIT_USAGE
    except click.Abort:
        return EXIT_INTERRUPTED
    except (click.ClickException, RingbackError, OSError) as error:
        return _complain(_explain(error))
    except Exception:  # a bug is told whole, and is no answer to what was asked
        _tell(import_module("traceback").format_exc().rstrip())
        return EXIT_BUG
    return status if isinstance(status, int) else 0


def _explain(error: click.ClickException | RingbackError | OSError) -> str:
    if isinstance(error, RingbackError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'output'}: {error.strerror}"
    command = getattr(error, "ctx", None)
    remedy = f"; see {command.command_path} --help" if command else ""
    message = error.format_message().removesuffix(".")
    return f"{message[:1].lower()}{message[1:]}{remedy}"


def _complain(message: str) -> int:
    _tell(f"ringback: {printable(message, limit=MAX_MESSAGE_CHARS)}")
    return EXIT_USAGE


def _tell(text: str) -> None:
    with suppress(OSError):  # where nobody is told, the status still tells
        click.echo(text, err=True)


def _flush(status: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer has nowhere to go: the interpreter would complain at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return EXIT_PIPE_GONE
        # A mistake has been told, and may have been this one.
        return status if status == EXIT_USAGE else _complain(f"output: {error.strerror}")
    return status
