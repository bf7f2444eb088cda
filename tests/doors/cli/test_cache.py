"""`ringback cache` on a store that a service has filled, and on one that is not there."""

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ringback.doors.cli import stored
from ringback.net.clock import SystemClock, boot_id
from ringback.rules.freshness import Entry
from ringback.store.memory import MemoryStore
from ringback.store.sqlite import SqliteStore
from ringback.values.events import Event
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.verdict import Reason

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

# Long ago enough to be stale, and far enough ahead not to expire while anybody runs this.
SINCE, UNTIL = 1_700_000_000.0, 4_000_000_000.0

REFUSAL = Exchange(
    at=SINCE,
    stage=Stage.RCPT,
    connection=1,
    host="mx.shop.example",
    ip="192.0.2.25",
    preference=10,
    command="RCPT TO:<ann@shop.example>",
    code=550,
    enhanced="5.1.1",
    text="No \x1b[2Jsuch user",
    meaning=Meaning.UNKNOWN_USER,
    rule="5.1.1",
)
ANN = Entry(
    key="ann@shop.example",
    reason=Reason.NO_SUCH_MAILBOX,
    final=True,
    rule="refused for good",
    checked_at=SINCE,
    expires_at=UNTIL,
    because=REFUSAL,
    evidence=(REFUSAL,),
)
BOB = Entry(
    key="bob@shop.example",
    reason=Reason.GREYLISTED,
    final=False,
    rule="come back",
    checked_at=SINCE + 60,
    expires_at=UNTIL,
    retry_at=UNTIL - 60,
)
CARL = Entry(
    key="carl@shop.example",
    reason=Reason.ACCEPTED,
    final=True,
    rule="accepted",
    checked_at=SINCE + 120,
    expires_at=UNTIL,
    doubted_at=SINCE,
)
SELECTIVE = Fact("shop.example", DomainFact.SELECTIVE, SINCE, UNTIL, (REFUSAL,))
GREYLISTS = Fact("192.0.2.25", HostFact.GREYLISTS, SINCE, UNTIL, window_s=300.0)


def ignore(event: Event) -> None:
    """The sink of a store that is filled here."""


def fill(path: Path, records: Iterable[Entry | Fact]) -> None:
    async def save() -> None:
        clock = SystemClock()
        store = await SqliteStore.open(
            path,
            memory_entries=0,
            audit_keep_s=86_400.0,
            sink=ignore,
            clock=clock.now,
            elapsed=clock.elapsed,
            boot=boot_id(),
        )
        for record in records:
            if isinstance(record, Entry):
                store.save(record)
            else:
                store.save_fact(record)
        await store.close()

    asyncio.run(save())


@pytest.fixture
def path(tmp_path: Path, config_file: Path) -> Path:
    """Where the configured store is, or will be."""
    path = tmp_path / "ringback.db"
    config_file.write_text(f"[store]\nurl = 'sqlite://{path}'\n")
    return path


@pytest.fixture
def store(path: Path) -> Path:
    fill(path, [ANN, BOB, CARL, SELECTIVE, GREYLISTS])
    return path


@pytest.mark.usefixtures("store")
def test_an_address_is_explained_with_what_is_known_of_its_domain_and_hosts(run: Run) -> None:
    status, out, err = run("cache", "show", "ann@SHOP.example")
    lines = out.splitlines()

    assert (0, "") == (status, err)
    assert [
        "ann@shop.example: undeliverable (no_such_mailbox), confirm",
        "  rule      refused for good",
        "  since     2023-11-14T22:13:20Z",
        "  until     2096-10-02T07:06:40Z",
    ] == lines[:4]
    assert "    C: RCPT TO:<ann@shop.example>" in lines
    assert any("S: 550 5.1.1 No \\x1b[2Jsuch user" in line for line in lines)
    assert [
        "shop.example: selective, since 2023-11-14T22:13:20Z, until 2096-10-02T07:06:40Z",
        "192.0.2.25: greylists, makes newcomers wait 300 s, since 2023-11-14T22:13:20Z, "
        "until 2096-10-02T07:06:40Z",
    ] == lines[-2:]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("bob@shop.example", "  retry at  2096-10-02T07:05:40Z"),
        (
            "carl@shop.example",
            "  refused   2023-11-14T22:13:20Z, which a second refusal must confirm",
        ),
    ],
)
def test_what_an_entry_waits_for_is_told(address: str, line: str, run: Run) -> None:
    _, out, _ = run("cache", "show", address)

    assert line in out.splitlines()


@pytest.mark.usefixtures("store")
def test_a_domain_is_a_list_newest_first_and_bounded(run: Run) -> None:
    status, out, _ = run("cache", "show", "shop.example", "--limit", "2")
    lines = [line.split() for line in out.splitlines()]

    assert 0 == status
    assert ["address", "verdict", "reason", "state", "until"] == lines[0]
    assert ["carl@shop.example", "deliverable", "accepted"] == lines[1][:3]
    assert ["bob@shop.example", "unknown", "greylisted", "fresh"] == lines[2][:4]
    assert ["shop.example:", "selective,"] == lines[3][:2]
    assert 4 == len(lines)


@pytest.mark.usefixtures("store")
def test_a_host_has_facts_only(run: Run) -> None:
    status, out, _ = run("cache", "show", "192.0.2.25")

    assert 0 == status
    assert out.startswith("192.0.2.25: greylists, makes newcomers wait 300 s, since ")


@pytest.mark.usefixtures("store")
def test_programs_get_json_in_which_nothing_reaches_a_terminal(run: Run) -> None:
    _, out, _ = run("cache", "show", "ann@shop.example", "--json")
    shown = json.loads(out)
    (entry,) = shown["entries"]

    assert out.isascii()
    assert {
        "address": "ann@shop.example",
        "verdict": "undeliverable",
        "reason": "no_such_mailbox",
        "blame": "address",
        "final": True,
        "rule": "refused for good",
        "state": "confirm",
        "checked_at": "2023-11-14T22:13:20Z",
        "expires_at": "2096-10-02T07:06:40Z",
        "retry_at": None,
    } == {key: value for key, value in entry.items() if key != "evidence"}
    assert ["No \x1b[2Jsuch user"] == [step["text"] for step in entry["evidence"]]
    assert [("shop.example", False, None), ("192.0.2.25", False, 300.0)] == [
        (fact["subject"], fact["expired"], fact["window_s"]) for fact in shown["facts"]
    ]


@pytest.mark.usefixtures("store")
def test_what_has_expired_and_is_still_there_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    unswept = MemoryStore()
    unswept.save(ANN.but(expires_at=SINCE + 60))
    unswept.save_fact(SELECTIVE.but(expires_at=SINCE + 60))

    async def open_unswept(*_: object) -> MemoryStore:
        return unswept

    monkeypatch.setattr(stored, "open_store", open_unswept)

    _, out, _ = run("cache", "show", "ann@shop.example")
    lines = out.splitlines()

    assert lines[0].endswith(" (no_such_mailbox), expired")
    assert lines[-1].endswith(", until 2023-11-14T22:14:20Z, expired")


@pytest.mark.usefixtures("store")
def test_nothing_remembered_is_status_1(run: Run) -> None:
    line = "ringback: nothing is remembered of dora@shop2.example\n"

    assert (1, "", line) == run("cache", "show", "dora@shop2.example")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("ann@shop.example", "forgotten: 1 record\n"),
        ("shop.example", "forgotten: 4 records\n"),
        ("192.0.2.25", "forgotten: 1 record\n"),
        ("other.example", "forgotten: 0 records\n"),
    ],
)
def test_forgetting_says_how_many_records_went(pattern: str, line: str, run: Run) -> None:
    assert (0, line, "") == run("cache", "forget", pattern)
    assert (0, "forgotten: 0 records\n", "") == run("cache", "forget", pattern)


@pytest.mark.usefixtures("store")
def test_counts_are_a_table(run: Run) -> None:
    status, out, err = run("cache", "stats")
    rows = [line.split() for line in out.splitlines()]

    assert (0, "") == (status, err)
    assert [
        ["what", "kind", "records"],
        ["verdict", "accepted", "1"],
        ["verdict", "greylisted", "1"],
        ["verdict", "no_such_mailbox", "1"],
        ["fact", "greylists", "1"],
        ["fact", "selective", "1"],
        ["wait", "0"],
        ["acquaintance", "0"],
        ["budget", "0"],
        ["call", "0"],
    ] == rows[:-1]
    assert ["size", "bytes"] == rows[-1][:2]


@pytest.mark.usefixtures("store")
def test_programs_get_counts_as_json(run: Run) -> None:
    _, out, _ = run("cache", "stats", "--json")
    counts = json.loads(out)

    assert {"accepted": 1, "greylisted": 1, "no_such_mailbox": 1} == counts["entries"]
    assert {"greylists": 1, "selective": 1} == counts["facts"]
    assert 0 == counts["waits"]


@pytest.mark.parametrize(
    "arguments", [["show", "ann@shop.example"], ["stats"], ["forget", "shop.example"]]
)
def test_looking_at_a_store_that_is_not_there_makes_none(
    arguments: list[str], run: Run, path: Path
) -> None:
    line = (
        f"ringback: {path}: there is no store yet; the first check or serve makes it, or name "
        "another configuration with --config\n"
    )

    assert (2, "", line) == run("cache", *arguments)
    assert not path.exists()


def test_a_store_that_cannot_be_looked_at_is_a_mistake(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)

    line = f"ringback: {path}: Permission denied; run this as the user of the service\n"
    assert (2, "", line) == run("cache", "stats")


def test_a_file_that_is_no_store_is_a_mistake(run: Run, path: Path) -> None:
    path.write_text("Dear diary, today nobody wrote to me at all." * 100)

    status, out, err = run("cache", "stats")

    assert (2, "", 1) == (status, out, err.count("\n"))
    assert err.startswith(f"ringback: {path}: ")


def test_a_store_in_memory_has_nothing_to_show(run: Run, config_file: Path) -> None:
    config_file.write_text("[store]\nurl = 'memory:'\n")

    line = (
        "ringback: store.url: memory: keeps nothing between two commands; "
        "name the store of your service with --config\n"
    )
    assert (2, "", line) == run("cache", "stats")


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("a b", "a b: the domain is not a sequence of labels"),
        ("@shop.example", "@shop.example: no local part and domain around an @"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_a_mistake(
    pattern: str, problem: str, run: Run
) -> None:
    line = f"ringback: {problem}; name an address, a domain or a host's IP\n"

    assert (2, "", line) == run("cache", "show", pattern)
