"""`ringback doctor`: is this host fit to call anyone? Not here: examining it (engine/doctor.py)."""

from typing import TYPE_CHECKING

import click

from .lazy import OnDemand
from .options import config_option, json_option, load

if TYPE_CHECKING:
    from . import examining
else:
    examining = OnDemand(".examining", __package__)


@click.command()
@json_option
@config_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, config_path: str | None) -> None:
    """Say whether this host is fit to call anyone, and what to mend.

    Looks at the names and addresses of [identity] in the DNS: reverse names that lead back, the HELO
    name, its SPF record, block lists, whether the same address sends your mail, whether the resolver
    answers and is honest. Then, unless callouts are forbidden, it asks the contact's own mail
    exchanger for the contact, which also shows whether port 25 is open outward; and it looks at the
    clock.

    While something is fatal, no callouts are made (see identity.require_fit), unless it is only that
    the DNS gives no answer of use, which each callout finds out for itself. A warning is something
    that others may hold against you. What could not be found out is unknown, and not held against you.

    Exit status: 0 fit, 1 unfit, 2 a mistake in usage or configuration.
    """
    ctx.exit(examining.run(load(config_path), as_json=as_json))
