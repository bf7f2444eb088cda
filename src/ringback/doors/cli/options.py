"""Options that several commands share, and what they lead to. Not here: the options of one command."""

import os
from datetime import tzinfo
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ...errors import ConfigError
from ..instants import parse_span
from .lazy import OnDemand

if TYPE_CHECKING:
    from .. import configuration
else:
    configuration = OnDemand("..configuration", __package__)


class Span(click.ParamType[int]):
    """A span of time, in seconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        span_s = parse_span(str(value))
        if span_s is None:
            self.fail(f"{value!r} is no span of time; write 30m, 12h, 7d or 4w", param, ctx)
        return span_s


class Zone(click.ParamType[tzinfo]):
    """A time zone by its name."""

    name = "zone"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tzinfo:
        try:
            zone: tzinfo = import_module("zoneinfo").ZoneInfo(str(value))
        except (KeyError, ValueError, OSError):  # which ZoneInfoNotFoundError is
            self.fail(f"{value!r} is no time zone; write UTC or Europe/Berlin", param, ctx)
        return zone


config_option = click.option(
    "--config",
    "config_path",
    metavar="FILE",
    type=click.Path(),
    help="Read settings from FILE. Otherwise: $RINGBACK_CONFIG, or /etc/ringback/ringback.toml if it exists.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def load(config_path: str | None) -> "configuration.Loaded":
    """Read the settings in force for this run. Raises ConfigError."""
    return configuration.load_settings(config_path, os.environ)


def require_contact(loaded: "configuration.Loaded") -> None:
    """Refuse to call anyone who could not find out whom to complain to. Raises ConfigError."""
    if not loaded.settings.identity.contact:
        raise ConfigError(
            loaded.file or "configuration",
            "identity.contact",
            "it is missing, and those who are called must know whom to write to",
            'write contact = "postmaster@your.domain" under [identity]',
        )
