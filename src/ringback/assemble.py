"""Settings → a running system. The only file that knows every folder.

Not here: any decision; each part is made from what it needs, and handed to who needs it.
"""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.resources import files
from ipaddress import ip_address

from .engine.callout import Outside
from .engine.doctor import Doctor, Means
from .engine.pacer import Pacer
from .engine.ports import Clock, Resolver, Sink, Store
from .engine.verifier import Verifier
from .errors import ConfigError, StoreError
from .net.clock import SystemClock, boot_id
from .net.dial import TcpDialer, outward_addresses
from .net.passwords import load_logins
from .net.resolver import DnsResolver
from .net.synchrony import is_synchronised
from .rules.exemptions import Exemptions
from .rules.flags import FlagLists, parse_flag_lists
from .rules.networks import parse_networks
from .rules.organisation import Organisation, Registered, organisation_by
from .rules.phrasebook import Phrasebook, parse_phrasebook
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .values.dns import RecordType
from .values.endpoint import Login
from .values.settings import DAY_S, Settings
from .values.text import printable

LOOPBACK = "127.0.0.1"  # where the system calls loopback from


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


@cache
def organisations() -> Organisation:
    """Organisational domains by the list of public suffixes that ships with its library."""
    # Its list takes half as long to read as a command has to start: only where mail is judged.
    registered: Registered = import_module("publicsuffixlist").PublicSuffixList().privatesuffix
    return organisation_by(registered)


async def open_store(settings: Settings, sink: Sink) -> Store:
    """Open the store that `store.url` names. Raises StoreError."""
    url, path = settings.store.url, settings.store.sqlite_path
    if url == "memory:":
        return MemoryStore()
    if path is None:
        remedy = "write sqlite:///path/to/file or memory:"
        raise StoreError(f"store.url: this version has no store for {printable(url)}", remedy)
    clock = SystemClock()
    return await SqliteStore.open(
        path,
        memory_entries=settings.cache.memory_entries,
        audit_keep_s=settings.etiquette.audit_keep_days * DAY_S,
        sink=sink,
        clock=clock.now,
        elapsed=clock.elapsed,
        boot=boot_id(),
    )


@dataclass(frozen=True, slots=True)
class Engine:
    """A verifier, and the doctor who says whether it may call anyone."""

    verifier: Verifier
    doctor: Doctor
    means: Means  # what the doctor needs for examinations that take conversations

    async def close(self) -> None:
        await self.doctor.close()
        await self.verifier.close()


async def make_engine(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
    pacer: Pacer | None = None,
) -> Engine:
    """Make the engine on a store that is open. Raises UsageError if it cannot say who we are.

    `pacer`: the one of the engine before it, whose connections go on; it is not changed.
    """
    clock = clock or SystemClock()
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    try:
        settings = _require_name(await _with_name(settings, resolver))
        logins = load_logins(settings.recipient.route)
    except BaseException:
        await resolver.close()
        raise
    return _build(settings, resolver, store, sink, clock, pacer, logins)


async def make_verifier(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
    pacer: Pacer | None = None,
) -> Verifier:
    """Make an engine whose doctor is asked by its gate only."""
    return (await make_engine(settings, store, sink, clock, pacer)).verifier


def _build(
    settings: Settings,
    resolver: Resolver,
    store: Store,
    sink: Sink,
    clock: Clock,
    pacer: Pacer | None,
    logins: Mapping[str, Login],
) -> Engine:
    doctor = Doctor(settings, resolver, clock, sink, lambda: source_addresses(settings))
    outside = Outside(
        resolver=resolver,
        dialer=TcpDialer(
            clock=clock,
            source_addresses=settings.identity.source_addresses,
            allowed_networks=settings.smtp.allowed_networks,
            own_addresses=own_addresses(settings),
        ),
        store=store,
        clock=clock,
        pacer=pacer or Pacer(settings.budget),
        book=phrasebook(),
        draw=random.random,
        organisation=organisations(),
        is_fit=doctor.is_fit,
        logins=logins,
    )
    verifier = Verifier(settings, outside, Exemptions.parse(settings), sink)
    return Engine(verifier, doctor, Means(verifier.call_own, is_synchronised))


@asynccontextmanager
async def running_verifier(settings: Settings, sink: Sink) -> AsyncIterator[Verifier]:
    """A verifier with its store, for as long as the context lasts."""
    store = await open_store(settings, sink)
    try:
        engine = await make_engine(settings, store, sink)
        try:
            yield engine.verifier
        finally:
            await engine.close()
    finally:
        await store.close()


@asynccontextmanager
async def running_engine(settings: Settings, sink: Sink) -> AsyncIterator[Engine]:
    """An engine with its store, to be examined: one without a name is no mistake here."""
    store = await open_store(settings, sink)
    try:
        logins = load_logins(settings.recipient.route)
        resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
        settings = await _with_name(settings, resolver)
        engine = _build(settings, resolver, store, sink, SystemClock(), None, logins)
        try:
            yield engine
        finally:
            await engine.close()
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
    return settings


def _require_name(settings: Settings) -> Settings:
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


async def _confirmed_name(resolver: Resolver, address: str) -> str | None:
    names = await resolver.ask(ip_address(address).reverse_pointer, RecordType.PTR)
    kind = RecordType.AAAA if ":" in address else RecordType.A
    for name in names.texts:
        forward = await resolver.ask(name, kind)
        if address in forward.texts:
            return name
    return None
