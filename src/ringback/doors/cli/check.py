"""`ringback check`: its manual and options. Not here: what it does (checking.py), imported when it runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ...values.query import Purpose
from .lazy import OnDemand
from .options import config_option, json_option, load

if TYPE_CHECKING:
    from . import checking
else:
    checking = OnDemand(".checking", __package__)

# Nobody waits longer for a shell; an hour is the most that a callout may take anyway.
MAX_TIMEOUT_S = 3_600


@click.command()
@click.argument("addresses", metavar="ADDRESS…", nargs=-1, required=True)
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.SENDER.value,
    show_default=True,
    help="What the answer is for.",
)
@click.option("--explain", is_flag=True, help="Print the dialogue and the rule that decided.")
@click.option("--fresh", is_flag=True, help="Ask anew, whatever is remembered.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(min=0, max=MAX_TIMEOUT_S),
    help="Wait at most S seconds for each answer.",
)
@json_option
@config_option
@click.pass_context
def check(
    ctx: click.Context,
    addresses: Sequence[str],
    purpose: str,
    explain: bool,
    fresh: bool,
    timeout_s: float | None,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Verify each ADDRESS: can it take a bounce?  "-" reads addresses from standard input, one a line.
    It may stand in angle brackets, as in a log.

    Prints one line an address, in the order they were given: the address, the verdict, the reason,
    and the reply or the rule that decided. With --json, one report a line.

    Exit status: 0 all deliverable, 1 some undeliverable, 3 some unknown and none undeliverable,
    2 a mistake in usage or configuration.
    """
    form = checking.Form.ACCOUNT if explain else checking.Form.LINE
    form = checking.Form.JSON if as_json else form  # JSON tells all that the account does
    wish = checking.Wish(Purpose(purpose), fresh, timeout_s, form)
    ctx.exit(checking.run(load(config_path), wish, addresses))
