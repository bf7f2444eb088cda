"""What stands before every request, tried with clients that mean harm."""

import asyncio
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from litestar import get

from door_fakes import NOON, until
from http_fakes import TOKEN, TOKENS, WITH_TOKEN, HttpSite
from ringback.doors.http.app import make_app
from ringback.doors.http.guard import LIVE, Guard
from ringback.doors.http.limits import Limits
from ringback.values.events import DoorClosed, Requested, Trouble

ASKED = {"address": "ann@shop.example"}


def told(site: HttpSite, kind: type) -> list[Any]:
    return [event for event in site.events if isinstance(event, kind)]


def statuses(answers: Iterable[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_every_answer_is_safe_in_a_browser(site: HttpSite) -> None:
    for path in ("/healthz", "/readyz", "/nothing"):
        headers = (await site.ask("GET", path)).headers

        assert "nosniff" == headers["x-content-type-options"]
        assert "no-store" == headers["cache-control"]
        assert "default-src 'none'; frame-ancestors 'none'" == headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
        assert NOON == parsedate_to_datetime(headers["date"]).timestamp()


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/v1/cache/shop.example"])
async def test_a_head_is_that_of_a_get(site: HttpSite, path: str) -> None:
    whole, head = await site.ask("GET", path), await site.ask("HEAD", path)

    assert b"" == head.content
    assert (whole.status_code, whole.headers) == (head.status_code, head.headers)
    assert ["GET", "HEAD"] == [
        event.method for event in told(site, Requested)
    ] or path == "/healthz"


async def test_what_has_no_get_or_no_end_has_no_head(site: HttpSite) -> None:
    @get(LIVE)
    async def live() -> str:
        return "and so on"

    site.__dict__["app"] = make_app(site.door, [live])

    assert [405, 405] == statuses([await site.ask("HEAD", path) for path in ("/v1/verify", LIVE)])


async def test_a_page_of_ours_may_say_otherwise(site: HttpSite) -> None:
    @get("/page", response_headers={"Content-Security-Policy": "default-src 'self'"})
    async def page() -> str:
        return "hello"

    site.__dict__["app"] = make_app(site.door, [page])
    answer = await site.ask("GET", "/page")

    assert "default-src 'self'" == answer.headers["content-security-policy"]


# Who asks.


@pytest.mark.parametrize(
    "url", ["http://evil.example", "http://127.0.0.1.evil.example", "http://0.0.0.0"]
)
async def test_a_name_that_leads_here_by_dns_alone_is_refused(site: HttpSite, url: str) -> None:
    answer = await site.ask("GET", "/readyz", url=url)

    assert (421, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )


async def test_two_hosts_or_none_are_refused(site: HttpSite) -> None:
    async with site.client() as client:
        twice = httpx.Request(
            "GET", "http://localhost/readyz", headers=[("host", "localhost"), ("host", "evil")]
        )
        answer = await client.send(twice)

    assert 421 == answer.status_code


async def test_with_tokens_any_name_will_do(site: HttpSite) -> None:
    site.tokens = TOKENS
    answer = await site.ask("GET", "/readyz", url="http://ringback.example", headers=WITH_TOKEN)

    assert 200 == answer.status_code


async def test_another_sites_page_cannot_have_a_browser_ask(site: HttpSite) -> None:
    headers = {"sec-fetch-site": "cross-site"}
    answer = await site.ask("POST", "/v1/verify", ASKED, headers=headers)

    assert 403 == answer.status_code
    assert [] == site.engine.queries


@pytest.mark.parametrize(("mode", "status"), [("navigate", 200), ("no-cors", 403), ("cors", 403)])
async def test_another_sites_page_may_have_a_link_here(
    site: HttpSite, mode: str, status: int
) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode}

    assert status == (await site.ask("GET", "/readyz", headers=headers)).status_code


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, 'Bearer realm="ringback"'),
        ("Bearer wrong-wrong-wrong", 'Bearer realm="ringback", error="invalid_token"'),
        (f"Basic {TOKEN}", 'Bearer realm="ringback", error="invalid_token"'),
        (TOKEN, 'Bearer realm="ringback", error="invalid_token"'),
    ],
)
@pytest.mark.parametrize("path", ["/v1/verify", "/metrics", "/readyz", "/openapi.json", "/", "/x"])
async def test_without_a_token_there_is_nothing(
    site: HttpSite, path: str, authorization: str | None, challenge: str
) -> None:
    site.tokens = TOKENS
    headers = {"authorization": authorization} if authorization else {}
    answer = await site.ask("GET", path, headers=headers)

    assert 401 == answer.status_code
    assert challenge == answer.headers["www-authenticate"]
    assert TOKEN not in answer.text


async def test_whether_it_is_alive_anybody_may_ask(site: HttpSite) -> None:
    site.tokens = TOKENS
    answer = await site.ask("GET", "/healthz", url="http://any.example")

    assert (200, "ok\n") == (answer.status_code, answer.text)


async def test_with_a_token_it_answers(site: HttpSite) -> None:
    site.tokens = TOKENS
    answer = await site.ask("POST", "/v1/verify", ASKED, headers=WITH_TOKEN)

    assert 200 == answer.status_code
    assert ["token of line 3"] == [event.client for event in told(site, Requested)]


async def test_guessing_tokens_is_slow(site: HttpSite) -> None:
    site.tokens = TOKENS
    site.limits = Limits(failures_per_hour_each=8)
    wrong = {"authorization": "Bearer wrong"}
    answers = [await site.ask("GET", "/readyz", headers=wrong) for _ in range(3)]
    right = await site.ask("GET", "/readyz", headers=WITH_TOKEN)
    elsewhere = await site.ask("GET", "/readyz", headers=wrong, peer="192.0.2.9")

    assert [401, 401, 429, 200, 401] == statuses([*answers, right, elsewhere])
    assert "600" == answers[-1].headers["retry-after"]


# How much.


async def test_who_asks_too_fast_is_told_when_to_come_back(site: HttpSite) -> None:
    site.limits = Limits(per_hour_each=4)
    answers = [await site.ask("GET", "/readyz") for _ in range(2)]
    other = await site.ask("GET", "/readyz", peer="192.0.2.9")
    alive = await site.ask("GET", "/healthz")
    site.clock.advance(int(answers[1].headers["retry-after"]))
    later = await site.ask("GET", "/readyz")

    assert [200, 429, 200, 200, 200] == statuses([*answers, other, alive, later])
    assert "too fast" in answers[1].json()["detail"]


async def test_when_all_places_are_taken_it_says_so_and_that_it_lives(site: HttpSite) -> None:
    site.limits = Limits(in_flight=3)
    done = asyncio.Event()
    site.engine.verdicts["ann"] = done
    slow = [
        asyncio.create_task(site.ask("POST", "/v1/verify", ASKED, peer=f"192.0.2.{number}"))
        for number in (1, 2, 3)
    ]
    await until(lambda: site.engine.under_way == 3)
    full = await site.ask("POST", "/v1/verify", ASKED, peer="192.0.2.4")
    alive = await site.ask("GET", "/healthz")
    done.set()
    answers = await asyncio.gather(*slow)
    after = await site.ask("GET", "/readyz", peer="192.0.2.4")

    assert [200, 200, 200] == statuses(answers)
    assert [503, 200, 200] == statuses([full, alive, after])
    assert "1" == full.headers["retry-after"]


async def test_places_of_one_client_are_bounded(site: HttpSite) -> None:
    site.limits = Limits(in_flight_each=1)
    done = asyncio.Event()
    site.engine.verdicts["ann"] = done
    slow = asyncio.create_task(site.ask("POST", "/v1/verify", ASKED))
    await until(lambda: site.engine.under_way == 1)
    second = await site.ask("GET", "/readyz")
    done.set()

    assert [429, 200] == statuses([second, await slow])
    assert "1" == second.headers["retry-after"]


@pytest.mark.parametrize("size", [64 * 1024 + 1, 1_000_000])
async def test_a_large_body_is_refused(site: HttpSite, size: int) -> None:
    headers = {"content-type": "application/json"}
    answer = await site.ask("POST", "/v1/verify", content=b" " * size, headers=headers)

    assert (413, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/cache/" + "x" * 9_000])
async def test_a_large_head_is_refused(site: HttpSite, path: str) -> None:
    answer = await site.ask("GET", path, headers={"x": "y" * (16_384 - len(path))})

    assert (431, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )


# What goes wrong.


async def test_a_request_that_never_ends_is_answered(site: HttpSite) -> None:
    site.limits = Limits(request_s=0.01)
    site.engine.verdicts["ann"] = asyncio.Event()
    answer = await site.ask("POST", "/v1/verify", ASKED)

    assert (503, "no answer within 0.01 s; ask again later") == (
        answer.status_code,
        answer.json()["detail"],
    )
    assert ["no answer within 0.01 s"] == [trouble.what for trouble in told(site, Trouble)]


async def test_what_breaks_off_amid_an_answer_is_not_answered_twice(site: HttpSite) -> None:
    site.limits = Limits(request_s=0.01)

    async def dawdle(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/healthz"}
    scope |= {"raw_path": b"/healthz", "query_string": b"", "headers": [], "client": None}
    await Guard(dawdle, site.door)(scope, send, send)  # type: ignore[arg-type]

    assert [200] == [message.get("status") for message in sent]


async def test_a_bug_is_told_to_us_and_not_to_the_client(site: HttpSite) -> None:
    site.engine.verdicts["ann"] = ZeroDivisionError("secret")
    answer = await site.ask("POST", "/v1/verify", ASKED)

    assert (500, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert "secret" not in answer.text
    assert "ZeroDivisionError('secret')" == told(site, Trouble)[0].what


# What is told.


async def test_requests_are_told_of_and_probes_are_not(site: HttpSite) -> None:
    for method, path in (("GET", "/metrics"), ("GET", "/readyz"), ("GET", "/healthz")):
        await site.ask(method, path)
    await site.ask("BREW", "/v1/verify")
    await site.ask("GET", "/v1/reports/none")

    assert [
        ("other", "/v1/verify", 405, "127.0.0.1"),
        ("GET", "/v1/reports/{name}", 404, "127.0.0.1"),
    ] == [
        (event.method, event.route or "/v1/verify", event.status, event.client)
        for event in told(site, Requested)
    ]


async def test_a_flood_of_refusals_is_not_one_of_lines(site: HttpSite) -> None:
    for _ in range(40):
        await site.ask("GET", "/readyz", url="http://evil.example")

    assert 15 == len(told(site, DoorClosed))


async def test_nobody_offers_web_sockets(site: HttpSite) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket",
        "path": "/v1/verify",
        "raw_path": b"/v1/verify",
        "query_string": b"",
        "headers": [],
        "subprotocols": [],
    }
    await site.app(scope, receive, send)  # type: ignore[arg-type]

    assert ["websocket.close"] == [message["type"] for message in sent]
