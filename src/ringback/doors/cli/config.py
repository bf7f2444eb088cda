"""`ringback config`: the settings in force, and what is wrong with them. Not here: reading them."""

import os
from typing import TYPE_CHECKING

import click

from ...values.section import Section
from ...values.settings import Ages
from ..configuration import (
    KEYS,
    STANDARD_PATH,
    Loaded,
    examine_settings,
    value_of,
)
from ..toml import encode
from .lazy import OnDemand
from .options import config_option, json_option, load
from .output import echo_json

if TYPE_CHECKING:
    from . import obstacles
else:
    obstacles = OnDemand(".obstacles", __package__)

EXIT_MISTAKE = 2
# Where the sources start, so that they stand below each other behind most keys.
SOURCE_COLUMN = 56


@click.group()
def config() -> None:
    """See the effective settings, and what is wrong with them.

    Settings come from their defaults, then from a TOML file (--config FILE, else the file that
    RINGBACK_CONFIG names, else /etc/ringback/ringback.toml if it exists), then from environment
    variables such as RINGBACK_SMTP__PORT=2525.
    """


@config.command()
@config_option
@click.pass_context
def check(ctx: click.Context, config_path: str | None) -> None:
    """Say "ok", or all that is wrong with the settings.

    Wrong is what keeps `ringback serve` from starting, whoever runs it. Only the start itself shows
    whether its user may read and write all files, and whether a port is free.

    Exit status: 0, or 2 if anything is wrong. Each mistake is one line on standard error that names
    the file, the key and the remedy.
    """
    loaded, mistakes = examine_settings(config_path, os.environ, standard_path=STANDARD_PATH)
    if loaded is not None:
        mistakes = list(obstacles.find_obstacles(loaded))
    for mistake in mistakes:
        click.echo(f"ringback: {mistake}", err=True)
    if loaded is None or mistakes:
        ctx.exit(EXIT_MISTAKE)
    click.echo(f"ok: {loaded.file or f'defaults, without a file at {STANDARD_PATH}'}")


@config.command()
@config_option
@json_option
def show(config_path: str | None, as_json: bool) -> None:
    """Print every setting in force, and where it comes from.

    The source is "default", the path of a file, or the name of an environment variable. The output
    is TOML.
    """
    loaded = load(config_path)
    if as_json:
        echo_json({key: _row_of(loaded, key) for key in KEYS})
        return
    for key in KEYS:
        line = f"{key} = {encode(value_of(loaded.settings, key))}"
        click.echo(f"{line:<{SOURCE_COLUMN}}  # {loaded.sources[key]}")


def _row_of(loaded: Loaded, key: str) -> dict[str, object]:
    return {"value": _plain(value_of(loaded.settings, key)), "source": loaded.sources[key]}


def _plain(value: object) -> object:
    """Take values apart for JSON, in the shape that TOML gives them."""
    if isinstance(value, Ages):
        return [value.refresh_s, value.expire_s]
    if isinstance(value, Section):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
