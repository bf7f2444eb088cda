"""The pages of the dashboard that read: each a GET, whole without JavaScript.

Not here: the audit (audit.py), the settings (configured.py), what changes something (forms.py), the stream
behind the first page (live.py), HTML (templates/).
"""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from ...assemble import flag_lists, organisations
from ...engine.ports import Store
from ...errors import AddressError, StoreError
from ...rules.flags import flags_of
from ...rules.forwarding import key_of, subject_of
from ...values.address import parse_address
from ...values.facts import Fact
from ...values.query import Purpose
from ...values.storage import StoreStats
from ..recent import Span
from . import assets, audit, configured, forms, live
from .allowances import (
    allowances,
    breakers_of,
    charges_of_domain,
    charges_of_host,
    open_breakers,
)
from .answering import go_to, page, read_pattern
from .bodies import MAX_ADDRESS_CHARS, AnyRequest, Door, NoQuery, read_query
from .door import HttpDoor
from .health import STORE_WAIT_S
from .now import now_of
from .problems import ProblemError
from .views import Account, account_of_entry, bars, view_of_call

MAX_ENTRIES = 50  # on a page

# The newest, with those among them that have closed; 10 µs each to read, and more than anybody does.
MAX_BREAKERS = 500
# What hosts of a domain say of senders, and what the host of its route says of recipients.
_KEPT_APART = (Purpose.SENDER, Purpose.RECIPIENT)
_Text = Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)]


class NowQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    span: Span = Span.HOUR


class FindQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    q: _Text = ""


class LookupQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    address: _Text = ""
    forgotten: Annotated[int, Meta(ge=0)] | None = None


class CacheQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    q: _Text = ""
    forgotten: Annotated[int, Meta(ge=0)] | None = None


class DomainQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    name: _Text


class HostQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    ip: _Text


@get("/")
async def now(request: AnyRequest, door: Door) -> Response[str]:
    """What is happening now."""
    wanted = read_query(request, NowQuery)
    return page(request, door, "now.html", view=await now_of(door, wanted.span))


@get("/find")
async def find(request: AnyRequest) -> Response[str]:
    """Lead on to what was typed into the search field."""
    sought = read_query(request, FindQuery).q.strip()
    if not sought:
        return go_to("/lookup")
    if "@" in sought:
        return go_to("/lookup", address=sought)
    pattern = read_pattern(sought)
    if _is_ip(pattern):
        return go_to("/host", ip=pattern)
    return go_to("/domain", name=pattern)


@get("/breakers")
async def breakers(request: AnyRequest, door: Door) -> Response[str]:
    """All hosts that refuse us, as many as are ever read."""
    read_query(request, NoQuery)
    found = await open_breakers(door.store, door.clock.now(), MAX_BREAKERS)
    return page(request, door, "breakers.html", breakers=found, most=MAX_BREAKERS)


@get("/lookup")
async def lookup(request: AnyRequest, door: Door) -> Response[str]:
    """What is remembered of an address, and why."""
    wanted = read_query(request, LookupQuery)
    return await show_address(request, door, wanted.address.strip(), forgotten=wanted.forgotten)


async def show_address(
    request: AnyRequest, door: HttpDoor, text: str, forgotten: int | None = None
) -> Response[str]:
    address, account, as_recipient, problem, flags = None, None, None, "", None
    if text:
        try:
            address = parse_address(text)
        except AddressError as error:
            problem = str(error)
    if address:
        flags = flags_of(address, flag_lists())
        account = await _remembered(door, key_of(address, Purpose.SENDER))
        as_recipient = await _remembered(door, key_of(address, Purpose.RECIPIENT))
    return page(
        request,
        door,
        "lookup.html",
        sought=text,
        address=address,
        account=account,
        as_recipient=as_recipient,
        problem=problem,
        flags=flags,
        asked=False,
        forgotten=forgotten,
        recent=door.recent,
    )


@get("/domain")
async def domain(request: AnyRequest, door: Door) -> Response[str]:
    """A domain: what is known of it, its budgets, its hosts and addresses."""
    name = read_pattern(read_query(request, DomainQuery).name)
    if "@" in name or _is_ip(name):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "that is no domain")
    store, at = door.store, door.clock.now()
    calls = await store.search_calls(name, 0.0, audit.MAX_CALLS)
    entries = await store.search(name, MAX_ENTRIES)
    facts = await _facts(store, [subject_of(name, purpose) for purpose in _KEPT_APART], at)
    charges = charges_of_domain(name, door.settings.budget, organisations())
    said = [step for entry in entries for step in entry.evidence]
    hosts = {step.ip: step.host for step in said if step.ip} | {
        call.ip: call.host for call in calls
    }
    of_hosts = await _facts(store, hosts, at)
    return page(
        request,
        door,
        "domain.html",
        domain=name,
        facts=facts,
        budgets=await allowances(store, charges, door.clock.elapsed()),
        breakers=breakers_of(of_hosts, at),
        hosts=sorted(hosts.items()),
        accounts=[account_of_entry(entry, door.settings, at) for entry in entries],
        calls=[view_of_call(call) for call in calls],
        most=MAX_ENTRIES,
    )


@get("/host")
async def host(request: AnyRequest, door: Door) -> Response[str]:
    """A host: what is known of it, its breaker, its budgets, and who was asked for there."""
    ip = read_pattern(read_query(request, HostQuery).ip)
    if not _is_ip(ip):
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "that is no IP address")
    store, at = door.store, door.clock.now()
    calls = await store.search_calls(ip, 0.0, audit.MAX_CALLS)
    domains = sorted({call.domain for call in calls})
    facts = await _facts(store, (ip, *(f"{ip} {name}" for name in domains)), at)
    charges = charges_of_host(ip, door.settings.budget, organisations())
    return page(
        request,
        door,
        "host.html",
        ip=ip,
        names=sorted({call.host for call in calls}),
        domains=domains,
        facts=facts,
        breakers=breakers_of(facts, at),
        budgets=await allowances(store, charges, door.clock.elapsed()),
        at_a_time=door.settings.budget.concurrent_per_host,
        calls=[view_of_call(call) for call in calls],
        most=audit.MAX_CALLS,
    )


@get("/cache")
async def cache(request: AnyRequest, door: Door) -> Response[str]:
    """What is remembered, and what of it can be forgotten."""
    wanted = read_query(request, CacheQuery)
    at, sought = door.clock.now(), wanted.q.strip()
    pattern = read_pattern(sought) if sought else ""
    entries = await door.store.search(pattern, MAX_ENTRIES) if pattern else ()
    subjects = [subject_of(pattern.rpartition("@")[2], purpose) for purpose in _KEPT_APART]
    facts = await _facts(door.store, subjects, at) if pattern else []
    stats = await _stats(door)
    return page(
        request,
        door,
        "cache.html",
        q=sought,
        pattern=pattern,
        accounts=[account_of_entry(entry, door.settings, at) for entry in entries],
        facts=facts,
        stats=stats,
        reasons=bars(stats.entries.items()) if stats else (),
        kinds=bars(stats.facts.items()) if stats else (),
        forgotten=wanted.forgotten,
        most=MAX_ENTRIES,
        recent=door.recent,
    )


@get("/doctor")
async def doctor(request: AnyRequest, door: Door) -> Response[str]:
    """What the doctor found of our own identity."""
    read_query(request, NoQuery)
    return page(request, door, "doctor.html", require_fit=door.settings.identity.require_fit)


ROUTES: tuple[HTTPRouteHandler, ...] = (
    now,
    find,
    lookup,
    domain,
    host,
    breakers,
    cache,
    doctor,
    *audit.ROUTES,
    *configured.ROUTES,
    *forms.ROUTES,
    *live.ROUTES,
    *assets.ROUTES,
)


def make_pages(door: HttpDoor) -> Router:
    """All pages of a door, for `make_app`."""
    board = live.Board(door)

    def this_board() -> live.Board:
        return board

    provided = {"board": Provide(this_board, sync_to_thread=False)}
    return Router("/", route_handlers=ROUTES, dependencies=provided)


async def _remembered(door: HttpDoor, key: str) -> Account | None:
    entry = await door.store.load(key)
    return account_of_entry(entry, door.settings, door.clock.now()) if entry else None


async def _facts(store: Store, subjects: Iterable[str], now: float) -> list[Fact]:
    """What holds of them now."""
    facts = [fact for subject in subjects for fact in await store.load_facts(subject)]
    return [fact for fact in facts if now < fact.expires_at]


async def _stats(door: HttpDoor) -> StoreStats | None:
    try:
        async with asyncio.timeout(STORE_WAIT_S):
            return await door.store.stats()
    except (StoreError, TimeoutError):
        return None


def _is_ip(pattern: str) -> bool:
    return ":" in pattern or pattern.replace(".", "").isdigit()
