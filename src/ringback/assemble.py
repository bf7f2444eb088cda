"""Settings → a running system. The only file that knows every folder.

Not here: any decision; each part is made from what it needs, and handed to who needs it.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from importlib.resources import files
from ipaddress import ip_address

from .engine.callout import Outside
from .engine.pacer import Pacer
from .engine.ports import Clock, Resolver, Sink, Store
from .engine.verifier import Verifier
from .errors import ConfigError, StoreError
from .net.clock import SystemClock
from .net.dial import TcpDialer, outward_addresses
from .net.resolver import DnsResolver
from .rules.flags import FlagLists, parse_flag_lists
from .rules.gates import Exemptions
from .rules.networks import parse_networks
from .rules.phrasebook import Phrasebook, parse_phrasebook
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .values.dns import RecordType
from .values.settings import Settings
from .values.text import printable


@cache
def phrasebook() -> Phrasebook:
    """The wordings that ship with this version."""
    return parse_phrasebook(
        files(f"{__package__}.rules").joinpath("phrases.toml").read_text("utf-8")
    )


@cache
def flag_lists() -> FlagLists:
    """The lists behind the flags of a report."""
    return parse_flag_lists(files(f"{__package__}.rules").joinpath("flags.toml").read_text("utf-8"))


async def open_store(settings: Settings, sink: Sink) -> Store:
    """Open the store that `store.url` names. Raises StoreError."""
    url, path = settings.store.url, settings.store.sqlite_path
    if url == "memory:":
        return MemoryStore()
    if path is None:
        remedy = "write sqlite:///path/to/file or memory:"
        raise StoreError(f"store.url: this version has no store for {printable(url)}", remedy)
    return await SqliteStore.open(
        path,
        memory_entries=settings.cache.memory_entries,
        sink=sink,
        clock=SystemClock().now,
    )


async def make_verifier(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
    pacer: Pacer | None = None,
) -> Verifier:
    """Make the engine on a store that is open. Raises UsageError if it cannot say who we are.

    `pacer`: the one of the engine before it, whose budgets go on; it is not changed.
    """
    clock = clock or SystemClock()
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    try:
        settings = await _with_name(settings, resolver)
    except BaseException:
        await resolver.close()
        raise
    identity = settings.identity
    outside = Outside(
        resolver=resolver,
        dialer=TcpDialer(
            clock=clock,
            source_addresses=identity.source_addresses,
            allowed_networks=settings.smtp.allowed_networks,
            own_addresses=own_addresses(settings),
        ),
        store=store,
        clock=clock,
        pacer=pacer or Pacer(settings.budget, clock),
        book=phrasebook(),
        draw=random.random,
    )
    return Verifier(settings, outside, Exemptions.parse(settings), sink)


@asynccontextmanager
async def running_verifier(settings: Settings, sink: Sink) -> AsyncIterator[Verifier]:
    """A verifier with its store, for as long as the context lasts."""
    store = await open_store(settings, sink)
    try:
        verifier = await make_verifier(settings, store, sink)
        try:
            yield verifier
        finally:
            await verifier.close()
    finally:
        await store.close()


async def _with_name(settings: Settings, resolver: Resolver) -> Settings:
    """Fill in the HELO name that was left to be found: the confirmed reverse name of an address of ours."""
    identity = settings.identity
    if identity.helo_name:
        return settings
    named = (*identity.public_addresses, *identity.source_addresses)
    for address in named or outward_addresses():
        name = await _confirmed_name(resolver, address)
        if name:
            return replace(settings, identity=replace(identity, helo_name=name))
    raise ConfigError(
        "configuration",
        "identity.helo_name",
        "not given, and no address of ours has a confirmed reverse name",
        "write the name under which this host is known in the DNS",
    )


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


async def _confirmed_name(resolver: Resolver, address: str) -> str | None:
    names = await resolver.ask(ip_address(address).reverse_pointer, RecordType.PTR)
    kind = RecordType.AAAA if ":" in address else RecordType.A
    for name in names.texts:
        forward = await resolver.ask(name, kind)
        if address in forward.texts:
            return name
    return None
