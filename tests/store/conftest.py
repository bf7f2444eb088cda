"""What the tests of the store share: records with most fields filled, and stores that end with their test."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Protocol

import pytest

from ringback.rules.freshness import Entry
from ringback.rules.waiting import Acquaintance, Wait
from ringback.store.sqlite import SqliteStore
from ringback.values.calls import Call
from ringback.values.events import Event
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.facts import DomainFact, Fact
from ringback.values.query import Purpose
from ringback.values.verdict import Reason

DAY_S = 86_400.0


class Opener(Protocol):
    def __call__(
        self,
        *,
        memory_entries: int = 0,
        path: Path | None = None,
        boot: str = "one run",
        audit_keep_s: float = DAY_S,
    ) -> Awaitable[SqliteStore]: ...


@pytest.fixture
def evidence() -> tuple[Exchange, ...]:
    return (
        Exchange(at=1_000.5, stage=Stage.GREETING, connection=1, host="mx.example", code=220),
        Exchange(
            at=1_001.0,
            stage=Stage.RCPT,
            connection=1,
            host="mx.example",
            ip="192.0.2.25",
            preference=10,
            about=About.CONTROL,
            command="RCPT TO:<jürgen@mx.example>",
            code=550,
            enhanced="5.1.1",
            text="unknown\nuser ☹",
            meaning=Meaning.UNKNOWN_USER,
            rule="5.1.1",
            weak=True,
        ),
        Exchange(at=1_002.0, stage=Stage.CONNECT, host="mx2.example", fault=Fault.TIMEOUT),
    )


@pytest.fixture
def entry(evidence: tuple[Exchange, ...]) -> Entry:
    return Entry(
        key="Jo@example.org",
        reason=Reason.NO_SUCH_MAILBOX,
        final=True,
        rule="550 to RCPT",
        checked_at=1_000.0,
        expires_at=90_000.0,
        retry_at=2_000.0,
        attempts=3,
        doubted_at=500.0,
        because=evidence[1],
        evidence=evidence,
    )


@pytest.fixture
def fact(evidence: tuple[Exchange, ...]) -> Fact:
    return Fact(
        subject="example.org",
        kind=DomainFact.SELECTIVE,
        noted_at=1_000.0,
        expires_at=90_000.0,
        evidence=evidence,
        window_s=300.0,
    )


@pytest.fixture
def wait() -> Wait:
    return Wait(key="192.0.2.0/24 a@b c@d", first_at=1_000.0, count=2, expires_at=90_000.0)


@pytest.fixture
def acquaintance() -> Acquaintance:
    return Acquaintance(network="192.0.2.0/24", contacts=5, returned=3, expires_at=90_000.0)


@pytest.fixture
def call(evidence: tuple[Exchange, ...]) -> Call:
    return Call(
        id="c1",
        session="c1",
        at=1_000.0,
        address="Jo@example.org",
        domain="example.org",
        host="mx.example.net",
        ip="192.0.2.25",
        purpose=Purpose.SENDER,
        client="198.51.100.7",
        recipient="ann@here.example",
        gates=("spf pass", "aligned"),
        outcome="rejected",
        said=evidence,
    )


@pytest.fixture
def now() -> list[float]:
    """The time that stores opened here believe it is: its one element."""
    return [1_000.0]


@pytest.fixture
def elapsed() -> list[float]:
    """The time since the machine started, as stores opened here are told: its one element."""
    return [500.0]


@pytest.fixture
def told() -> list[Event]:
    """The events that stores opened here have reported."""
    return []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ringback.db"


@pytest.fixture
async def open_store(
    path: Path, now: list[float], elapsed: list[float], told: list[Event]
) -> AsyncIterator[Opener]:
    """Opens stores on one file, and closes them after the test. They keep nothing in memory unless told."""
    default, opened = path, []

    async def open_one(
        *,
        memory_entries: int = 0,
        path: Path | None = None,
        boot: str = "one run",
        audit_keep_s: float = DAY_S,
    ) -> SqliteStore:
        store = await SqliteStore.open(
            path or default,
            memory_entries=memory_entries,
            audit_keep_s=audit_keep_s,
            sink=told.append,
            clock=lambda: now[0],
            elapsed=lambda: elapsed[0],
            boot=boot,
        )
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()
