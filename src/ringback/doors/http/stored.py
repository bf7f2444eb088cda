"""What is remembered, and who was called: /v1/cache/{address} and /v1/audit. Not here: the store."""

import asyncio
import csv
import io
from collections.abc import Sequence
from http import HTTPStatus

from litestar import HttpMethod, Response, get, route
from litestar.handlers import HTTPRouteHandler

from ...errors import UsageError
from ...values.calls import Call
from ..calls import COLUMNS, encode_call, row_of
from ..instants import parse_instant, parse_span
from ..remembered import encode_entry, encode_fact, parse_pattern, search
from .bodies import JSON, AnyRequest, AuditQuery, CacheQuery, Door, NoQuery, read_query, read_tail
from .problems import ProblemError
from .responses import json

CACHE = "/v1/cache/"
CSV = "text/csv"


# One handler for both: of two, Litestar tells OPTIONS of the one that was registered first.
@route(
    CACHE + "{tail:path}",
    http_method=[HttpMethod.GET, HttpMethod.DELETE],
    status_code=HTTPStatus.OK,
)
async def cache(request: AnyRequest, door: Door) -> Response[bytes]:
    """What is remembered of an address, a domain or a host; or have that forgotten."""
    answer = _forget if request.method == HttpMethod.DELETE else _show
    return await answer(request, door)


@get("/v1/audit")
async def audit(request: AnyRequest, door: Door) -> Response[bytes] | Response[str]:
    """Who was called about an address, a domain or a host, the newest first."""
    wanted = read_query(request, AuditQuery)
    pattern = _pattern(wanted.q)
    since = since_at(wanted.since, door.clock.now())
    calls = await door.store.search_calls(pattern, since, wanted.limit)
    if request.accept.best_match([JSON, CSV], default=JSON) == CSV:
        headers = {"content-disposition": 'attachment; filename="audit.csv"'}
        return Response(await write_csv(calls), media_type=CSV, headers=headers)
    # Thousands of calls take a second to write, and mail must not wait for it.
    encoded = await asyncio.to_thread(lambda: [encode_call(call) for call in calls])
    return json({"calls": encoded})


ROUTES: tuple[HTTPRouteHandler, ...] = (cache, audit)


async def _show(request: AnyRequest, door: Door) -> Response[bytes]:
    wanted = read_query(request, CacheQuery)
    pattern = _pattern(read_tail(request, CACHE))
    found = await search(door.store, pattern, wanted.limit)
    if not found.entries and not found.facts:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"nothing is remembered of {pattern}")
    now = door.clock.now()
    return json(
        {
            "entries": [encode_entry(entry, door.settings, now) for entry in found.entries],
            "facts": [encode_fact(fact, now) for fact in found.facts],
        }
    )


async def _forget(request: AnyRequest, door: Door) -> Response[bytes]:
    read_query(request, NoQuery)
    pattern = _pattern(read_tail(request, CACHE))
    return json({"forgotten": await door.store.forget(pattern)})


def _pattern(text: str) -> str:
    try:
        return parse_pattern(text)
    except UsageError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from None


def since_at(text: str | None, now: float) -> float:
    """Read an instant, or a span before now; None for always. Raises ProblemError."""
    if text is None:
        return 0.0
    span_s, at = parse_span(text), parse_instant(text)
    if span_s is not None:
        return now - span_s
    if at is None:
        why = "since is neither a span, such as 7d, nor an instant of RFC 3339"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, why)
    return at


async def write_csv(calls: Sequence[Call]) -> str:
    """Calls for a spreadsheet, written while mail is answered."""
    return await asyncio.to_thread(encode_csv, calls)


def encode_csv(calls: Sequence[Call]) -> str:
    """Calls for a spreadsheet."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows((COLUMNS, *map(row_of, calls)))
    return buffer.getvalue()
