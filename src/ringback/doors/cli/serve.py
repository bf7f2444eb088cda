"""`ringback serve`: answer mail servers. Not here: how the service runs (doors/service.py)."""

import asyncio
import os
import sys

import click

from ...net.clock import SystemClock
from ...values.settings import Settings
from ..configuration import refuse_unready
from ..log import make_sink, style_for
from ..service import Service
from .options import config_option, load, require_contact


@click.command()
@config_option
def serve(config_path: str | None) -> None:
    """Answer mail servers on all configured doors, in the foreground.

    SIGTERM lets what is under way end and stops; SIGHUP reads the configuration again.
    The log goes to standard error: one JSON object an event, or key=value under systemd.
    """

    def read_settings() -> Settings:
        loaded = load(config_path)
        refuse_unready(loaded)
        require_contact(loaded)
        return loaded.settings

    sink = make_sink(sys.stderr, SystemClock().now, style_for(os.environ))
    asyncio.run(Service(read_settings, sink, os.environ).run())
