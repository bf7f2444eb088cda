"""What people change by way of pages."""

import asyncio

import pytest

from http_fakes import TOKEN, TOKENS, HttpSite
from page_fakes import Browser, Reader, fill
from ringback.doors.http.limits import Limits
from ringback.doors.http.sessions import FORM, SESSION
from ringback.values.events import Answered
from ringback.values.verdict import Reason


@pytest.fixture
def browser(site: HttpSite) -> Browser:
    return Browser(site)


async def test_an_address_is_asked_about_now(site: HttpSite, browser: Browser) -> None:
    site.engine.verdicts["ann"] = Reason.ACCEPTED
    seal = await browser.seal()
    answer = await browser.send("/lookup", address=" ann@shop.example ", seal=seal)
    [query] = site.engine.queries

    assert 200 == answer.status_code
    assert "deliverable accepted asked now" in Reader(answer.text).text
    assert ("ann@shop.example", None, True) == (query.address, query.client, query.fresh)
    assert [Answered] == [type(event) for event in site.events if isinstance(event, Answered)]


async def test_what_cannot_be_asked_about_is_told(site: HttpSite, browser: Browser) -> None:
    answer = await browser.send("/lookup", address="no address", seal=await browser.seal())

    assert 422 == answer.status_code
    assert [] == site.engine.queries


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("ann@shop.example", "/lookup?address=ann@shop.example&forgotten=1"),
        ("shop.example", "/cache?q=shop.example&forgotten=2"),
        ("192.0.2.1", "/cache?q=192.0.2.1&forgotten=2"),
    ],
)
async def test_what_is_forgotten_is_gone(
    site: HttpSite, browser: Browser, pattern: str, place: str
) -> None:
    fill(site, "no")
    seal = await browser.seal("/lookup?address=ann@shop.example")
    answer = await browser.send("/forget", pattern=pattern, seal=seal)
    again = await browser.send("/forget", pattern=pattern, seal=seal)

    assert (303, place) == (answer.status_code, answer.headers["location"])
    assert again.headers["location"].endswith("forgotten=0")
    assert "Forgotten: " in (await browser.read(place)).text


@pytest.mark.parametrize("path", ["/lookup", "/forget", "/logout"])
@pytest.mark.parametrize("seal", ["", "0" * 64, None])
async def test_a_form_of_nobody_changes_nothing(
    site: HttpSite, browser: Browser, path: str, seal: str | None
) -> None:
    fill(site, "no")
    await browser.open("/")
    fields = {"address": "ann@shop.example", "pattern": "shop.example"}
    wanted = {"/lookup": "address", "/forget": "pattern"}.get(path)
    given = {wanted: fields[wanted]} if wanted else {}
    answer = await browser.send(path, **given, **({} if seal is None else {"seal": seal}))

    assert 403 == answer.status_code
    assert [] == site.engine.queries
    assert await site.store.load("ann@shop.example")


async def test_a_seal_of_another_browser_is_none(site: HttpSite, browser: Browser) -> None:
    theirs = await Browser(site).seal()
    await browser.open("/")
    answer = await browser.send("/forget", pattern="shop.example", seal=theirs)

    assert 403 == answer.status_code


async def test_another_sites_page_changes_nothing(site: HttpSite, browser: Browser) -> None:
    seal = await browser.seal()
    headers = {
        "cookie": f"{FORM}={browser.cookies[FORM]}",
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "cross-site",
    }
    body = f"pattern=shop.example&seal={seal}".encode()
    answer = await site.ask("POST", "/forget", content=body, headers=headers)

    assert 403 == answer.status_code


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"pattern=%ff", 400),
        ("application/x-www-form-urlencoded", "pattern=ä".encode(), 400),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 20), 400),
        ("application/x-www-form-urlencoded", b"x" * 100_000, 413),
    ],
)
async def test_what_is_no_form_is_a_problem(
    site: HttpSite, kind: str, body: bytes, status: int
) -> None:
    answer = await site.ask("POST", "/forget", content=body, headers={"content-type": kind})

    assert status == answer.status_code


@pytest.mark.parametrize(
    "fields", [{}, {"pattern": "a\x00b"}, {"pattern": "no domain"}, {"pattern": "a.b", "more": "x"}]
)
async def test_fields_are_read_strictly(browser: Browser, fields: dict[str, str]) -> None:
    answer = await browser.send("/forget", seal=await browser.seal(), **fields)

    assert 422 == answer.status_code


async def test_a_token_opens_the_pages_and_stays_out_of_them(
    site: HttpSite, browser: Browser
) -> None:
    site.tokens = TOKENS
    seal = await browser.seal("/login")
    answer = await browser.send("/login", token=TOKEN, seal=seal)
    page = await browser.open("/lookup?address=ann@shop.example")
    cookie = answer.headers["set-cookie"]

    assert (303, "/") == (answer.status_code, answer.headers["location"])
    assert cookie.startswith(f"{SESSION}=")
    assert "; HttpOnly; SameSite=Strict" in cookie
    assert 200 == page.status_code
    assert TOKEN not in cookie + page.text


async def test_who_logs_out_is_out(site: HttpSite, browser: Browser) -> None:
    site.tokens = TOKENS
    await browser.send("/login", token=TOKEN, seal=await browser.seal("/login"))
    before = dict(browser.cookies)
    answer = await browser.send("/logout", seal=await browser.seal())
    with_old_cookie = await Browser(site, before).open("/")

    assert (303, "/login") == (answer.status_code, answer.headers["location"])
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert 303 == with_old_cookie.status_code


async def test_a_wrong_token_is_told_and_guessing_is_slow(site: HttpSite, browser: Browser) -> None:
    site.tokens, site.limits = TOKENS, Limits(failures_per_hour_each=8)
    seal = await browser.seal("/login")
    answers = [await browser.send("/login", token="wrong", seal=seal) for _ in range(3)]
    right = await browser.send("/login", token=TOKEN, seal=seal)

    assert [422, 422, 429] == [answer.status_code for answer in answers]
    assert "That is no token" in answers[0].text
    assert 303 == right.status_code


async def test_without_tokens_there_is_nothing_to_log_in_to(browser: Browser) -> None:
    answer = await browser.open("/login")

    assert (303, "/") == (answer.status_code, answer.headers["location"])


async def test_a_cookie_is_kept_to_tls_where_the_browser_came_by_it(site: HttpSite) -> None:
    headers = {"accept": "text/html", "origin": "https://ringback.example"}
    by_tls = await site.ask("GET", "/", headers=headers)
    in_clear = await site.ask("GET", "/", headers={"accept": "text/html"})

    assert ["Secure" in answer.headers["set-cookie"] for answer in (by_tls, in_clear)] == [
        True,
        False,
    ]


async def test_who_waits_for_a_callout_holds_up_nobody(site: HttpSite, browser: Browser) -> None:
    site.engine.verdicts["slow"] = gate = asyncio.Event()
    seal = await browser.seal()
    asking = asyncio.create_task(browser.send("/lookup", address="slow@shop.example", seal=seal))
    await site.engine.arrivals.get()
    meanwhile = await browser.open("/")
    gate.set()

    assert [200, 200] == [meanwhile.status_code, (await asking).status_code]
