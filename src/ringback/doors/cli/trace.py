"""`ringback trace`: its manual and options.

Not here: finding callbacks (tracing.py, rules/), and how they are told (doors/traced.py, doors/notices.py).
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from ...errors import UsageError
from ...net.clock import SystemClock
from ...values.text import printable
from .lazy import OnDemand
from .options import Span, Zone, config_option, load
from .output import echo_json

if TYPE_CHECKING:
    from .. import notices, traced
    from . import tracing
else:
    notices, traced = OnDemand("..notices", __package__), OnDemand("..traced", __package__)
    tracing = OnDemand(".tracing", __package__)

EXIT_NOTHING_FOUND = 1


@click.command()
@click.argument("logs", metavar="LOG…", nargs=-1, required=True, type=click.Path())
@click.option(
    "--since",
    "since_s",
    type=Span(),
    default=None,
    help="Only what was logged in the last SPAN: 30m, 12h, 7d, 4w.",
)
@click.option(
    "--caller",
    metavar="CALLER",
    default=None,
    help="Only this one: a domain or host name, or an IP address.",
)
@click.option(
    "--notice",
    "noticed",
    metavar="CALLER",
    default=None,
    help="Write the notice to the postmaster of CALLER, ready to send.",
)
@click.option(
    "--zone",
    type=Zone(),
    default=None,
    help="The time zone of stamps that name none. Otherwise: this machine's.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines: an object a caller.")
@config_option
@click.pass_context
def trace(
    ctx: click.Context,
    logs: Sequence[str],
    since_s: int | None,
    caller: str | None,
    noticed: str | None,
    zone: tzinfo | None,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Find the callbacks that others make at you, in your mail logs.

    Each LOG is a mail log of Postfix, Exim, Sendmail or OpenSMTPD; .gz, .xz and .bz2 are unpacked, and "-" is
    standard input. Several are read as one, by their time stamps; stamps without a year are of the last one
    that they can be of.

    A callback is a session that names a recipient and brings no message: from the null sender or one that
    seems to ask. It is certain where a bounce would not look so, and likely where it would, or where the log
    does not name the sender; both say what shows it. Callers are told apart by the domain of their hosts'
    confirmed names, else by network. What your server has to log for this is in docs/howto/trace.md.

    --notice prints a mail to a caller's postmaster, with times, figures and examples. It is for you to send;
    nothing is sent, and nobody is called. It is signed by `identity.contact`.

    Exit status: 0, 1 if no callbacks were found, 2 for a mistake in usage or configuration.
    """
    if noticed is not None and (as_json or caller is not None):
        raise click.UsageError("--notice goes with neither --json nor --caller", ctx)
    since_at = SystemClock().now() - since_s if since_s is not None else 0.0
    found = tracing.trace_logs(logs, SystemClock().now(), since_at, zone)
    if (wanted := noticed or caller) is not None:
        found = found.only(wanted)
    for complaint in found.complaints:
        click.echo(f"ringback: {complaint}", err=True)
    if as_json:
        _echo_jsonl(found)
    else:
        for line in _lines(found, noticed, config_path):
            click.echo(line)
    if not found.seen.callers:
        ctx.exit(EXIT_NOTHING_FOUND)


def _lines(found: "tracing.Found", noticed: str | None, config_path: str | None) -> Iterator[str]:
    if noticed is None:
        return traced.tell_seen(found.seen, found.log)
    if not found.seen.callers:
        raise UsageError(f"{printable(noticed)} {_why_none(found)}; run trace without --notice")
    contact = load(config_path).settings.identity.contact
    return notices.write_notice(found.seen.callers[0], contact)


def _why_none(found: "tracing.Found") -> str:
    if found.seen.bouncing:
        return "was set aside: it brings bounces, and what it asked may have been bounces, too"
    return "made no callbacks, or is counted under another name"


def _echo_jsonl(found: "tracing.Found") -> None:
    for caller in found.seen.callers:
        echo_json(traced.encode_caller(caller), indent=None)
    echo_json(traced.encode_rest(found.seen, found.log), indent=None)
