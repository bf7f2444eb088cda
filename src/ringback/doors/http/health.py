"""How it is doing: /healthz, /readyz and /metrics. Not here: the counting (doors/metrics.py)."""

import asyncio
from http import HTTPStatus

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from ...engine.ports import Store
from ...errors import StoreError
from ...values.events import Examined
from ...values.facts import DomainFact, Fact
from ...values.fitness import Severity
from .bodies import AnyRequest, Door
from .door import HttpDoor
from .responses import json

# A store that takes longer holds up mail, too.
STORE_WAIT_S = 2.0
# Counting millions of records takes a second, and what is counted changes slowly.
COUNT_EVERY_S = 60.0
_MARK = "readyz.invalid"  # nobody can have a domain of that name
_CHARSET = "; charset=utf-8"


@get("/healthz", media_type=MediaType.TEXT)
async def healthz() -> str:
    """Whether the process answers at all."""
    return "ok\n"


@get("/readyz")
async def readyz(door: Door) -> Response[bytes]:
    """Whether questions can be answered."""
    problem = await _problem_of_store(door)
    examined = door.metrics.examined
    answer = {
        "ready": not problem,
        "store": problem or "usable",
        "may_call": examined.may_call if examined else None,
        "findings": _findings(examined) if examined else [],
    }
    return json(answer, HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK)


@get("/metrics")
async def metrics(request: AnyRequest, door: Door) -> Response[bytes]:
    """What was counted since the start, for Prometheus."""
    counted = door.metrics
    counted.note_flights(door.verifier.under_way)
    if counted.stats_are_older_than(COUNT_EVERY_S, door.clock.elapsed()):
        try:
            async with asyncio.timeout(STORE_WAIT_S):
                counted.note_stats(await door.store.stats(), door.clock.elapsed())
        except (StoreError, TimeoutError):
            counted.forget_stats()  # rather no number than an old one
    body, media_type = counted.encode(request.headers.get("accept", ""))
    if media_type.startswith("text/"):
        media_type = media_type.removesuffix(_CHARSET)  # which Litestar adds to all text
    return Response(body, media_type=media_type)


ROUTES: tuple[HTTPRouteHandler, ...] = (healthz, readyz, metrics)


async def _problem_of_store(door: HttpDoor) -> str:
    try:
        async with asyncio.timeout(STORE_WAIT_S):
            await _write_and_read(door.store, door.clock.now())
    except StoreError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {STORE_WAIT_S:g} s"
    return ""


async def _write_and_read(store: Store, now: float) -> None:
    """Raises StoreError also where the disk is full: without a write nobody may be called."""
    mark = Fact(_MARK, DomainFact.SELECTIVE, now, expires_at=now)  # over at once
    store.save_fact(mark)
    await store.flush()
    await store.load_facts(mark.subject)
    store.forget_fact(mark.subject, mark.kind)


def _findings(examined: Examined) -> list[dict[str, object]]:
    return [
        {
            "what": found.what,
            "severity": found.severity,
            "subject": found.subject,
            "text": found.text,
            "remedy": found.remedy,
        }
        for found in examined.fitness.findings
        if found.severity is not Severity.OK
    ]
