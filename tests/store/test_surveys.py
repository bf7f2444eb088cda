"""What people look up, and what SQLite would make of it. Both stores together: test_both_stores.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.rules.freshness import Entry
from ringback.store.codec import encode_call, encode_entry, encode_fact
from ringback.store.opening import Opened, open_file
from ringback.store.queries import QUERIES
from ringback.store.reader import Reader
from ringback.store.surveys import Surveys, spelled
from ringback.values.calls import Call
from ringback.values.facts import FIRST_PLACE, Fact


@pytest.fixture
async def opened(path: Path, entry: Entry, fact: Fact, call: Call) -> AsyncIterator[Opened]:
    opened = open_file(path, "one run", lambda: 1.0)
    for name, row in (
        ("save_entry", encode_entry(entry)),
        ("save_fact", encode_fact(fact)),
        ("save_call", encode_call(call)),
        ("save_call", encode_call(call.but(id="c2", at=call.at + 1, host="mx2.example.net"))),
    ):
        opened.writer.execute(QUERIES[name], row)
    yield opened
    opened.close()


@pytest.fixture
async def surveys(opened: Opened) -> AsyncIterator[Surveys]:
    surveys = Surveys(Reader(opened.file, opened.surveys, lambda _: None))
    yield surveys
    await surveys.close()


async def test_a_negative_limit_lists_nothing(surveys: Surveys, fact: Fact, call: Call) -> None:
    assert () == await surveys.search("example.org", -1)
    assert () == await surveys.search_calls(call.address, 0.0, -1)
    assert () == await surveys.list_facts(fact.kind, 1_000.0, -1, FIRST_PLACE)


async def test_what_is_there_is_found(
    surveys: Surveys, entry: Entry, fact: Fact, call: Call
) -> None:
    assert (entry,) == await surveys.search("EXAMPLE.org", 9)
    assert (fact,) == await surveys.list_facts(fact.kind, 1_000.0, 9, FIRST_PLACE)
    assert ["c2"] == [one.id for one in await surveys.search_calls("mx2.example.net", 0.0, 9)]
    assert ["c2", "c1"] == [one.id for one in await surveys.search_calls(call.ip, 0.0, 9)]
    assert ["c2", "c1"] == [one.id for one in await surveys.search_calls(call.address, 0.0, 9)]


async def test_all_is_counted(surveys: Surveys, entry: Entry, fact: Fact) -> None:
    stats = await surveys.stats()

    assert ({entry.reason: 1}, {fact.kind: 1}, 2) == (stats.entries, stats.facts, stats.calls)
    assert stats.size_bytes > 0


def test_an_address_is_looked_for_in_both_its_parts() -> None:
    assert {"pattern": "Ann@shop.example", "as_recipient": "to:Ann@shop.example"} == spelled(
        "Ann@SHOP.example"
    )
