"""`ringback replay`: its manual and options. Not here: what it does (replaying.py), imported when it runs."""

from collections.abc import Sequence
from datetime import tzinfo
from ipaddress import ip_network
from typing import TYPE_CHECKING

import click

from ...values.settings import Settings
from .lazy import OnDemand
from .options import Span, Zone, config_option, json_option, load
from .output import echo_json

if TYPE_CHECKING:
    from . import replay_account, replay_shown, replaying
else:
    replay_account, replay_shown, replaying = (
        OnDemand(f".{name}", __package__)
        for name in ("replay_account", "replay_shown", "replaying")
    )


class _Network(click.ParamType[str]):
    name = "network"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        try:
            return str(ip_network(str(value)))
        except ValueError:
            self.fail(f"{value!r} is no network; write 192.0.2.0/24 or an address", param, ctx)


@click.command()
@click.argument("logs", metavar="LOG…", nargs=-1, required=True, type=click.Path())
@click.option(
    "--assume",
    type=click.Choice(["deliverable", "unknown"]),
    default="deliverable",
    show_default=True,
    help="What a host would have said of a mailbox of which nothing is known.",
)
@click.option(
    "--own-client",
    "own_clients",
    metavar="NETWORK",
    type=_Network(),
    multiple=True,
    help="A network whose mail your server takes without asking, like Postfix's mynetworks; may be repeated.",
)
@click.option(
    "--own-domain",
    "own_domains",
    metavar="DOMAIN",
    multiple=True,
    help="A domain that you take mail for, beside policy.own_domains; may be repeated.",
)
@click.option(
    "--since",
    "since_s",
    type=Span(),
    default=None,
    help="Only what was logged in the last SPAN: 30m, 12h, 7d, 4w.",
)
@click.option(
    "--zone",
    type=Zone(),
    default=None,
    help="The time zone of stamps that name none. Otherwise: this machine's.",
)
@click.option(
    "--refused-too",
    is_flag=True,
    help="Ask for mail, too, that your server itself refused: as if Ringback were asked first.",
)
@click.option(
    "--remembered",
    is_flag=True,
    help="Look into the configured store for mailboxes; nothing in it changes.",
)
@click.option("--no-dns", is_flag=True, help="Ask the DNS nothing.")
@json_option
@config_option
def replay(
    logs: Sequence[str],
    assume: str,
    own_clients: Sequence[str],
    own_domains: Sequence[str],
    since_s: int | None,
    zone: tzinfo | None,
    refused_too: bool,
    remembered: bool,
    no_dns: bool,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Say what this would have done to your own traffic, without calling anyone.

    Each LOG is a mail log of Postfix, Exim, Sendmail or OpenSMTPD; .gz, .xz and .bz2 are unpacked, and "-" is
    standard input. Several are read as one, by their time stamps: rotated ones, and those of several hosts.

    Their mail is put to the same gates, budgets and memory as `ringback serve` has, on the log's own time:
    once for each `call_when`, with the other settings as they are, and as if policy.mode were "enforce".
    Shown are how many callouts there would be, to whom, how many of them to domains that have not
    authorised the client (innocents, where the mail is forged), what would be put off or refused, how much
    of your mail a callout could change at all, and whether that is worth it.

    No mail server is called. The DNS is asked, as of today, by [dns]: some questions a domain, each once.
    What a mailbox would have answered is taken from the log, where it shows what a host of its domain said,
    and with --remembered from the store, if that is newer; else it is assumed, which is told. Nothing is
    remembered, and the store stays as it is.

    Mail that your server refused by itself is not asked about, as Ringback comes last there.

    Exit status: 0, 2 for a mistake in usage or configuration, or a log without mail.
    """
    settings = _with_own(load(config_path).settings, own_clients, own_domains)
    wish = replaying.Wish(assume, not no_dns, refused_too, remembered)
    account = replaying.run(settings, wish, logs, since_s=since_s, zone=zone)
    if as_json:
        echo_json(replay_account.encode(account))
    else:
        replay_shown.show(account)


def _with_own(settings: Settings, clients: Sequence[str], domains: Sequence[str]) -> Settings:
    """The settings, with what the MTA knows of itself beside it."""
    etiquette, policy = settings.etiquette, settings.policy
    return settings.but(
        etiquette=etiquette.but(exempt_clients=(*etiquette.exempt_clients, *clients)),
        policy=policy.but(own_domains=(*policy.own_domains, *domains)),
    )
