"""`ringback demo`: its manual and its option. Not here: what is played (play.py), imported when it runs."""

from typing import TYPE_CHECKING

import click

from .lazy import OnDemand

if TYPE_CHECKING:
    from . import play
else:
    play = OnDemand(".play", __package__)


@click.command()
@click.option(
    "--keep", is_flag=True, help="Stay up afterwards, with the dashboard, and say how to ask."
)
@click.pass_context
def demo(ctx: click.Context, keep: bool) -> None:
    """Send a handful of messages through Ringback in a small internet on this machine.

    Shows what became of each and why. Needs no root, no network and no configuration.
    """
    ctx.exit(play.run(keep))
