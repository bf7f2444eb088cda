"""The pages of the dashboard, as a browser without JavaScript gets them."""

import asyncio
import re
from itertools import pairwise

import httpx
import pytest

from door_fakes import NOON
from http_fakes import TOKENS, WITH_TOKEN, HttpSite
from page_fakes import BROWSER, HOSTILE, IP, Browser, Reader, fill
from ringback.doors.http.pages import MAX_ENTRIES
from ringback.doors.http.rendering import POLICY
from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.values.events import CalledOut, Examined
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.settings import Policy
from ringback.values.verdict import Reason

PAGES = (
    "/",
    "/?span=day",
    "/lookup",
    "/lookup?address=ann@shop.example",
    "/lookup?address=unheard.of@shop.example",
    "/lookup?address=no%20address",
    "/lookup?address=ann@shop.example&forgotten=2",
    "/domain?name=shop.example",
    f"/host?ip={IP}",
    "/audit",
    "/audit?q=shop.example&since=7d",
    "/audit?q=shop.example&since=3h",
    "/breakers",
    "/cache",
    "/cache?q=shop.example&forgotten=0",
    "/doctor",
    "/settings",
)
# Elements that have no end.
_VOID = {"meta", "link", "wbr", "input", "br", "rect", "path"}


@pytest.fixture
def browser(site: HttpSite) -> Browser:
    return Browser(site)


def require_whole(answer: httpx.Response) -> Reader:
    """Require what every page owes to those who read it."""
    page = Reader(answer.text)
    ids = [given["id"] for _, given in page.elements if "id" in given]
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    labels = {given["for"] for given in page.all("label") if "for" in given}
    fields = [given for given in page.all("input") if given.get("type") != "hidden"]

    assert "text/html; charset=utf-8" == answer.headers["content-type"]
    assert [{"lang": "en"}] == page.all("html")
    assert len(ids) == len(set(ids))
    assert 1 == headings.count(1)
    assert all(deeper <= before + 1 for before, deeper in pairwise(headings))
    assert all(given["id"] in labels for given in (*fields, *page.all("select")))
    assert all(given.get("scope") in ("col", "row") for given in page.all("th"))
    assert len(page.all("table")) == len(page.all("caption"))
    return page


def require_strict(answer: httpx.Response, page: Reader) -> None:
    """Require that nothing outside is asked, and nothing inside is inline."""
    assert POLICY == answer.headers["content-security-policy"]
    assert "no-store" == answer.headers["cache-control"]
    assert "same-origin" == answer.headers["referrer-policy"]
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in page.links)
    assert all(given.get("src") for given in page.all("script"))
    assert [] == page.all("style")
    assert all(
        not name.startswith("on") and name != "style"
        for _, given in page.elements
        for name in given
    )


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_whole_when_nothing_has_happened(browser: Browser, path: str) -> None:
    answer = await browser.open(path)

    assert 200 == answer.status_code
    require_strict(answer, require_whole(answer))


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_that_others_write_gets_out_of_its_place(
    site: HttpSite, browser: Browser, path: str
) -> None:
    fill(site, HOSTILE)
    answer = await browser.open(path)
    page = require_whole(answer)

    require_strict(answer, page)
    assert "<script>alert" not in answer.text
    assert all(char not in answer.text for char in "\x1b\u202e")
    assert len(answer.text) < 400_000
    assert all(given["src"].startswith("/static/") for given in page.all("script"))


@pytest.mark.parametrize(
    ("listen", "asked"),
    [
        (("127.0.0.1:10040", "unix:/run/ringback/policy"), "inet:127.0.0.1:10040"),
        (("unix:/run/ringback/policy",), "unix:/run/ringback/policy"),
        ((), "inet:127.0.0.1:10040"),
    ],
)
async def test_the_first_page_says_what_postfix_needs(
    site: HttpSite, browser: Browser, listen: tuple[str, ...], asked: str
) -> None:
    site.settings = site.settings.but(policy=Policy(listen=listen))
    answer = await browser.open("/")

    line = f"check_policy_service {{ {asked}, default_action=DUNNO, timeout=20s }}"
    assert f"<code>{line}</code>" in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_every_element_has_its_end(site: HttpSite, browser: Browser, path: str) -> None:
    fill(site, "550 no")
    text = (await browser.open(path)).text
    opened = re.findall(r"<([a-z][a-z0-9]*)", text)
    closed = re.findall(r"</([a-z][a-z0-9]*)", text)

    assert sorted(tag for tag in opened if tag not in _VOID) == sorted(closed)


async def test_the_first_page_tells_what_happens(site: HttpSite, browser: Browser) -> None:
    fill(site, "no such user here")
    page = await browser.read("/")

    assert "Unfit to call: no such user here" in page.text
    assert "Answers 2 1 for mail" in page.text
    assert "SPF fail" in page.text
    assert "passes else: refused" in page.text
    assert "open: not called" in page.text
    assert "Reload" in page.text
    assert ["/live?span=hour"] == [given["data-live"] for given in page.all("div", id="live")]


async def test_a_quiet_service_says_since_when(browser: Browser) -> None:
    page = await browser.read("/")

    assert "Since 2027-01-15 08:00:00 no mail server and no program has asked" in page.text
    assert "answered at policy 127.0.0.1:10040" in page.text
    assert "Nobody is being called at this moment" in page.text
    assert "The doctor has not looked" in page.text


async def test_a_burden_for_nothing_is_told(site: HttpSite, browser: Browser) -> None:
    for _ in range(100):
        site.door.recent.hear(CalledOut("a@b.example", "sender", 1, (), "accepted", "", 1.0))

    assert "Callouts may not be worth it here" in (await browser.read("/")).text


async def test_a_store_that_fails_leaves_the_rest(
    site: HttpSite, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("disk full", "make room")

    for name in ("load_facts", "list_facts", "is_used_up", "stats"):
        monkeypatch.setattr(site.store, name, fail)
    first = await browser.open("/")
    cache = await browser.open("/cache")
    domain = await browser.open("/domain?name=shop.example")

    assert [200, 200, 503] == [answer.status_code for answer in (first, cache, domain)]
    assert "The store cannot be used" in first.text
    assert "did not say in time" in cache.text
    assert "<h1>Service Unavailable</h1>" in domain.text


@pytest.mark.parametrize(
    ("sought", "place"),
    [
        ("", "/lookup"),
        ("%20ann@shop.example%20", "/lookup?address=ann@shop.example"),
        ("Shop.Example", "/domain?name=shop.example"),
        ("192.0.2.1", "/host?ip=192.0.2.1"),
        ("2001:DB8::1", "/host?ip=2001%3Adb8%3A%3A1"),
    ],
)
async def test_one_field_finds_all(browser: Browser, sought: str, place: str) -> None:
    answer = await browser.open(f"/find?q={sought}")

    assert (303, place) == (answer.status_code, answer.headers["location"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/find?q=no%20domain", 422),
        ("/domain?name=ann@shop.example", 422),
        ("/domain?name=192.0.2.1", 422),
        ("/domain", 422),
        ("/host?ip=shop.example", 422),
        ("/audit?q=shop.example&since=yesterday", 422),
        ("/cache?q=%00", 422),
        ("/lookup?address=" + "x" * 1_001, 422),
        ("/?span=year", 422),
        ("/doctor?x=1", 422),
    ],
)
async def test_what_cannot_be_shown_is_a_page_too(browser: Browser, path: str, status: int) -> None:
    answer = await browser.open(path)

    assert status == answer.status_code
    require_strict(answer, require_whole(answer))


async def test_a_program_gets_a_document_instead(site: HttpSite) -> None:
    answer = await site.ask("GET", "/nope")

    assert "application/problem+json" == answer.headers["content-type"]


async def test_an_address_has_its_account(site: HttpSite, browser: Browser) -> None:
    fill(site, "no such user here")
    page = await browser.read("/lookup?address=ann@Shop.Example")

    assert "undeliverable no such mailbox" in page.text
    assert "550 no such user here" in page.text
    assert "would change the mailbox being made" in page.text
    assert "Believed until 2027-01-16 08:00:00" in page.text
    assert f"/host?ip={IP}" in page.links


async def test_nobody_is_asked_by_looking(site: HttpSite, browser: Browser) -> None:
    for path in PAGES:
        await browser.open(path)

    assert [] == site.engine.queries


async def test_a_doubtful_entry_is_told_as_it_would_answer(
    site: HttpSite, browser: Browser
) -> None:
    known = Entry(
        "ann@shop.example", Reason.ACCEPTED, True, "x", NOON, NOON + 9_999, doubted_at=NOON
    )
    site.store.save(known)

    assert (
        "it is asked again before that counts"
        in (await browser.read("/lookup?address=ann@shop.example")).text
    )


async def test_a_domain_and_a_host_have_all_that_is_known(site: HttpSite, browser: Browser) -> None:
    fill(site, "no")
    domain = await browser.read("/domain?name=shop.example")
    host = await browser.read(f"/host?ip={IP}")

    assert "refuses addresses that nobody has" in domain.text
    assert "15 of 15" in domain.text
    assert "half-open: one trial at a time" in host.text
    assert "2 refusals in a row" in host.text
    assert "newcomers wait 5 min" in host.text
    assert "refused recipients of this host" in host.text


async def test_what_is_much_is_cut(site: HttpSite, browser: Browser) -> None:
    for number in range(MAX_ENTRIES + 5):
        entry = Entry(f"a{number}@shop.example", Reason.ACCEPTED, True, "x", NOON, NOON + 9)
        site.store.save(entry)
    page = await browser.read("/cache?q=shop.example")

    assert f"The newest {MAX_ENTRIES} are shown" in page.text


async def test_the_doctor_gives_remedies(site: HttpSite, browser: Browser) -> None:
    fatal = Finding(Aspect.CONTACT, Severity.FATAL, "nobody to complain to", "set identity.contact")
    site.door.metrics.hear(Examined(Fitness((fatal,)), may_call=False))
    page = await browser.read("/doctor")
    lookup = await browser.read("/lookup?address=ann@shop.example")

    assert "Nobody is called: nobody to complain to" in page.text
    assert "Remedy: set identity.contact" in page.text
    assert 1 == len([given for given in lookup.all("button") if "disabled" in given])


async def test_where_tokens_are_wanted_a_browser_is_led_to_the_door(
    site: HttpSite, browser: Browser
) -> None:
    site.tokens = TOKENS
    for path in PAGES:
        answer = await browser.open(path)

        assert (303, "/login") == (answer.status_code, answer.headers["location"])
    with_token = await site.ask("GET", "/", headers={**BROWSER, **WITH_TOKEN})

    assert 200 == with_token.status_code


async def test_many_may_read_at_once(site: HttpSite, browser: Browser) -> None:
    fill(site, "no")
    answers = await asyncio.gather(*(browser.open(path) for path in PAGES))

    assert {200} == {answer.status_code for answer in answers}
