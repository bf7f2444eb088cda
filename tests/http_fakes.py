"""What the tests of the HTTP door share: an application in this process, and whoever asks it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from hashlib import sha256

import httpx
from litestar.types import ASGIApp

from door_fakes import NOON, FakeVerifier, Verdict
from fakes import FakeClock
from ringback.doors.http.app import make_app
from ringback.doors.http.door import HttpDoor
from ringback.doors.http.limits import Limits
from ringback.doors.http.pages import make_pages
from ringback.doors.http.tokens import Tokens
from ringback.engine.progress import UnderWay
from ringback.store.memory import MemoryStore
from ringback.values.events import Event
from ringback.values.query import Query, Report
from ringback.values.settings import Settings
from ringback.values.verdict import Reason

TOKEN = "correct-horse-battery-staple"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
TOKENS = Tokens(((3, sha256(TOKEN.encode()).digest()),))
JSON = {"content-type": "application/json"}


class FakeEngine(FakeVerifier):
    """An engine whose callouts go on beyond their askers' patience, as ours do."""

    def __init__(self, **verdicts: Verdict) -> None:
        super().__init__(**verdicts)
        self.flights: dict[str, asyncio.Future[Report]] = {}
        self.arrivals: asyncio.Queue[Query] = asyncio.Queue()
        self.progress: tuple[UnderWay, ...] = ()

    async def verify(self, asked: Query, /) -> Report:
        self.arrivals.put_nowait(asked)
        return await super().verify(asked)

    def progress_nowait(self, most: int, /) -> tuple[UnderWay, ...]:
        return self.progress[:most]

    def concluded_nowait(self, address: str, /) -> "asyncio.Future[Report] | None":
        return self.flights.get(address)


class HttpSite:
    """A door with everything behind it fake but the store, and what it told."""

    def __init__(self) -> None:
        self.engine, self.store, self.clock = FakeEngine(), MemoryStore(), FakeClock()
        self.clock.at = NOON
        self.settings, self.limits, self.tokens = Settings(), Limits(), Tokens()
        self.sources: Mapping[str, str] = {}
        self.events: list[Event] = []
        self.told = asyncio.Event()

    @cached_property
    def door(self) -> HttpDoor:
        return HttpDoor(
            self.engine,
            self.store,
            self.clock,
            self.hear,
            settings=self.settings,
            sources=self.sources,
            tokens=self.tokens,
            limits=self.limits,
        )

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self.told.set()

    @cached_property
    def app(self) -> ASGIApp:
        return make_app(self.door, [make_pages(self.door)])

    @asynccontextmanager
    async def client(
        self, url: str = "http://localhost", peer: str = "127.0.0.1"
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.app, client=(peer, 4711))  # type: ignore[arg-type]
        async with httpx.AsyncClient(base_url=url, transport=transport) as client:
            yield client

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        url: str = "http://localhost",
        peer: str = "127.0.0.1",
    ) -> httpx.Response:
        """Send one request."""
        async with self.client(url, peer) as client:
            return await client.request(method, path, json=body, content=content, headers=headers)


def provisional(asked: Query) -> Report:
    return Report(asked.address, Reason.DEADLINE, False, NOON, "no answer in time")
