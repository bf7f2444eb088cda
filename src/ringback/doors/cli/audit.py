"""`ringback audit`: who was called, why, and what was said. Not here: the store (store/)."""

import csv
import io
from collections.abc import Sequence

import click

from ...net.clock import SystemClock
from ...values.calls import Call
from ..calls import COLUMNS, encode_call, row_of, tell_call
from ..remembered import parse_pattern
from .options import Span, config_option, load
from .output import echo_json
from .stored import ask_store

DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000_000
EXIT_NOTHING_FOUND = 1


@click.command()
@click.argument("pattern")
@click.option(
    "--since",
    "since_s",
    type=Span(),
    default=None,
    help="Only calls of the last SPAN: 30m, 12h, 7d, 4w. Otherwise all that are kept.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="At most so many, the newest.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines: an object a call.")
@config_option
@click.pass_context
def audit(
    ctx: click.Context,
    pattern: str,
    since_s: int | None,
    limit: int,
    as_csv: bool,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Say who was called, when, why, and what was said.

    PATTERN is an address, a domain or an MX name (with all below it), or the IP address of a host. This
    answers a complaint: every address that was asked about is here, for which client and message, and through
    which gates, from before the connection was made until `etiquette.audit_keep_days` are over.

    Exit status: 0, 1 if nobody was called, 2 for a mistake in usage or configuration.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other", ctx)
    spelled = parse_pattern(pattern)
    since_at = SystemClock().now() - since_s if since_s is not None else 0.0
    settings = load(config_path).settings
    calls = ask_store(settings, lambda store: store.search_calls(spelled, since_at, limit))
    echo = _echo_csv if as_csv else _echo_jsonl if as_json else _echo_text
    echo(calls)
    if not calls:
        click.echo(f"ringback: nobody was called about {spelled}", err=True)
        ctx.exit(EXIT_NOTHING_FOUND)


def _echo_text(calls: Sequence[Call]) -> None:
    for call in calls:
        for line in tell_call(call):
            click.echo(line)


def _echo_csv(calls: Sequence[Call]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in (COLUMNS, *map(row_of, calls)):
        writer.writerow(row)
        click.echo(buffer.getvalue(), nl=False)
        buffer.seek(0)
        buffer.truncate()


def _echo_jsonl(calls: Sequence[Call]) -> None:
    for call in calls:
        echo_json(encode_call(call), indent=None)
