"""How it is doing."""

import asyncio

import msgspec
import pytest

from http_fakes import HttpSite
from ringback.doors.http import answers, health
from ringback.errors import StoreError
from ringback.store.memory import MemoryStore
from ringback.values.events import Examined
from ringback.values.facts import Fact
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.storage import StoreStats


class Broken(MemoryStore):
    """A store that is gone, or that is silent."""

    def __init__(self, error: StoreError | None) -> None:
        super().__init__()
        self.error = error

    async def flush(self) -> None:
        if self.error:
            raise self.error
        await asyncio.Event().wait()

    async def stats(self) -> StoreStats:
        await self.flush()
        return await super().stats()


async def test_it_is_ready_while_its_store_is(site: HttpSite) -> None:
    fresh = await site.ask("GET", "/readyz")
    findings = (
        Finding(Aspect.CONTACT, Severity.OK, "there is one"),
        Finding(Aspect.SPF, Severity.FATAL, "no record", "publish one", "verify.example.net"),
    )
    site.door.metrics.hear(Examined(Fitness(findings), may_call=False))
    unfit = await site.ask("GET", "/readyz")

    assert {"ready": True, "store": "usable", "may_call": None, "findings": []} == fresh.json()
    assert 200 == unfit.status_code
    assert (False, ["spf"]) == (
        unfit.json()["may_call"],
        [found["what"] for found in unfit.json()["findings"]],
    )
    assert msgspec.convert(unfit.json(), answers.Readiness)


@pytest.mark.parametrize(
    ("error", "told"),
    [(StoreError("disk full"), "disk full"), (None, "no answer within 0.01 s")],
)
async def test_without_its_store_it_is_not_ready(
    site: HttpSite, error: StoreError | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STORE_WAIT_S", 0.01)
    site.store = Broken(error)
    answer = await site.ask("GET", "/readyz")
    alive = await site.ask("GET", "/healthz")
    counted = await site.ask("GET", "/metrics")

    assert (503, False, told) == (
        answer.status_code,
        answer.json()["ready"],
        answer.json()["store"],
    )
    assert 200 == alive.status_code == counted.status_code
    assert "ringback_store_records{" not in counted.text


async def test_a_store_that_cannot_be_written_is_not_usable(site: HttpSite) -> None:
    class Full(MemoryStore):
        lost = False

        def save_fact(self, fact: Fact) -> None:
            self.lost = True

        async def flush(self) -> None:
            if self.lost:
                raise StoreError("the disk is full")

    site.store = Full()
    answer = await site.ask("GET", "/readyz")

    assert (503, "the disk is full") == (answer.status_code, answer.json()["store"])


async def test_being_asked_leaves_nothing_in_the_store(site: HttpSite) -> None:
    site.store = MemoryStore()
    before = await site.store.stats()
    await site.ask("GET", "/readyz")

    assert before == await site.store.stats()


async def test_what_happened_is_counted(site: HttpSite) -> None:
    await site.ask("POST", "/v1/verify", {"address": "ann@shop.example"})
    for event in site.events:
        site.door.metrics.hear(event)
    first = await site.ask("GET", "/metrics")
    again = await site.ask("GET", "/metrics")

    assert "text/plain; version=0.0.4; charset=utf-8" == first.headers["content-type"]
    assert 'ringback_http_requests_total{method="POST",route="/v1/verify",status="200"} 1.0' in (
        first.text
    )
    assert 'ringback_store_records{kind="",what="wait"} 0.0' in again.text
    assert "shop.example" not in first.text


async def test_openmetrics_is_spoken(site: HttpSite) -> None:
    headers = {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = await site.ask("GET", "/metrics", headers=headers)

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
