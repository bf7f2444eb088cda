"""What is remembered, and who was called."""

import csv

import msgspec
import pytest

from fakes import FakeHost, FakeOutside
from http_fakes import HttpSite
from ringback.doors.calls import COLUMNS
from ringback.doors.http import answers
from ringback.doors.instants import utc
from ringback.store.memory import MemoryStore
from ringback.values.calls import Call
from ringback.values.query import Purpose

ODD = '"a/b c"@shop.example'
ODD_PATH = "%22a%2Fb%20c%22%40shop.example"


@pytest.fixture
async def used(site: HttpSite) -> HttpSite:
    """A door on a store that knows two addresses."""
    outside = FakeOutside()
    outside.host("shop.example", FakeHost({"ann@shop.example", ODD}))
    verifier = outside.verifier()
    for address in ("ann@shop.example", ODD):
        await verifier.verify(address)
    site.store = outside.store
    site.clock.at = outside.clock.at
    return site


async def test_an_address_is_explained(used: HttpSite) -> None:
    answer = await used.ask("GET", "/v1/cache/ann@shop.example")

    found = msgspec.convert(answer.json(), answers.Remembered)
    assert [("ann@shop.example", "fresh")] == [
        (entry.address, entry.state) for entry in found.entries
    ]
    assert ["selective"] == [fact.kind for fact in found.facts]


async def test_an_address_may_hold_what_parts_paths(used: HttpSite) -> None:
    answer = await used.ask("GET", f"/v1/cache/{ODD_PATH}")

    assert [ODD] == [entry["address"] for entry in answer.json()["entries"]]


async def test_a_domain_has_its_addresses(used: HttpSite) -> None:
    both = await used.ask("GET", "/v1/cache/Shop.Example")
    one = await used.ask("GET", "/v1/cache/shop.example?limit=1")

    assert [2, 1] == [len(answer.json()["entries"]) for answer in (both, one)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("other.example", 404),
        ("192.0.2.99", 404),
        ("not%20a%20domain", 404),
        ("a%00b", 422),
        ("%ff", 422),
        ("x" * 1_001, 422),
        ("shop.example?limit=0", 422),
        ("shop.example?limit=x", 422),
        ("shop.example?limit=1&limit=2", 422),
        ("shop.example?most=1", 422),
        ("shop.example?limit=%00", 422),
        ("", 404),
    ],
)
async def test_what_is_not_there_is_a_problem(used: HttpSite, path: str, status: int) -> None:
    answer = await used.ask("GET", f"/v1/cache/{path}")

    assert (status, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )


async def test_what_is_forgotten_is_gone(used: HttpSite) -> None:
    one = await used.ask("DELETE", "/v1/cache/ann@shop.example")
    rest = await used.ask("DELETE", "/v1/cache/shop.example")
    gone = await used.ask("GET", "/v1/cache/shop.example")

    assert [{"forgotten": 1}, {"forgotten": 2}] == [one.json(), rest.json()]
    assert 404 == gone.status_code


async def test_both_methods_are_told(used: HttpSite) -> None:
    options = await used.ask("OPTIONS", "/v1/cache/shop.example")
    refused = await used.ask("PATCH", "/v1/cache/shop.example")

    for answer in (options, refused):
        assert {"GET", "HEAD", "DELETE", "OPTIONS"} == set(answer.headers["allow"].split(", "))
    assert (204, 405) == (options.status_code, refused.status_code)


# The audit.


async def test_who_was_called_is_told(used: HttpSite) -> None:
    answer = await used.ask("GET", "/v1/audit?q=shop.example")

    told = msgspec.convert(answer.json(), answers.Calls).calls
    assert {"ann@shop.example", ODD} == {call.address for call in told}
    assert all(call.said for call in told)


async def test_a_spreadsheet_gets_its_rows_without_formulas(site: HttpSite) -> None:
    site.store = Kept(
        Call("1", "1", 5.0, "=a@b.example", "b.example", "mx", "192.0.2.1", Purpose.SENDER)
    )
    answer = await site.ask("GET", "/v1/audit?q=b.example", headers={"accept": "text/csv"})

    head, row = csv.reader(answer.text.splitlines())
    assert list(COLUMNS) == head
    assert "'=a@b.example" == row[3]
    assert "text/csv; charset=utf-8" == answer.headers["content-type"]


class Kept(MemoryStore):
    """A store that knows one call, and notes what it was asked."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call
        self.asked: list[tuple[str, float, int]] = []

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        self.asked.append((pattern, since_at, limit))
        return (self.call.but(),)


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("q=B.example", ("b.example", 0.0, 100)),
        ("q=b.example&limit=7&since=1h", ("b.example", 96_400.0, 7)),
        (f"q=b.example&since={utc(5_000)}", ("b.example", 5_000.0, 100)),
        ("q=192.0.2.1", ("192.0.2.1", 0.0, 100)),
    ],
)
async def test_a_time_and_a_number_can_be_named(
    site: HttpSite, query: str, asked: tuple[str, float, int]
) -> None:
    store = Kept(Call("1", "1", 5.0, "a@b", "b", "mx", "192.0.2.1", Purpose.SENDER))
    site.store, site.clock.at = store, 100_000.0
    answer = await site.ask("GET", f"/v1/audit?{query}")

    assert 200 == answer.status_code
    assert [asked] == store.asked


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("q=b.example&since=soon", 422),
        ("q=b.example&since=", 422),
        ("q=b.example&since=0000-01-01T00:00:00Z", 422),
        ("q=b.example&limit=10001", 422),
        ("q=not%20a%20domain", 404),
    ],
)
async def test_what_is_no_question_is_a_problem(site: HttpSite, query: str, status: int) -> None:
    answer = await site.ask("GET", f"/v1/audit?{query}")

    assert status == answer.status_code
