"""The stream behind the first page: what moves on it, rendered anew when something has happened.

Server-sent events (the HTML standard, section 9.2). A stream ends by itself before the guard would end it,
and at a reload or the end of the service; browsers then come back by themselves.
Not here: what is shown (views.py).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from ..recent import Span
from .bodies import AnyRequest, Door, read_query
from .door import HttpDoor
from .guard import LIVE
from .now import MAX_UNDER_WAY, now_of
from .problems import ProblemError
from .rendering import render

EVENT_STREAM = "text/event-stream"
MAX_STREAMS = 50  # open pages, of all people together
EVERY_S = 1.0  # how often we look; people read no faster
AGES_EVERY_S = 5.0  # how old what is under way is: pages count on by themselves meanwhile
LASTS_S = 90.0  # of one stream; below Limits.request_s and the patience of proxies
RETRY_MS = 1_000
_BEAT_EVERY = 15  # looks without news: the connection is shown to be alive


class LiveQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    span: Span = Span.HOUR


@dataclass(frozen=True, slots=True)
class _Shown:
    """What all who look on at one state see, and the state."""

    key: tuple[object, ...]
    text: str


class Board:
    """Renders each state once, however many look on."""

    def __init__(self, door: HttpDoor) -> None:
        self._door = door
        self._shown: dict[Span, _Shown] = {}
        self.streams = 0

    async def wait_text(self, span: Span, before: str) -> str:
        """What there is to see by now; "" where that is `before`."""
        door = self._door
        now = door.clock.now()
        progress = door.verifier.progress_nowait(MAX_UNDER_WAY)
        step_s = AGES_EVERY_S if progress else span.step_s
        under_way = door.verifier.under_way
        key = (door.recent.news, under_way, progress, now // step_s, door.metrics.examined)
        shown = self._shown.get(span)
        if shown is None or shown.key != key:
            view = await now_of(door, span)
            examined = door.metrics.examined
            text = render("now_parts.html", view=view, examined=examined, now=now, path="/")
            self._shown[span] = shown = _Shown(key, text)
        return "" if shown.text == before else shown.text


@get(LIVE)
async def live(request: AnyRequest, door: Door, board: NamedDependency[Board]) -> Stream:
    """The first page's changes, as they come."""
    span = read_query(request, LiveQuery).span
    if board.streams >= MAX_STREAMS:
        why = f"{MAX_STREAMS} pages are looking on, the most there may be; reload by hand"
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, why, ("retry-after", "60"))
    return Stream(_events(door, board, span), media_type=EVENT_STREAM)


ROUTES: tuple[HTTPRouteHandler, ...] = (live,)


async def _events(door: HttpDoor, board: Board, span: Span) -> AsyncIterator[str]:
    ends_at, turn = door.clock.elapsed() + LASTS_S, door.recent.turns
    before, quiet = "", 0
    board.streams += 1
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while door.clock.elapsed() < ends_at and door.recent.turns == turn:
            text = await board.wait_text(span, before)
            quiet = 0 if text else quiet + 1
            if text:
                before = text
                yield encode("now", text)
            elif quiet % _BEAT_EVERY == 0:
                yield ": still here\n\n"
            await door.clock.sleep(EVERY_S)
    finally:
        board.streams -= 1


def encode(name: str, text: str) -> str:
    """One event, with as many lines as it has."""
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"event: {name}\n{lines}\n"
