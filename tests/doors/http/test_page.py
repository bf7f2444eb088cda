"""docs/http.md: its examples work, and its numbers are those of the code."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from fakes import FakeHost, FakeOutside
from http_fakes import HttpSite
from ringback.doors.http.bodies import MAX_TIMEOUT_S
from ringback.doors.http.limits import Limits
from ringback.rules.pacing import HOUR_S, Rate
from ringback.values.settings import Bulk, Settings

PAGE = (Path(__file__).parents[3] / "docs" / "http.md").read_text()
BASE = "http://127.0.0.1:8025"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [example for block in BLOCKS for example in re.split(r"\n(?=curl )", block.strip())]


def request_of(example: str) -> httpx.Request:
    """Read a command line of curl's, as far as the page uses them."""
    words = iter(shlex.split(example))
    assert "curl" == next(words)
    method, url, headers, body = "GET", "", {}, None
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                method, body = "POST", next(words)
            case _:
                url = word
    assert url.startswith(BASE)
    return httpx.Request(method, url, headers=headers, content=body)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split("8025")[1][:20])
async def test_an_example_of_the_page_works(example: str) -> None:
    outside = FakeOutside()
    outside.host("shop.example", FakeHost({"ann@shop.example"}))
    site = HttpSite()
    site.store, site.clock = outside.store, outside.clock
    site.settings = Settings().but(bulk=Bulk(consent=True))
    site.door.verifier = outside.verifier(bulk=Bulk(consent=True))
    await site.door.verifier.verify("ann@shop.example")
    async with site.client(BASE) as client:
        answer = await client.send(request_of(example))

    gone = "/v1/reports/" in example  # of another service, and long ago
    assert (404 if gone else 200) == answer.status_code


def test_the_page_has_examples() -> None:
    assert 12 <= len(EXAMPLES)


def test_its_numbers_are_those_of_the_code() -> None:
    limits = Limits()
    told = [
        f"up to {MAX_TIMEOUT_S:g};",
        f"{limits.failures_per_hour_each} wrong ones an hour are answered, "
        f"{Rate(limits.failures_per_hour_each).burst} at once",
        f"body over {limits.body_bytes // 1024} KiB, a head over {limits.head_bytes // 1024} KiB",
        f"{limits.per_hour_each / HOUR_S:g} requests a second on average, or "
        f"{limits.in_flight_each} at a time",
        f"{limits.in_flight} requests are under way",
        f"whole within {limits.read_s:g} s",
        f"answer for {limits.write_s:g} s",
    ]

    assert [] == [words for words in told if words not in PAGE]
