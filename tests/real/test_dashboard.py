"""The dashboard in a real Chromium: live, by keyboard, for screen readers, on a phone and on a wide screen.

With SCREENSHOTS=docs/screenshots in the environment, as `make screenshots` has it, the pictures of the docs
are made anew.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from ringback.doors.configuration import STANDARD_PATH, Loaded, load_settings
from ringback.doors.service import Service
from ringback.lab.policy_client import PolicyClient
from ringback.lab.world import World
from ringback.net.clock import SystemClock
from ringback.values.events import Event, Lifecycle

from .conftest import Servers
from .servers import chromium

pytestmark = pytest.mark.real_more

AXE = Path(__file__).with_name("vendor") / "axe.min.js"
# The narrowest that are still sold, and what most have.
NARROW, PHONE = ViewportSize(width=360, height=800), ViewportSize(width=390, height=844)
LAPTOP, WIDE = ViewportSize(width=1280, height=800), ViewportSize(width=1600, height=1000)
PAGES = {
    "now": "/",
    "day": "/?span=day",
    "lookup": "/lookup",
    "account": "/lookup?address=invented@shop.example",
    "domain": "/domain?name=shop.example",
    "host": "/host?ip={ip}",
    "breakers": "/breakers",
    "audit": "/audit?q=shop.example",
    "cache": "/cache?q=shop.example",
    "recipients": "/cache?q=lab.example",
    "recipient": "/lookup?address=postmaster@lab.example",
    "doctor": "/doctor",
    "settings": "/settings",
    "problem": "/nothing",
}
# What the docs show: a page, a screen, a theme.
PICTURES = (
    ("now", "/", LAPTOP, "light"),
    ("now-dark", "/", WIDE, "dark"),
    ("now-phone", "/", PHONE, "light"),
    ("account", "/lookup?address=invented@shop.example", LAPTOP, "light"),
    ("domain-dark", "/domain?name=shop.example", LAPTOP, "dark"),
    ("settings", "/settings", LAPTOP, "light"),
    ("doctor", "/doctor", LAPTOP, "light"),
)
SENDERS = (
    *("ann@shop.example", "orders@shop.example", "ann@shop.example", "invented@shop.example"),
    *("", "ann@nullmx.example", "ann@nosuch.example", "bob@nobounce.example"),
    *("ann@blocklisted.example", "ann@greylist.example", "nobody@acceptall.example"),
)
HOUR_S, STEP_S = 3_600.0, 60.0
SETTINGS = """
[etiquette]
call_when = "always"

[policy]
listen = ["127.0.0.1:0"]
mode = "enforce"
own_domains = ["lab.example"]

[http]
listen = "127.0.0.1:0"

[store]
url = "memory:"

[[recipient.route]]
domain = "lab.example"
host = "mx.lab.example"
port = {port}
"""


class LateClock(SystemClock):
    """The system's clock, `behind_s` behind: an hour passes as fast as a test wants."""

    behind_s = HOUR_S

    def now(self) -> float:
        return super().now() - self.behind_s

    def elapsed(self) -> float:
        return super().elapsed() - self.behind_s


@dataclass
class Site:
    """A service with the lab outside, and an hour of mail behind it."""

    loaded: Loaded
    clock: LateClock = field(default_factory=LateClock)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.service = Service(lambda: self.loaded, self.hear, {}, self.clock)

    def hear(self, event: Event) -> None:
        if isinstance(event, Lifecycle) and event.what == "ready":
            self.ready.set()

    @property
    def url(self) -> str:
        return f"http://{self.service.addresses[1]}"

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.service.run())
        await self.ready.wait()
        try:
            yield
        finally:
            self.service.stop()
            await running

    async def ask(self, sender: str, recipient: str = "you@ours.example") -> None:
        """Ask as an MTA does."""
        client = PolicyClient(self.service.addresses[0])
        request = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "sender": sender}
        try:
            await client.ask({**request, "client_address": "198.51.100.7", "recipient": recipient})
        finally:
            await client.close()

    async def live_through_an_hour(self) -> None:
        draw = Random(7)
        for recipient in ("postmaster@lab.example", "nobody@lab.example"):
            await self.ask("", recipient)
        while self.clock.behind_s > 0:
            busy = 1 + int(4 * (self.clock.behind_s % 1_500) / 1_500)
            for sender in draw.choices(SENDERS, k=draw.randint(busy - 1, busy + 1)):
                made_up = f"{draw.randrange(999)}" if sender and draw.random() < 0.3 else ""
                await self.ask(f"{made_up}{sender}")
            self.clock.behind_s = max(0.0, self.clock.behind_s - STEP_S)


@dataclass
class Reader:
    """Somebody at a browser, and what the browser complained of."""

    browser: Browser
    site: Site
    complaints: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def at(
        self, screen: ViewportSize = LAPTOP, theme: str = "light", *, scripts: bool = True
    ) -> AsyncIterator[Page]:
        context = await self.browser.new_context(
            viewport=screen,
            color_scheme="dark" if theme == "dark" else "light",
            java_script_enabled=scripts,
            base_url=self.site.url,
        )
        page = await context.new_page()
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._require_own)
        try:
            yield page
        finally:
            await context.close()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "404" not in text:
            self.complaints.append(text)

    def _require_own(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith((self.site.url, "data:")):
            self.complaints.append(f"asked outside: {url}")


@pytest.fixture(scope="module")
def launcher(servers: Servers) -> Iterator[Path]:
    box = servers.box("chromium", chromium.fetch)
    yield chromium.launcher(box.root, box.home)


@pytest.fixture
async def reader(launcher: Path, tmp_path: Path) -> AsyncIterator[Reader]:
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(World())
        config = tmp_path / "ringback.toml"
        config.write_text(world.settings_toml + SETTINGS.format(port=world.smtp_port))
        loaded = load_settings(str(config), {"RINGBACK_SMTP__TLS": "opportunistic"})
        # As on a real machine: the pictures of the docs show it.
        sources = {
            key: STANDARD_PATH if source == str(config) else source
            for key, source in loaded.sources.items()
        }
        site = Site(loaded.but(sources=sources))
        await stack.enter_async_context(site.up())
        await site.live_through_an_hour()
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(
            executable_path=str(launcher), args=["--no-sandbox"]
        )
        stack.push_async_callback(browser.close)
        reader = Reader(browser, site)
        yield reader
        assert [] == reader.complaints


async def faults_of(page: Page) -> list[str]:
    """What axe finds on a page, in words."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run()")
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
    ]


async def overflow_of(page: Page) -> int:
    """By how many pixels a page is wider than its screen."""
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", [NARROW, LAPTOP], ids=["narrow", "laptop"])
async def test_axe_finds_nothing_on_any_page(
    reader: Reader, screen: ViewportSize, theme: str
) -> None:
    async with reader.at(screen, theme) as page:
        await page.goto("/audit?q=blocklisted.example")
        host = await page.locator("a[href^='/host']").first.get_attribute("href")
        for path in PAGES.values():
            await page.goto(str(host) if path.startswith("/host") else path)
            await page.evaluate(
                "document.querySelectorAll('details').forEach(it => it.open = true)"
            )

            assert [] == await faults_of(page), path
            assert await overflow_of(page) <= 0, path


async def test_what_happens_shows_by_itself(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        await page.get_by_text("Live", exact=True).wait_for()
        before = await page.locator(".tile dd").first.inner_text()
        await reader.site.ask("brand-new@shop.example")
        await page.get_by_role("link", name="brand-new@shop.example").first.wait_for()
        await page.get_by_role("button", name="Pause").click()
        await page.get_by_text("Paused").wait_for()

        assert before != await page.locator(".tile dd").first.inner_text()
        assert 2 == await page.locator(".chart canvas").count()


async def test_a_callout_shows_while_it_is_under_way(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        await page.get_by_text("Nobody is being called at this moment").wait_for()
        asking = asyncio.create_task(reader.site.ask("ann@silent.example"))
        under_way = page.locator("[aria-labelledby=under-way-title]")
        await under_way.get_by_text("waits for the greeting").wait_for()
        told = await under_way.inner_text()
        age = under_way.locator(".age")
        before = await age.inner_text()
        await page.wait_for_function(
            "old => document.querySelector('.age').textContent != old", arg=before
        )
        faults = await faults_of(page)
        asking.cancel()
        await asyncio.wait({asking})

    assert "mx.silent.example" in told
    assert "for a mail from 198.51.100.7" in told
    assert [] == faults


async def test_hosts_that_refuse_us_are_told_with_their_words(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        told = await page.locator("[aria-labelledby=breakers-title]").inner_text()

    assert "mx.blocklisted.example" in told
    assert "listed by" in told
    assert "tried again" in told


async def test_a_pointer_at_a_chart_reads_it(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        await page.get_by_text("Live", exact=True).wait_for()
        await page.get_by_role("button", name="Pause").click()
        legend = page.locator("[data-legend=verdicts]")
        sums = await legend.inner_text()
        await page.locator("[data-chart=verdicts] .u-over").hover()
        there = await legend.inner_text()
        await page.mouse.move(0, 0)

        assert "from " in there
        assert sums == await legend.inner_text()


async def test_a_reader_loses_neither_place_nor_focus(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        await page.get_by_text("Live", exact=True).wait_for()
        summary = page.locator("summary").first
        await summary.focus()
        await page.keyboard.press("Enter")
        await reader.site.ask("brand-new@shop.example")
        await page.get_by_role("link", name="brand-new@shop.example").first.wait_for()

        assert await page.locator("details").first.evaluate("it => it.open")
        assert await summary.evaluate("it => it === document.activeElement")


async def test_an_address_is_looked_up_and_asked_about_by_keyboard_alone(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/")
        await page.keyboard.press("Tab")

        assert "Skip to the content" == await page.evaluate("document.activeElement.textContent")

        while await page.evaluate("document.activeElement.id") != "find":
            await page.keyboard.press("Tab")
        await page.keyboard.type("by-hand@shop.example")
        await page.keyboard.press("Enter")
        await page.get_by_text("Nothing is remembered of it").wait_for()
        while await page.evaluate("document.activeElement.textContent") != "Ask now":
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_text("asked now").wait_for()

        assert "no such mailbox" in await page.locator(".answer-head").inner_text()
        assert "550 5.1.1" in await page.locator(".dialogue").first.inner_text()

        while await page.evaluate("document.activeElement.textContent") != "Forget it":
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_text("Forgotten: 1 record").wait_for()


async def test_a_theme_is_chosen_and_stays(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/doctor")
        button = page.locator(".theme")
        for _ in range(2):
            await button.click()
        await page.goto("/settings")

        assert "Theme: dark" == await button.inner_text()
        assert "dark" == await page.evaluate("document.documentElement.dataset.theme")
        assert [] == await faults_of(page)


async def test_it_can_be_read_without_scripts(reader: Reader) -> None:
    async with reader.at(scripts=False) as page:
        await page.goto("/")
        told = await page.locator("main").inner_text()
        await page.get_by_role("searchbox").fill("invented@shop.example")
        await page.get_by_role("button", name="Find").click()
        await page.get_by_role("button", name="Ask now").click()

        assert "Reload to see what is new" in told
        assert "asked now" in await page.locator(".answer-head").inner_text()


async def test_the_settings_tell_where_they_come_from(reader: Reader) -> None:
    async with reader.at() as page:
        await page.goto("/settings")
        told = await page.locator("main").inner_text()

    assert f"from {STANDARD_PATH}" in told
    assert "RINGBACK_SMTP__TLS" in told


async def test_the_pictures_of_the_docs(reader: Reader, tmp_path: Path) -> None:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    slow = ("ann@silent.example", "bob@tarpit.example", "ann@tarpit.example")
    async with asyncio.TaskGroup() as askers:
        asking = [askers.create_task(reader.site.ask(sender)) for sender in slow]
        for name, path, screen, theme in PICTURES:
            async with reader.at(screen, theme) as page:
                await page.goto(path)
                if path == "/":
                    await page.get_by_text("Live", exact=True).wait_for()
                await page.screenshot(path=folder / f"{name}.png", animations="disabled")

                assert await overflow_of(page) <= 0
        for asker in asking:
            asker.cancel()
