"""Questions and their reports, as programs ask them."""

import asyncio

import httpx
import msgspec
import pytest

from door_fakes import NOON, turns
from fakes import FakeHost, FakeOutside
from http_fakes import HttpSite, provisional
from ringback.doors.http import answers
from ringback.errors import StoreError
from ringback.values.events import Answered, Trouble
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Smtp
from ringback.values.verdict import Reason

ASKED = {"address": "ann@shop.example"}
# doors.md names these, and others build against them.
CONTRACT = {
    "address",
    "verdict",
    "reason",
    "blame",
    "final",
    "retry_at",
    "checked_at",
    "expires_at",
    "from_cache",
    "callouts",
    "flags",
    "evidence",
}


async def ask(site: HttpSite, **body: object) -> httpx.Response:
    return await site.ask("POST", "/v1/verify", {**ASKED, **body})


async def test_a_real_engine_answers_through_it() -> None:
    outside = FakeOutside()
    outside.host("shop.example", FakeHost({"ann@shop.example"}))
    site = HttpSite()
    site.door.verifier = outside.verifier()
    known = await ask(site)
    unknown = await ask(site, address="nobody@shop.example")

    assert [("deliverable", "accepted"), ("undeliverable", "no_such_mailbox")] == [
        (answer.json()["verdict"], answer.json()["reason"]) for answer in (known, unknown)
    ]
    assert CONTRACT <= known.json().keys()
    assert known.json()["evidence"]
    assert msgspec.convert(known.json(), answers.Report)


async def test_what_was_asked_reaches_the_engine(site: HttpSite) -> None:
    answer = await ask(
        site,
        purpose="sender",
        timeout_s=20,
        fresh=True,
        client={
            "address": "2001:DB8::1",
            "name": "out.shop.example",
            "helo": "out",
            "authenticated": True,
        },
        recipient="you@ours.example",
    )

    client = Client("2001:db8::1", "out.shop.example", "out", authenticated=True)
    assert 200 == answer.status_code
    assert [
        Query(
            "ann@shop.example",
            Purpose.SENDER,
            client,
            recipient="you@ours.example",
            answer_by_at=NOON + 20.0,
            fresh=True,
        )
    ] == site.engine.queries


async def test_recipients_are_asked_for_on_behalf_of_a_sender(site: HttpSite) -> None:
    await ask(site, purpose="recipient", sender="bob@bank.example", timeout_s=1)

    asked = site.engine.queries[0]
    assert (Purpose.RECIPIENT, "bob@bank.example") == (asked.purpose, asked.sender)


async def test_by_itself_an_operator_asks_and_waits_as_an_mta_does(site: HttpSite) -> None:
    site.settings = site.settings.but(smtp=Smtp(answer_within_s=7.0))
    await ask(site)

    assert [Query("ann@shop.example", answer_by_at=NOON + 7.0)] == site.engine.queries


async def test_an_impossible_address_is_a_verdict_and_the_engines() -> None:
    site = HttpSite()
    site.door.verifier = FakeOutside().verifier()
    answer = await ask(site, address="no address")

    assert (200, "bad_syntax") == (answer.status_code, answer.json()["reason"])


async def test_answers_are_told_of(site: HttpSite) -> None:
    await ask(site, client={"address": "192.0.2.7"})

    assert [("http", "sender", "ann@shop.example", "192.0.2.7", Reason.ACCEPTED)] == [
        (event.door, event.purpose, event.address, event.client, event.report.reason)
        for event in site.events
        if isinstance(event, Answered)
    ]


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b'{"address": "\xff"}', 400, "not JSON"),
        (b'{"address": "\\ud800"}', 400, "not JSON"),
        (b"[" * 60_000, 422, "Expected `object`"),
        (b'{"client":' * 6_000, 422, "unknown field"),
        (b"[]", 422, "Expected `object`"),
        (b"{}", 422, "missing required field `address`"),
        (b'{"address": 1}', 422, "$.address"),
        (b'{"adress": "a@b.example"}', 422, "unknown field `adress`"),
        (b'{"address": "a@b.example", "purpose": "lookup"}', 422, "$.purpose"),
        (b'{"address": "a@b.example", "timeout_s": "5"}', 422, "$.timeout_s"),
        (b'{"address": "a@b.example", "timeout_s": -1}', 422, "$.timeout_s"),
        (b'{"address": "a@b.example", "timeout_s": 1e9}', 422, "$.timeout_s"),
        (b'{"address": "a@b.example", "timeout_s": NaN}', 400, "not JSON"),
        (b'{"address": "a@b.example", "fresh": 1}', 422, "$.fresh"),
        (b'{"address": "a@b.example\\n"}', 422, "control character"),
        (b'{"address": "a@b.example", "recipient": "\\u0000"}', 422, "control character"),
        (
            b'{"address": "a@b", "client": {"address": "192.0.2.7", "helo": "\\u009b"}}',
            422,
            "control",
        ),
        (b'{"address": "a@b", "client": {"address": "mx"}}', 422, "not an IP address"),
        (b'{"address": "a@b", "client": {}}', 422, "$.client"),
        (b'{"address": "' + b"a" * 1_001 + b'"}', 422, "$.address"),
    ],
)
async def test_what_is_no_question_asks_nobody(
    site: HttpSite, content: bytes, status: int, told: str
) -> None:
    headers = {"content-type": "application/json"}
    answer = await site.ask("POST", "/v1/verify", content=content, headers=headers)

    assert (status, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )
    assert told in answer.json()["detail"]
    assert [] == site.engine.queries


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_is_read(site: HttpSite, media_type: str, status: int) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = await site.ask(
        "POST", "/v1/verify", content=b'{"address":"a@b.example"}', headers=headers
    )

    assert status == answer.status_code


async def test_compressed_bodies_are_not_unpacked(site: HttpSite) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = await site.ask("POST", "/v1/verify", content=b"\x1f\x8b", headers=headers)

    assert 415 == answer.status_code


async def test_the_query_has_no_say(site: HttpSite) -> None:
    answer = await site.ask("POST", "/v1/verify?fresh=true", ASKED)

    assert 422 == answer.status_code


# Our failures.


@pytest.mark.parametrize(
    ("verdict", "detail"),
    [
        (Reason.OUR_TROUBLE, "a rule; ask again later"),
        (StoreError("disk full"), "the store cannot be used; ask again later"),
    ],
)
async def test_where_we_failed_there_is_no_report(
    site: HttpSite, verdict: Reason | StoreError, detail: str
) -> None:
    site.engine.verdicts["ann"] = verdict
    answer = await ask(site)

    assert (503, detail) == (answer.status_code, answer.json()["detail"])
    assert "10" == answer.headers["retry-after"]


async def test_an_engine_that_is_stuck_is_told_of(
    site: HttpSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringback.doors.http.door.GRACE_S", 0.01)
    site.engine.verdicts["ann"] = asyncio.Event()
    answer = await ask(site, timeout_s=0)

    assert (503, "no verdict within 0 s; ask again later") == (
        answer.status_code,
        answer.json()["detail"],
    )
    assert ["no verdict within 0 s"] == [
        event.what for event in site.events if isinstance(event, Trouble)
    ]


# Follow-up.


async def test_a_callout_that_takes_longer_is_followed(site: HttpSite) -> None:
    flight = site.engine.flights["ann@shop.example"] = asyncio.Future[Report]()
    site.engine.verdicts["ann"] = provisional
    first = await ask(site)
    place = first.headers["location"]
    going_on = await site.ask("GET", place)
    flight.set_result(Report("ann@shop.example", Reason.ACCEPTED, True, NOON, "a rule"))
    await turns()
    ended = await site.ask("GET", place)

    assert (202, "deadline", False) == (
        first.status_code,
        first.json()["reason"],
        first.json()["final"],
    )
    assert (202, "deadline", place) == (
        going_on.status_code,
        going_on.json()["reason"],
        going_on.headers["location"],
    )
    assert (200, "accepted") == (ended.status_code, ended.json()["reason"])
    assert "location" not in ended.headers
    assert 1 == len(site.engine.queries)
    await site.door.close()


async def test_a_real_callout_goes_on_when_its_asker_has_gone() -> None:
    outside = FakeOutside()
    host = FakeHost({"ann@shop.example"}, may_answer=asyncio.Event())
    outside.host("shop.example", host)
    site = HttpSite()
    site.door.verifier = verifier = outside.verifier()
    site.clock.at = outside.clock.at
    first = await ask(site, timeout_s=0, fresh=True)
    assert host.may_answer
    host.may_answer.set()
    flight = verifier.concluded_nowait("ann@shop.example")
    if flight:
        await flight
    await turns()
    ended = await site.ask("GET", first.headers["location"])

    assert (202, 200) == (first.status_code, ended.status_code)
    assert ("deliverable", 1) == (ended.json()["verdict"], ended.json()["callouts"])
    assert 1 == len(outside.dialer.calls)
    await site.door.close()


@pytest.mark.parametrize("name", ["none", "a%2Fb", "%ff", "x" * 2_000, "a/b"])
async def test_what_was_never_given_is_not_there(site: HttpSite, name: str) -> None:
    answer = await site.ask("GET", f"/v1/reports/{name}")

    assert answer.status_code in {404, 422}
