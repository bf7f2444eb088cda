"""The pages of the dashboard that read: each a GET, whole without JavaScript.

Not here: what changes something (forms.py), the stream behind the first page (live.py), HTML (templates/).
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, Router, get
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from ...assemble import flag_lists, organisations
from ...errors import AddressError, StoreError
from ...rules.flags import flags_of
from ...values.address import parse_address
from ...values.calls import Call
from ...values.settings import Settings
from ...values.storage import StoreStats
from ..configuration import KEYS, value_of
from ..recent import Span
from ..toml import encode
from . import assets, forms, live
from .allowances import allowances, breakers_of, charges_of_domain, charges_of_host
from .answering import go_to, page, read_pattern
from .bodies import MAX_ADDRESS_CHARS, AnyRequest, Door, NoQuery, read_query
from .door import HttpDoor
from .health import STORE_WAIT_S
from .problems import ProblemError
from .stored import CSV, encode_csv, since_at
from .views import account_of_entry, bars, now_of, view_of_call

MAX_ENTRIES, MAX_CALLS = 100, 100  # on a page
MAX_CALLS_OF_FILE = 10_000

_Text = Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)]
# What the audit's page offers; any span or instant is taken.
SINCE = (("", "any time"), ("1h", "an hour"), ("1d", "a day"), ("7d", "a week"), ("4w", "4 weeks"))


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


class AuditQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    q: _Text = ""
    since: Annotated[str, Meta(max_length=64)] = ""


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


@get("/lookup")
async def lookup(request: AnyRequest, door: Door) -> Response[str]:
    """What is remembered of an address, and why."""
    wanted = read_query(request, LookupQuery)
    return await show_address(request, door, wanted.address.strip(), forgotten=wanted.forgotten)


async def show_address(
    request: AnyRequest, door: HttpDoor, text: str, forgotten: int | None = None
) -> Response[str]:
    address, account, problem, flags = None, None, "", None
    if text:
        try:
            address = parse_address(text)
        except AddressError as error:
            problem = str(error)
    if address:
        flags = flags_of(address, flag_lists())
        entry = await door.store.load(address.key)
        if entry is not None:
            account = account_of_entry(entry, door.settings, door.clock.now())
    return page(
        request,
        door,
        "lookup.html",
        sought=text,
        address=address,
        account=account,
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
    calls = await store.search_calls(name, 0.0, MAX_CALLS)
    entries = await store.search(name, MAX_ENTRIES)
    facts = [fact for fact in await store.load_facts(name) if at < fact.expires_at]
    charges = charges_of_domain(name, door.settings.budget, organisations())
    said = [step for entry in entries for step in entry.evidence]
    hosts = {step.ip: step.host for step in said if step.ip} | {
        call.ip: call.host for call in calls
    }
    of_hosts = [fact for ip in hosts for fact in await store.load_facts(ip)]
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
    calls = await store.search_calls(ip, 0.0, MAX_CALLS)
    domains = sorted({call.domain for call in calls})
    subjects = (ip, *(f"{ip} {name}" for name in domains))
    facts = [
        fact
        for subject in subjects
        for fact in await store.load_facts(subject)
        if at < fact.expires_at
    ]
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
        most=MAX_CALLS,
    )


@get("/audit")
async def audit(request: AnyRequest, door: Door) -> Response[str]:
    """Who was called, when, why, and what was said."""
    wanted = read_query(request, AuditQuery)
    calls = await _calls(door, wanted, MAX_CALLS)
    return page(
        request,
        door,
        "audit.html",
        q=wanted.q.strip(),
        since=wanted.since,
        choices=_choices(wanted.since),
        calls=[view_of_call(call) for call in calls],
        most=MAX_CALLS,
        recent=door.recent,
        keep_days=door.settings.etiquette.audit_keep_days,
    )


@get("/audit.csv")
async def audit_csv(request: AnyRequest, door: Door) -> Response[str]:
    """The same for a spreadsheet."""
    calls = await _calls(door, read_query(request, AuditQuery), MAX_CALLS_OF_FILE)
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return Response(encode_csv(calls), media_type=CSV, headers=headers)


@get("/cache")
async def cache(request: AnyRequest, door: Door) -> Response[str]:
    """What is remembered, and what of it can be forgotten."""
    wanted = read_query(request, CacheQuery)
    at, sought = door.clock.now(), wanted.q.strip()
    pattern = read_pattern(sought) if sought else ""
    entries = await door.store.search(pattern, MAX_ENTRIES) if pattern else ()
    facts = await door.store.load_facts(pattern.rpartition("@")[2]) if pattern else ()
    stats = await _stats(door)
    return page(
        request,
        door,
        "cache.html",
        q=sought,
        pattern=pattern,
        accounts=[account_of_entry(entry, door.settings, at) for entry in entries],
        facts=[fact for fact in facts if at < fact.expires_at],
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


@get("/settings")
async def settings(request: AnyRequest, door: Door) -> Response[str]:
    """The settings in force."""
    read_query(request, NoQuery)
    return page(request, door, "settings.html", sections=_sections(door.settings))


ROUTES: tuple[HTTPRouteHandler, ...] = (
    now,
    find,
    lookup,
    domain,
    host,
    audit,
    audit_csv,
    cache,
    doctor,
    settings,
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


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force."""

    key: str
    value: str
    says: str
    is_default: bool


def _sections(settings: Settings) -> dict[str, list[Setting]]:
    defaults = Settings()
    sections: dict[str, list[Setting]] = {}
    for key, known in KEYS.items():
        value = value_of(settings, key)
        setting = Setting(key, encode(value), known.says, value == value_of(defaults, key))
        sections.setdefault(key.partition(".")[0], []).append(setting)
    return sections


async def _calls(door: HttpDoor, wanted: AuditQuery, most: int) -> tuple[Call, ...]:
    since = since_at(wanted.since or None, door.clock.now())
    sought = wanted.q.strip()
    if not sought:
        return ()
    return await door.store.search_calls(read_pattern(sought), since, most)


async def _stats(door: HttpDoor) -> StoreStats | None:
    try:
        async with asyncio.timeout(STORE_WAIT_S):
            return await door.store.stats()
    except (StoreError, TimeoutError):
        return None


def _choices(since: str) -> tuple[tuple[str, str], ...]:
    known = {value for value, _ in SINCE}
    return SINCE if since in known else (*SINCE, (since, since))


def _is_ip(pattern: str) -> bool:
    return ":" in pattern or pattern.replace(".", "").isdigit()
