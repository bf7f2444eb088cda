"""`ringback opensmtpd-filter`: started by OpenSMTPD. Not here: what a filter does (doors/smtpd_filter.py)."""

import asyncio
from typing import TYPE_CHECKING

import click

from ...errors import ConfigError
from ...values.forms import LISTENER
from ...values.settings import Smtp
from .lazy import OnDemand
from .options import config_option, load

if TYPE_CHECKING:
    from ...net import policy_client, stdio
    from .. import smtpd_filter
else:
    policy_client = OnDemand("...net.policy_client", __package__)
    smtpd_filter = OnDemand("..smtpd_filter", __package__)
    stdio = OnDemand("...net.stdio", __package__)


def _parse_service(_ctx: click.Context, _param: click.Parameter, service: str | None) -> str | None:
    try:
        return None if service is None else str(LISTENER.read(service))
    except ValueError as error:
        raise click.BadParameter(f"{error}; write {LISTENER.wants}") from None


@click.command()
@click.option(
    "--service",
    metavar="ADDRESS:PORT|unix:PATH",
    callback=_parse_service,
    help="Where the service answers; no settings are read then. Otherwise: the first of policy.listen.",
)
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for an answer. Otherwise: 2 more than smtp.answer_within_s, which is 10 where"
    " no settings are read.",
)
@config_option
def opensmtpd_filter(service: str | None, timeout_s: float | None, config_path: str | None) -> None:
    """Let OpenSMTPD ask the running service about each recipient.

    OpenSMTPD starts it, by a line of smtpd.conf:

    \b
    filter "ringback" proc-exec "/usr/local/bin/ringback opensmtpd-filter"
    listen on all filter "ringback"

    It runs as OpenSMTPD's user, speaks smtpd-filters(7) on standard input and output, and passes on what
    the service (`ringback serve`) says. Where that gives no answer, mail passes; it is said once on
    standard error, which OpenSMTPD logs.
    """
    if service is None:
        service, answer_within_s = _from_settings(config_path)
    else:
        answer_within_s = Smtp().answer_within_s
    asyncio.run(_run(service, timeout_s or answer_within_s + smtpd_filter.GRACE_S))


def _from_settings(config_path: str | None) -> tuple[str, float]:
    loaded = load(config_path)
    settings = loaded.settings
    if not settings.policy.listen:
        raise ConfigError(
            loaded.file or "configuration",
            "policy.listen",
            "it is empty, and the filter asks the policy service",
            'write listen = ["127.0.0.1:10040"] under [policy], or give --service',
        )
    return settings.policy.listen[0], settings.smtp.answer_within_s


async def _run(service: str, patience_s: float) -> None:
    streams = stdio.StandardStreams()
    client = policy_client.PolicyClient(service, patience_s)
    try:
        await smtpd_filter.SmtpdFilter(streams, client, service, _say).run()
    finally:
        await client.close()
        streams.close()


def _say(what: str) -> None:
    click.echo(f"ringback: {what}", err=True)
