"""The HTTP door in the running service, over a real socket, with the lab outside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from http_fakes import TOKEN, WITH_TOKEN
from ringback.doors.configuration import Loaded, load_settings
from ringback.doors.service import Service
from ringback.values.events import Answered, Event, Lifecycle, Trouble
from ringback.values.settings import Http, Settings

ASKED = {"address": "invented@shop.example"}


class Site:
    """A service whose settings a test changes, and what it told."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.but(http=Http(listen="127.0.0.1:0"))
        self.events: list[Event] = []
        self.ready: asyncio.Queue[None] = asyncio.Queue()
        self.service = Service(lambda: Loaded(self.settings), self.hear, {})

    def hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Lifecycle) and event.what == "ready":
            self.ready.put_nowait(None)

    @property
    def url(self) -> str:
        return f"http://{self.service.addresses[-1]}"

    def troubles(self) -> list[str]:
        return [event.what for event in self.events if isinstance(event, Trouble)]

    @asynccontextmanager
    async def up(self) -> AsyncIterator[httpx.AsyncClient]:
        running = asyncio.create_task(self.service.run())
        await self.wait_ready()
        try:
            async with httpx.AsyncClient(base_url=self.url) as client:
                yield client
        finally:
            self.service.stop()
            await running

    async def wait_ready(self) -> None:
        async with asyncio.timeout(10):
            await self.ready.get()

    async def reload(self, http: Http) -> None:
        self.settings = self.settings.but(http=http)
        self.service.reload()
        await self.wait_ready()


@pytest.fixture
def site(lab_settings: Path) -> Site:
    return Site(load_settings(str(lab_settings), {}).settings)


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


@pytest.mark.slow
async def test_a_program_is_answered_from_start_to_end(site: Site) -> None:
    async with site.up() as client:
        refused = await client.post("/v1/verify", json=ASKED)
        called = await client.get("/v1/audit", params={"q": "shop.example"})
        ready = await client.get("/readyz")
        counted = await client.get("/metrics")
        url = site.url

    assert ("undeliverable", "no_such_mailbox") == (
        refused.json()["verdict"],
        refused.json()["reason"],
    )
    assert ["invented@shop.example"] == [call["address"] for call in called.json()["calls"]]
    assert ready.json()["ready"]
    assert 'ringback_callouts_total{reason="no_such_mailbox"} 1.0' in counted.text
    assert 1 == len([event for event in site.events if isinstance(event, Answered)])
    assert "http: 127.0.0.1:" in next(
        event.detail for event in site.events if isinstance(event, Lifecycle)
    )
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/healthz")


@pytest.fixture
def loose_file(tmp_path: Path) -> Path:
    """Tokens that others can read."""
    path = tmp_path / "loose"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    return path


@pytest.mark.slow
async def test_a_reload_brings_tokens_to_open_connections(
    site: Site, tokens_file: Path, loose_file: Path
) -> None:
    async with site.up() as client:
        before = await client.get("/readyz")
        await site.reload(Http(listen="127.0.0.1:0", tokens_file=str(tokens_file)))
        without = await client.get("/readyz")
        after = await client.get("/readyz", headers=WITH_TOKEN)
        await site.reload(Http(listen="127.0.0.1:0", tokens_file=str(loose_file)))
        still = await client.get("/readyz", headers=WITH_TOKEN)

    answers = (before, without, after, still)
    assert [200, 401, 200, 200] == [answer.status_code for answer in answers]
    assert [f"chmod 640 {loose_file}"] == [what.rpartition("run: ")[2] for what in site.troubles()]


@pytest.mark.slow
async def test_a_reload_closes_and_opens_it(site: Site, tmp_path: Path) -> None:
    async with site.up() as client:
        url = site.url
        await site.reload(Http(listen=""))
        with pytest.raises(httpx.TransportError):
            await client.get(f"{url}/healthz")
        await site.reload(Http(listen=f"unix:{tmp_path}/http"))
        transport = httpx.AsyncHTTPTransport(uds=f"{tmp_path}/http")
        async with httpx.AsyncClient(transport=transport, base_url="http://any") as again:
            answer = await again.get("/readyz")

    assert 200 == answer.status_code
    assert [] == site.troubles()


@pytest.mark.slow
async def test_an_open_dashboard_holds_up_no_restart(site: Site) -> None:
    async with site.up() as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        first = [await anext(lines) for _ in range(3)]
        site.service.stop()
        rest = [line async for line in lines]

    assert ["retry: 1000", "", "event: now"] == first
    assert "" == rest[-1]
    assert [] == site.troubles()
