"""Settings → a running system. The only file that knows every folder.

Not here: any decision; each part is made from what it needs, and handed to who needs it.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from ipaddress import ip_address
from types import ModuleType
from typing import TYPE_CHECKING

from .engine.outside import Outside
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
from .rules.organisation import Organisation, organisation_by
from .rules.phrasebook import Phrasebook, UnreadBook, parse_phrasebook
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .suffixes import registered
from .values.dns import RecordType
from .values.endpoint import Login
from .values.settings import DAY_S, Settings
from .values.text import printable

if TYPE_CHECKING:
    from .engine.doctor import Doctor, Means

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


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """A verifier, and the doctor who says whether it may call anyone."""

    verifier: Verifier
    doctor: "Doctor"
    means: "Means"  # what the doctor needs for whole examinations
    pacer: Pacer

    async def close(self, drain_s: float = 0.0) -> None:
        """Let questions and callouts finish for `drain_s` seconds, then end them."""
        await self.doctor.close()
        await self.verifier.close(drain_s)

    def attend_nowait(self, before: "Engine | None" = None) -> None:
        """Have the doctor look after this engine, and no longer after the one `before`."""
        if before and before.doctor is not self.doctor:
            before.doctor.retire_nowait()
        self.doctor.attend_nowait(self.means)

    async def give_way(self, successor: "Engine") -> None:
        """Close when the last who asked this engine has his answer, and what began for him has ended."""
        await self.verifier.close(self.verifier.patience_s)
        if self.doctor is not successor.doctor:
            await self.doctor.close()


async def make_engine(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
    before: Engine | None = None,
) -> Engine:
    """Make the engine on a store that is open. Raises UsageError if it cannot say who we are.

    `before`: the one that it is to replace. Its connections count; what its doctor has found holds on,
    unless he went by other settings. It is not changed.
    """
    settings, resolver, logins = await _prepare(settings)
    return _build(settings, resolver, store, sink, clock or SystemClock(), logins, before)


async def _prepare(settings: Settings) -> tuple[Settings, Resolver, Mapping[str, Login]]:
    """Find out what settings leave open. Raises UsageError."""
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    try:
        settings = _require_name(await _with_name(settings, resolver))
        return settings, resolver, load_logins(settings.recipient.route)
    except BaseException:
        await resolver.close()
        raise


async def make_verifier(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
) -> Verifier:
    """Make an engine whose doctor is asked by its gate only."""
    return (await make_engine(settings, store, sink, clock)).verifier


def _build(
    settings: Settings,
    resolver: Resolver,
    store: Store,
    sink: Sink,
    clock: Clock,
    logins: Mapping[str, Login],
    before: Engine | None = None,
) -> Engine:
    doctor, pacer = _outlasting(before, settings, resolver, sink, clock)
    verifier = _verifier(settings, resolver, store, sink, clock, logins, pacer, doctor.is_fit)
    means = _doctors().Means(resolver, verifier.call_own, store.search_calls, is_synchronised)
    return Engine(verifier, doctor, means, pacer)


def _outlasting(
    before: Engine | None, settings: Settings, resolver: Resolver, sink: Sink, clock: Clock
) -> tuple["Doctor", Pacer]:
    """What an engine hands on to the next."""
    pacer = before.pacer if before else Pacer(settings.budget)
    if before and before.doctor.suits(settings):
        return before.doctor, pacer
    return _make_doctor(settings, resolver, sink, clock), pacer


def _make_doctor(settings: Settings, resolver: Resolver, sink: Sink, clock: Clock) -> "Doctor":
    sources = partial(source_addresses, settings)
    made: Doctor = _doctors().Doctor(settings, resolver, clock, sink, sources)
    return made


def _doctors() -> ModuleType:
    # Loaded when one is wanted: what is remembered is told without him, and what he goes by is much.
    return import_module(".engine.doctor", __package__)


def _verifier(
    settings: Settings,
    resolver: Resolver,
    store: Store,
    sink: Sink,
    clock: Clock,
    logins: Mapping[str, Login],
    pacer: Pacer,
    is_fit: Callable[[], Awaitable[bool]],
) -> Verifier:
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
        pacer=pacer,
        book=UnreadBook(phrasebook),
        draw=random.random,
        organisation=organisations(),
        is_fit=is_fit,
        logins=logins,
    )
    return Verifier(settings, outside, Exemptions.parse(settings), sink)


class _OnCall:
    """A doctor who comes when it is first asked whether we are fit."""

    def __init__(self, settings: Settings, make: Callable[[], "Doctor"]) -> None:
        self._identity, self._make = settings.identity, make
        self._doctor: Doctor | None = None

    async def is_fit(self) -> bool:
        """Say whether callouts may be made."""
        if not self._identity.require_fit:  # whatever he found; he attends to nobody else
            return bool(self._identity.contact)
        self._doctor = self._doctor or self._make()
        return await self._doctor.is_fit()

    async def close(self) -> None:
        if self._doctor:
            await self._doctor.close()


@asynccontextmanager
async def running_verifier(settings: Settings, sink: Sink) -> AsyncIterator[Verifier]:
    """A verifier with its store, for as long as the context lasts. Raises what `make_engine` does."""
    clock = SystemClock()
    store = await open_store(settings, sink)
    try:
        settings, resolver, logins = await _prepare(settings)
        doctor = _OnCall(settings, partial(_make_doctor, settings, resolver, sink, clock))
        pacer = Pacer(settings.budget)
        verifier = _verifier(settings, resolver, store, sink, clock, logins, pacer, doctor.is_fit)
        try:
            yield verifier
        finally:
            await doctor.close()
            await verifier.close()
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
        engine = _build(settings, resolver, store, sink, SystemClock(), logins)
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
