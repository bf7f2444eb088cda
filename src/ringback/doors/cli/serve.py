"""`ringback serve`: answer mail servers. Not here: how the service runs (doors/service.py)."""

import os
import sys
from typing import TYPE_CHECKING

import click

from .lazy import OnDemand
from .options import config_option, load

if TYPE_CHECKING:
    from .. import configuration, service
    from . import obstacles
else:
    configuration = OnDemand("..configuration", __package__)
    obstacles = OnDemand(".obstacles", __package__)
    service = OnDemand("..service", __package__)


@click.command()
@config_option
def serve(config_path: str | None) -> None:
    """Answer mail servers on all configured doors, in the foreground.

    SIGTERM lets what is under way end and stops; SIGHUP reads the configuration again: a mistake in
    it is logged and changes nothing, connections stay open.

    The log goes to standard error: one JSON object an event, or key=value under systemd.
    Exit status: 0 after SIGTERM or Ctrl-C, 2 if it cannot start.
    """
    service.serve(lambda: _read_settings(config_path), sys.stderr, os.environ)


def _read_settings(config_path: str | None) -> "configuration.Loaded":
    loaded = load(config_path)
    for obstacle in obstacles.find_obstacles(loaded):
        raise obstacle
    return loaded
