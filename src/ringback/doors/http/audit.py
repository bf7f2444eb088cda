"""The pages of the audit: who was called, when, why, and what was said; and the same as a file.

Not here: the same for programs (stored.py), rows and columns (doors/calls.py).
"""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from ...values.calls import Call
from .answering import page, read_pattern
from .bodies import MAX_ADDRESS_CHARS, AnyRequest, Door, read_query
from .door import HttpDoor
from .stored import CSV, since_at, write_csv
from .views import view_of_call

MAX_CALLS = 50  # on a page
MAX_CALLS_OF_FILE = 10_000
# What the page offers; any span or instant is taken.
SINCE = (
    ("", "any time"),
    ("1h", "the last hour"),
    ("1d", "the last day"),
    ("7d", "the last week"),
    ("4w", "the last 4 weeks"),
)


class AuditQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    q: Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)] = ""
    since: Annotated[str, Meta(max_length=64)] = ""


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
    return Response(await write_csv(calls), media_type=CSV, headers=headers)


ROUTES: tuple[HTTPRouteHandler, ...] = (audit, audit_csv)


async def _calls(door: HttpDoor, wanted: AuditQuery, most: int) -> tuple[Call, ...]:
    since = since_at(wanted.since or None, door.clock.now())
    sought = wanted.q.strip()
    if not sought:
        return ()
    return await door.store.search_calls(read_pattern(sought), since, most)


def _choices(since: str) -> tuple[tuple[str, str], ...]:
    known = {value for value, _ in SINCE}
    return SINCE if since in known else (*SINCE, (since, since))
