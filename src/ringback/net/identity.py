"""Who we are on this network: the addresses that we call from, and the name that leads back to one.

Not here: whether those who are called will take us for that (rules/fitness.py).
"""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from ..errors import ConfigError
from ..rules.networks import parse_networks
from ..values.dns import DnsAnswer, RecordType
from ..values.settings import Settings
from .dial import outward_addresses

Ask = Callable[[str, RecordType], Awaitable[DnsAnswer]]

LOOPBACK = "127.0.0.1"  # where the system calls loopback from


async def find_name(settings: Settings, ask: Ask) -> Settings:
    """Fill in the HELO name that was left to be found: the confirmed reverse name of an address of ours."""
    identity = settings.identity
    if identity.helo_name:
        return settings
    named = (*identity.public_addresses, *identity.source_addresses)
    for address in named or outward_addresses():
        name = await _confirmed_name(ask, address)
        if name:
            return settings.but(identity=identity.but(helo_name=name))
    return settings


async def require_name(settings: Settings, ask: Ask) -> Settings:
    """Fill in the HELO name. Raises ConfigError where none was given and none can be found."""
    settings = await find_name(settings, ask)
    if settings.identity.helo_name:
        return settings
    raise ConfigError(
        "configuration",
        "identity.helo_name",
        "not given, and no address of ours has a confirmed reverse name",
        "write the name under which this host is known in the DNS",
    )


def source_addresses(settings: Settings) -> tuple[str, ...]:
    """Where callouts come from: what is configured, or else what the system would choose.

    Who may call loopback is in a laboratory, and comes from there.
    """
    allowed = parse_networks(settings.smtp.allowed_networks)
    if settings.identity.source_addresses:
        return settings.identity.source_addresses
    if any(network.version == 4 and network.is_loopback for network in allowed):
        return (LOOPBACK,)
    return outward_addresses()


def own_addresses(settings: Settings) -> tuple[str, ...]:
    """Where we would call ourselves. Of those that nobody named, an allowed network lifts its own."""
    identity = settings.identity
    allowed = parse_networks(settings.smtp.allowed_networks)
    found = [
        address
        for address in outward_addresses()
        if not any(ip_address(address) in network for network in allowed)
    ]
    return (*identity.source_addresses, *identity.public_addresses, *found)


async def _confirmed_name(ask: Ask, address: str) -> str | None:
    names = await ask(ip_address(address).reverse_pointer, RecordType.PTR)
    kind = RecordType.AAAA if ":" in address else RecordType.A
    for name in names.texts:
        forward = await ask(name, kind)
        if address in forward.texts:
            return name
    return None
