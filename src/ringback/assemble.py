"""Settings → a running system. The only file that knows every folder.

Not here: any decision; each part is made from what it needs, and handed to who needs it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .engine.outside import Outside
from .engine.pacer import Pacer
from .engine.ports import Clock, Resolver, Sink, Store
from .engine.verifier import Verifier
from .errors import StoreError
from .net.clock import SystemClock, boot_id
from .net.dial import TcpDialer
from .net.identity import Ask, find_name, own_addresses, require_name, source_addresses
from .net.passwords import load_logins
from .net.resolver import DnsResolver
from .net.synchrony import is_synchronised
from .net.tls import verifying_context
from .rules.exemptions import Exemptions
from .rules.flags import FlagLists, parse_flag_lists
from .rules.organisation import Organisation, organisation_by
from .rules.phrase_table import decode_table
from .rules.phrasebook import Book, Phrasebook, UnreadBook
from .store.database import require_place
from .store.glimpse import Glimpse
from .store.memory import MemoryStore
from .store.sqlite import SqliteStore
from .suffixes import registered
from .values.endpoint import Login
from .values.forms import STORE_URL
from .values.record import Record
from .values.settings import RouteTls, Settings
from .values.settings.bounds import DAY_S

if TYPE_CHECKING:
    from .engine.bulk import Bulk
    from .engine.doctor import Doctor, Means

_RULES = Path(__file__).with_name("rules")

_FindName = Callable[[Settings, Ask], Awaitable[Settings]]


@cache
def phrasebook() -> Phrasebook:
    """The wordings that ship with this version."""
    return decode_table((_RULES / "phrases.json").read_bytes())


@cache
def flag_lists() -> FlagLists:
    """The lists behind the flags of a report."""
    return parse_flag_lists((_RULES / "flags.toml").read_text("utf-8"))


@cache
def organisations() -> Organisation:
    """Organisational domains by the list of public suffixes that ships with its library."""
    return organisation_by(registered)


def require_store_place(settings: Settings) -> None:
    """Refuse a file that nobody could open as a store. Raises StoreError, OSError if it cannot be told."""
    if settings.store.sqlite_path is not None:
        require_place(Path(settings.store.sqlite_path))


def glimpse_store(settings: Settings) -> Glimpse:
    """Look into the file that `store.url` names, and leave it as it is. Raises StoreError."""
    return Glimpse(Path(settings.store.sqlite_path or ""))


async def open_store(settings: Settings, sink: Sink) -> MemoryStore | SqliteStore:
    """Open the store that `store.url` names. Raises StoreError."""
    url, path = settings.store.url, settings.store.sqlite_path
    if url == "memory:":
        return MemoryStore()
    if path is None:
        what = f"store.url: this version has no store for {STORE_URL.show(url)}"
        raise StoreError(what, "write sqlite:///path/to/file or memory:")
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


class Engine(Record, frozen=True, eq=False, gc=True):
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
        self.verifier.retire_nowait()
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
    await _load_certificates(settings)
    parts = await _prepare(settings, store, sink, clock or SystemClock(), require_name)
    return _build(parts, before)


async def make_verifier(
    settings: Settings,
    store: Store,
    sink: Sink,
    clock: Clock | None = None,
) -> Verifier:
    """Make an engine whose doctor is asked by its gate only."""
    return (await make_engine(settings, store, sink, clock)).verifier


async def _load_certificates(settings: Settings) -> None:
    """Read whom we trust, if a route wants to know: in a thread, or a reload would have all wait 65 ms."""
    if any(route.tls is RouteTls.VERIFIED for route in settings.recipient.route):
        await asyncio.to_thread(verifying_context)


class _Parts(Record, frozen=True, gc=True):
    """What an engine is made from, when settings leave nothing open."""

    settings: Settings
    resolver: Resolver
    store: Store
    sink: Sink
    clock: Clock
    logins: Mapping[str, Login]


async def _prepare(
    settings: Settings, store: Store, sink: Sink, clock: Clock, find: _FindName
) -> _Parts:
    """Find out what settings leave open. Raises UsageError."""
    resolver = DnsResolver(settings.dns.nameservers, settings.dns.timeout_s)
    try:
        named = await find(settings, resolver.ask)
        return _Parts(named, resolver, store, sink, clock, load_logins(settings.recipient.route))
    except BaseException:
        await resolver.close()
        raise


def _build(parts: _Parts, before: Engine | None = None) -> Engine:
    doctor, pacer = _outlasting(before, parts)
    # Read before it is ready, or all would wait at the first refusal.
    replaced = before.verifier if before else None
    verifier = _verifier(parts, pacer, doctor.is_fit, phrasebook(), replaced)
    search_calls = parts.store.search_calls
    means = _doctors().Means(parts.resolver, verifier.call_own, search_calls, is_synchronised)
    return Engine(verifier, doctor, means, pacer)


def _outlasting(before: Engine | None, parts: _Parts) -> tuple["Doctor", Pacer]:
    """What an engine hands on to the next."""
    pacer = before.pacer if before else Pacer(parts.settings.budget)
    if before and before.doctor.suits(parts.settings):
        return before.doctor, pacer
    return _make_doctor(parts), pacer


def _make_doctor(parts: _Parts) -> "Doctor":
    sources = partial(source_addresses, parts.settings)
    made: Doctor = _doctors().Doctor(
        parts.settings, parts.resolver, parts.clock, parts.sink, sources
    )
    return made


def _doctors() -> ModuleType:
    # Loaded when one is wanted: what is remembered is told without him, and what he goes by is much.
    return import_module(".engine.doctor", __package__)


def _verifier(
    parts: _Parts,
    pacer: Pacer,
    is_fit: Callable[[], Awaitable[bool]],
    book: Book,
    before: Verifier | None = None,
) -> Verifier:
    settings = parts.settings
    outside = Outside(
        resolver=parts.resolver,
        dialer=TcpDialer(
            clock=parts.clock,
            source_addresses=settings.identity.source_addresses,
            allowed_networks=settings.smtp.allowed_networks,
            own_addresses=own_addresses(settings),
        ),
        store=parts.store,
        clock=parts.clock,
        pacer=pacer,
        book=book,
        draw=random.random,
        organisation=organisations(),
        is_fit=is_fit,
        logins=parts.logins,
    )
    return Verifier(settings, outside, Exemptions.parse(settings), parts.sink, before)


class _OnCall:
    """A doctor who comes when it is first asked whether we are fit."""

    def __init__(self, parts: _Parts) -> None:
        self._parts = parts
        self._doctor: Doctor | None = None

    async def is_fit(self) -> bool:
        """Say whether callouts may be made."""
        identity = self._parts.settings.identity
        if not identity.require_fit:  # whatever he found; he attends to nobody else
            return bool(identity.contact)
        self._doctor = self._doctor or _make_doctor(self._parts)
        return await self._doctor.is_fit()

    async def close(self) -> None:
        if self._doctor:
            await self._doctor.close()


@asynccontextmanager
async def running_verifier(settings: Settings, sink: Sink) -> AsyncIterator[Verifier]:
    """A verifier with its store, for as long as the context lasts. Raises what `make_engine` does."""
    store = await open_store(settings, sink)
    try:
        async with _verifier_on(store, settings, sink) as verifier:
            yield verifier
    finally:
        await store.close()


@asynccontextmanager
async def running_lists(settings: Settings, sink: Sink) -> AsyncIterator["Bulk"]:
    """What works on lists, with its verifier and its store. Raises what `make_engine` does."""
    bulk = import_module(".engine.bulk", __package__)  # nobody else waits for it to be loaded
    store = await open_store(settings, sink)
    try:
        async with _verifier_on(store, settings, sink) as verifier:
            yield bulk.Bulk(settings, verifier, store.jobs, SystemClock(), sink)
    finally:
        await store.close()


@asynccontextmanager
async def _verifier_on(store: Store, settings: Settings, sink: Sink) -> AsyncIterator[Verifier]:
    parts = await _prepare(settings, store, sink, SystemClock(), require_name)
    doctor = _OnCall(parts)
    verifier = _verifier(parts, Pacer(settings.budget), doctor.is_fit, UnreadBook(phrasebook))
    try:
        yield verifier
    finally:
        await doctor.close()
        await verifier.close()


@asynccontextmanager
async def running_engine(settings: Settings, sink: Sink) -> AsyncIterator[Engine]:
    """An engine with its store, to be examined: one without a name is no mistake here."""
    store = await open_store(settings, sink)
    try:
        engine = _build(await _prepare(settings, store, sink, SystemClock(), find_name))
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        await store.close()
