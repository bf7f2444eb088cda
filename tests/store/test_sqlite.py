"""What is particular to the store on disk; what it shares with the other is in test_both_stores.py."""

import asyncio
import gc
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

import ringback
from ringback.errors import StoreError
from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.rules.waiting import Acquaintance, Crowd, Wait
from ringback.store import codec, database, sqlite
from ringback.store.queries import MIGRATIONS
from ringback.store.sqlite import SqliteStore
from ringback.values.calls import Call
from ringback.values.events import Event, Trouble
from ringback.values.facts import DomainFact, Fact
from ringback.values.verdict import Reason

Open = Callable[..., Awaitable[SqliteStore]]

# One an hour.
CHARGE = Charge("refused 192.0.2.1", Rate(1), "refused recipients")
SOURCE = str(Path(ringback.__file__).parents[1])


@contextmanager
def _another_process(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def _execute(path: Path, statement: str) -> None:
    with _another_process(path) as connection:
        connection.execute(statement)


def _remove(path: Path) -> None:
    path.unlink()


def _names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


async def test_what_was_closed_is_there_when_opened_again(
    open_store: Open, entry: Entry, fact: Fact, wait: Wait
) -> None:
    first = await open_store()
    first.save(entry)
    first.save_fact(fact)
    first.save_wait(wait)
    secret = await first.secret("control")
    await first.close()
    second = await open_store()

    assert entry == await second.load(entry.key)
    assert (fact,) == await second.load_facts(fact.subject)
    assert wait == await second.load_wait(wait.key)
    assert secret == await second.secret("control")


async def test_closing_leaves_one_file_and_no_threads(open_store: Open, path: Path) -> None:
    store = await open_store()
    await store.flush()
    await store.close()

    assert [path.name] == _names(path)
    alive = [thread for thread in threading.enumerate() if "ringback-store" in thread.name]
    for thread in alive:
        thread.join(5)
    assert not any(thread.is_alive() for thread in alive)


async def test_after_closing_loads_say_so(open_store: Open, entry: Entry) -> None:
    store = await open_store()
    await store.close()
    for refused in (store.load(entry.key), store.flush(), store.secret("x"), store.stats()):
        with pytest.raises(StoreError, match="it was closed"):
            await refused


async def test_a_file_that_cannot_be_had_is_a_store_error(open_store: Open, path: Path) -> None:
    with pytest.raises(StoreError, match="it is a directory"):
        await open_store(path=path.parent)


async def test_loads_find_what_is_not_committed_yet_while_another_process_writes(
    open_store: Open, path: Path, entry: Entry, fact: Fact, wait: Wait
) -> None:
    store = await open_store()
    store.save_fact(fact)
    await store.flush()
    other = fact.but(kind=DomainFact.REFUSES_VRFY)
    with _another_process(path) as writing:
        writing.execute("BEGIN IMMEDIATE")
        store.save(entry)
        store.forget_fact(fact.subject, fact.kind)
        store.save_fact(other)
        store.save_wait(wait)

        assert entry == await store.load(entry.key)
        assert (other,) == await store.load_facts(fact.subject)
        assert wait == await store.load_wait(wait.key)
        assert await store.load("other@example.org") is None

        writing.execute("ROLLBACK")
    await store.flush()

    assert entry == await store.load(entry.key)
    assert (other,) == await store.load_facts(fact.subject)


async def test_memory_answers_without_the_disk(
    open_store: Open, path: Path, entry: Entry, told: list[Event]
) -> None:
    store = await open_store(memory_entries=2)
    store.save(entry)
    await store.flush()
    _remove(path)

    assert entry == await store.load(entry.key)
    for refused in (
        store.load("other@example.org"),
        store.load_facts("example.org"),
        store.load_wait("x"),
        store.search("example.org", 1),
        store.forget("example.org"),
        store.secret("control"),
        store.stats(),
    ):
        with pytest.raises(StoreError, match="it was removed or replaced; restart Ringback"):
            await refused
    assert [] == told


async def test_memory_holds_only_so_many(open_store: Open, path: Path, entry: Entry) -> None:
    store = await open_store(memory_entries=2)
    for number in range(3):
        store.save(entry.but(key=f"{number}@example.org"))
    await store.flush()
    _remove(path)

    assert await store.load("2@example.org") is not None
    with pytest.raises(StoreError, match="removed"):
        await store.load("0@example.org")


async def test_what_is_loaded_once_stays_in_memory(
    open_store: Open, path: Path, entry: Entry
) -> None:
    store = await open_store()
    store.save(entry)
    await store.close()
    store = await open_store(memory_entries=2)
    await store.load(entry.key)
    _remove(path)

    assert entry == await store.load(entry.key)


async def test_what_another_process_forgets_or_learns_is_noticed(
    open_store: Open, entry: Entry
) -> None:
    serving, showing = await open_store(memory_entries=9), await open_store(memory_entries=9)
    learned = entry.but(reason=Reason.ACCEPTED)
    serving.save(entry)
    await serving.flush()

    assert 1 == await showing.forget(entry.key)

    await serving.flush()  # one turn of the writer, which otherwise comes within POLL_S
    assert await serving.load(entry.key) is None

    showing.save(learned)
    await showing.flush()
    assert learned == await serving.load(entry.key)


class _Held:
    """A parser of entries that waits, in the reader's thread, until it is let go."""

    def __init__(self) -> None:
        self.started, self.let_go = threading.Event(), threading.Event()

    def parse(self, row: sqlite3.Row) -> Entry:
        self.started.set()
        self.let_go.wait(5)
        return codec.parse_entry(row)


@pytest.fixture
async def held(monkeypatch: pytest.MonkeyPatch) -> _Held:
    held = _Held()
    monkeypatch.setattr(sqlite, "parse_entry", held.parse)
    return held


async def _start_load(store: SqliteStore, key: str, held: _Held) -> asyncio.Task[Entry | None]:
    load = asyncio.create_task(store.load(key))
    await asyncio.to_thread(held.started.wait, 5)
    return load


async def test_a_load_that_a_save_overtook_does_not_bring_the_old_entry_back(
    open_store: Open, entry: Entry, held: _Held
) -> None:
    first = await open_store()
    first.save(entry)
    await first.close()
    store = await open_store(memory_entries=1)
    later = entry.but(reason=Reason.ACCEPTED)
    load = await _start_load(store, entry.key, held)
    store.save(later)
    store.save(entry.but(key="other@example.org"))  # drives the later one out of memory
    await store.flush()
    held.let_go.set()
    await load

    assert later == await store.load(entry.key)


async def test_a_load_that_a_forget_overtook_does_not_bring_the_entry_back(
    open_store: Open, entry: Entry, held: _Held
) -> None:
    store = await open_store(memory_entries=1)
    store.save(entry)
    store.save(entry.but(key="other@example.org"))
    await store.flush()
    load = await _start_load(store, entry.key, held)
    await store.forget(entry.key)
    held.let_go.set()
    await load

    assert await store.load(entry.key) is None


async def test_a_load_that_was_given_up_leaves_nothing_behind(
    open_store: Open, entry: Entry, held: _Held
) -> None:
    store = await open_store(memory_entries=1)
    store.save(entry)
    store.save(entry.but(key="other@example.org"))
    await store.flush()
    load = await _start_load(store, entry.key, held)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    held.let_go.set()

    assert entry == await store.load(entry.key)


async def test_records_of_another_version_count_as_missing_and_are_reported_once(
    open_store: Open, path: Path, entry: Entry, fact: Fact, told: list[Event]
) -> None:
    store = await open_store()
    store.save(entry)
    store.save(entry.but(key="good@example.org"))
    store.save_fact(fact)
    await store.flush()
    _execute(path, f"UPDATE entry SET reason = 'telepathy' WHERE key = '{entry.key}'")
    _execute(path, "UPDATE fact SET kind = 'telepathic'")

    assert await store.load(entry.key) is None
    assert () == await store.load_facts(fact.subject)
    assert ["good@example.org"] == [found.key for found in await store.search("example.org", 9)]
    assert [Trouble] == [type(event) for event in told]
    assert "1 that this version cannot read" in str(told[0])

    store.save(entry)
    await store.flush()
    assert entry == await store.load(entry.key)


async def test_a_damaged_secret_is_not_used(open_store: Open, path: Path) -> None:
    store = await open_store()
    _execute(path, "INSERT INTO secret VALUES ('control', x'00')")
    with pytest.raises(StoreError, match="its secret 'control' is damaged"):
        await store.secret("control")


async def test_a_damaged_file_is_a_store_error(open_store: Open, path: Path, entry: Entry) -> None:
    await (await open_store()).close()
    empty_bytes = _size(path)
    store = await open_store()
    for number in range(200):
        store.save(entry.but(key=f"{number}@example.org"))
    await store.close()
    _garble(path, empty_bytes)
    store = await open_store()
    with pytest.raises(StoreError, match="it is damaged; stop Ringback and move it away"):
        await store.load("7@example.org")


def _size(path: Path) -> int:
    return path.stat().st_size


def _garble(path: Path, start: int) -> None:
    """Overwrite all but the first pages, which say that it is a database and which tables it has."""
    path.write_bytes(path.read_bytes()[:start] + b"\xaa" * (path.stat().st_size - start))


@contextmanager
def _disk_refuses() -> Iterator[None]:
    """No file of this process can grow or be written meanwhile (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fails_loses_saves_says_so_once_and_may_recover(
    open_store: Open, entry: Entry, told: list[Event]
) -> None:
    store = await open_store()
    with _disk_refuses():
        for _ in range(3):
            store.save(entry)
            with pytest.raises(StoreError, match="the disk"):
                await store.flush()
        lost = await store.load(entry.key)

    assert lost is None
    assert 0 == store.commits
    assert 1 == len(told)
    assert "saves were lost" in str(told[0])

    store.save(entry)
    await store.flush()
    assert entry == await store.load(entry.key)


async def test_a_disk_that_fails_lets_nobody_spend_and_charges_nothing(
    open_store: Open, call: Call
) -> None:
    store = await open_store()
    with _disk_refuses():
        for _ in range(3):
            with pytest.raises(StoreError, match="the disk"):
                await store.spend((CHARGE,), call, 500.0)

    assert [None, CHARGE] == [await store.spend((CHARGE,), None, 500.0) for _ in range(2)]
    assert () == await store.search_calls(call.address, 0.0, 9)


async def test_a_file_that_another_process_keeps_locked_lets_nobody_spend(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    store = await open_store()
    with _another_process(path) as writing:
        writing.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program keeps it locked"):
            await store.spend((CHARGE,), None, 500.0)

    assert await store.spend((CHARGE,), None, 500.0) is None


async def test_a_file_that_was_removed_lets_nobody_spend(open_store: Open, path: Path) -> None:
    store = await open_store()
    _remove(path)
    with pytest.raises(StoreError, match="it was removed or replaced"):
        await store.spend((CHARGE,), None, 500.0)
    with pytest.raises(StoreError, match="it was removed or replaced"):
        await store.is_used_up(CHARGE, 500.0)


async def test_stores_on_one_file_share_its_budgets(open_store: Open) -> None:
    stores = [await open_store() for _ in range(3)]
    host = Charge("host", Rate(40), "calls")
    spends = [stores[number % 3].spend((host,), None, 500.0) for number in range(60)]
    outcomes = await asyncio.gather(*spends)
    stores[0].charge(CHARGE, 500.0)
    await stores[0].flush()

    assert 10 == outcomes.count(None)
    assert await stores[1].is_used_up(CHARGE, 500.0)


async def test_what_was_looked_at_is_known_without_a_transaction(open_store: Open) -> None:
    store = await open_store()
    looks = [await store.is_used_up(CHARGE, 500.0) for _ in range(3)]
    commits = store.commits
    store.charge(CHARGE, 500.0)
    looks.append(await store.is_used_up(CHARGE, 500.0))

    assert [False, False, False, True] == looks
    assert 1 == commits


async def test_what_is_charged_while_it_is_looked_at_counts(open_store: Open) -> None:
    store = await open_store()
    look = asyncio.create_task(store.is_used_up(CHARGE, 500.0))
    await asyncio.sleep(0)
    store.charge(CHARGE, 500.0)
    await look

    assert await store.is_used_up(CHARGE, 500.0)


async def test_spends_that_pile_up_share_a_transaction(open_store: Open, path: Path) -> None:
    store = await open_store()
    with _another_process(path) as writing:
        writing.execute("BEGIN IMMEDIATE")
        spends = [
            asyncio.create_task(store.spend((Charge(f"{number}", Rate(1), "calls"),), None, 500.0))
            for number in range(200)
        ]
        await asyncio.sleep(0)
        writing.execute("ROLLBACK")
    outcomes = await asyncio.gather(*spends)

    assert [None] * 200 == outcomes
    assert store.commits < 20


async def test_a_text_that_no_row_can_hold_harms_only_its_own_call(
    open_store: Open, call: Call, told: list[Event]
) -> None:
    store = await open_store()
    bad = call.but(id="bad", recipient="\ud800")
    outcomes = await asyncio.gather(
        store.spend((CHARGE,), bad, 500.0),
        store.spend((CHARGE.but(key="\ud800"),), None, 500.0),
        store.spend((CHARGE,), call, 500.0),
        return_exceptions=True,
    )
    store.charge(CHARGE.but(key="\ud800"), 500.0)
    await store.flush()
    await store.flush()

    assert [StoreError, StoreError, type(None)] == [type(outcome) for outcome in outcomes]
    assert (call,) == await store.search_calls(call.address, 0.0, 9)
    assert "1 records are not Unicode text" in str(told[0])


async def test_a_spend_that_was_given_up_before_its_turn_is_not_charged(open_store: Open) -> None:
    store = await open_store()
    given_up = [
        asyncio.create_task(store.spend((CHARGE,), None, float(number))) for number in range(20)
    ]
    for task in given_up:
        task.cancel()
    await asyncio.gather(*given_up, return_exceptions=True)

    assert await store.spend((CHARGE,), None, 500.0) is None


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE budget SET full_at = 'soon'",
        "UPDATE budget SET interval_s = 'long'",
        "UPDATE budget SET interval_s = 0",
        "UPDATE budget SET interval_s = -1",
        "UPDATE budget SET full_at = 9e999",
    ],
)
async def test_a_damaged_budget_is_used_up_and_recovers(
    open_store: Open, path: Path, damage: str
) -> None:
    store = await open_store()
    charge = Charge("host", Rate(8), "calls")
    await store.spend((charge,), None, 0.0)
    _execute(path, damage)
    later = 10_000.0

    assert charge == await store.spend((charge,), None, later)
    assert await store.is_used_up(charge, later + charge.rate.interval_s - 1)
    assert await store.spend((charge,), None, later + charge.rate.interval_s) is None


@pytest.mark.parametrize("damage", ["UPDATE epoch SET empty_since = 'x'", "DELETE FROM epoch"])
async def test_budgets_of_no_known_beginning_let_nobody_spend_until_it_is_opened_again(
    open_store: Open, path: Path, damage: str
) -> None:
    store = await open_store()
    _execute(path, damage)
    with pytest.raises(StoreError, match="its budgets are damaged; restart"):
        await store.spend((CHARGE,), None, 500.0)
    await store.close()
    store = await open_store()

    assert await store.spend((CHARGE,), None, 9_000.0) is None


async def test_a_damaged_wait_acquaintance_or_call_counts_as_missing(
    open_store: Open, path: Path, wait: Wait, acquaintance: Acquaintance, call: Call
) -> None:
    store = await open_store()
    store.save_wait(wait)
    store.save_acquaintance(acquaintance)
    store.save_call(call)
    store.save_call(call.but(id="good"))
    await store.flush()
    _execute(path, "UPDATE wait SET count = 'x'")
    _execute(path, "UPDATE acquaintance SET returned = 'x'")
    _execute(path, "UPDATE call SET body = '{' WHERE id = 'c1'")

    assert await store.load_wait(wait.key) is None
    assert await store.load_acquaintance(acquaintance.network) is None
    assert ["good"] == [each.id for each in await store.search_calls("example.org", 0.0, 9)]


async def test_a_call_is_kept_as_long_as_it_was_said_at_open(
    open_store: Open, call: Call, now: list[float], elapsed: list[float]
) -> None:
    store = await open_store(audit_keep_s=60.0)
    store.save_call(call)
    store.save_call(call.but(id="later", at=1_050.0))
    await store.flush()
    now[0] = 1_061.0
    for _ in range(9):
        elapsed[0] += 1.0
        await store.flush()  # after which it sweeps another table

    assert ["later"] == [each.id for each in await store.search_calls("example.org", 0.0, 9)]


async def test_stores_that_open_one_new_file_at_once_all_open_and_share_its_secret(
    open_store: Open,
) -> None:
    stores = await asyncio.gather(*(open_store() for _ in range(6)))
    secrets = await asyncio.gather(*(store.secret("control") for store in stores))

    assert 1 == len(set(secrets))


OPENING = """
import asyncio, sys, time
from ringback.rules.pacing import Charge, Rate
from ringback.store.sqlite import SqliteStore

def open_store(path):
    return SqliteStore.open(
        path, memory_entries=9, audit_keep_s=9e9, sink=print, clock=lambda: 0.0,
        elapsed=time.monotonic, boot="one run",
    )
"""

SECRETIVE = """

async def main():
    sys.stdin.readline()
    store = await open_store(sys.argv[1])
    secret = await store.secret("control")
    await store.close()
    print(secret.hex())

asyncio.run(main())
"""

RESTLESS = """
from ringback.rules.freshness import Entry
from ringback.values.verdict import Reason

async def main():
    print("started", flush=True)
    store = await open_store(sys.argv[1])
    first = int(sys.argv[2])
    while True:
        for number in range(first, first + 50):
            key = f"{number}@example.org"
            store.save(Entry(key, Reason.ACCEPTED, True, "x" * 500, 1.0, 9e9))
        await store.flush()
        first += 50
        print(first, flush=True)

asyncio.run(main())
"""

LEAVING = """
import threading
from ringback.rules.freshness import Entry
from ringback.store import checkpoints
from ringback.values.verdict import Reason

moving = threading.Event()

def stall(_):
    moving.set()
    time.sleep(60)

checkpoints.EVERY_ROWS = 10
checkpoints.Checkpointer._move_all = stall

async def main():
    store = await open_store(sys.argv[1])
    await store.flush()
    for number in range(20):
        store.save(Entry(f"{number}@example.org", Reason.ACCEPTED, True, "", 1.0, 9e9))

# What keeps it from ending until what was saved last is committed, and the disk stalls.
threading.Thread(target=lambda: print(moving.wait(5))).start()
asyncio.run(main())
"""


def _start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OPENING + script, *arguments],
        env={"PYTHONPATH": SOURCE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_program_that_ends_without_closing_does_not_wait_for_the_disk(path: Path) -> None:
    with _start(LEAVING, str(path)) as child:
        try:
            said, _ = child.communicate(timeout=20)
        finally:
            child.kill()

    assert ("True\n", 0) == (said, child.returncode)


@pytest.mark.slow
def test_processes_that_make_one_new_file_at_once_share_its_secret(path: Path) -> None:
    children = [_start(SECRETIVE, str(path)) for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    secrets = {child.communicate(timeout=60)[0] for child in children}

    assert [0] * 4 == [child.returncode for child in children]
    assert 1 == len(secrets)


def _kill_after(lines: int, path: Path, first: int) -> int:
    """Let a child save records from number `first`, kill it, and return the number it had reached.

    It is killed while it goes on, so at no moment that it could choose.
    """
    child = _start(RESTLESS, str(path), str(first))
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    said += child.communicate(timeout=60)[0].splitlines(keepends=True)
    numbers = [int(line) for line in said if line.endswith("\n") and line[0].isdigit()]
    return max(numbers, default=first)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_a_kill_at_any_moment_loses_nothing_committed(
    open_store: Open, path: Path, seed: int
) -> None:
    random = Random(seed)
    reached = 0
    for _ in range(4):
        reached = await asyncio.to_thread(_kill_after, random.randint(1, 15), path, reached)
        store = await open_store()
        missing = [
            number for number in range(reached) if await store.load(f"{number}@example.org") is None
        ]
        await store.close()

        assert [] == missing
    with _another_process(path) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()


VERSION_1 = """
INSERT INTO wait VALUES ('192.0.2.0/24 a@b c@d', 1000, 2, 90000), ('odd', 1000, 1, 90000);
INSERT INTO secret VALUES ('control', zeroblob(32));
"""


def _make_version_1(path: Path, *more: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(MIGRATIONS[1] + VERSION_1 + "".join(more))


async def test_a_file_of_version_1_is_brought_up_to_date(open_store: Open, path: Path) -> None:
    _make_version_1(path)
    store = await open_store()

    wait = Wait("192.0.2.0/24 a@b c@d", 1_000.0, 2, 90_000.0)
    assert wait == await store.load_wait(wait.key)
    assert Crowd(1, 0, 2) == await store.count_waits(wait.network)
    assert Crowd(1, 0, 2) == await store.count_waits("odd")
    assert bytes(32) == await store.secret("control")
    assert await store.spend((CHARGE,), None, 500.0) is None


async def test_a_file_of_version_4_keeps_its_calls(
    open_store: Open, path: Path, call: Call
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("".join(MIGRATIONS[number] for number in range(1, 5)))
        columns = codec.encode_call(call)
        names = ", ".join(f":{name}" for name in columns)
        connection.execute(f"INSERT INTO call ({', '.join(columns)}) VALUES ({names})", columns)
        connection.commit()
    store = await open_store()
    await store.spend((CHARGE,), call.but(id="c2", at=2_000.0), 500.0)
    found = await store.search_calls("example.org", 0.0, 9)

    assert ["c2", "c1"] == [each.id for each in found]


async def test_who_has_called_before_budgets_were_kept_starts_with_empty_ones(
    open_store: Open, path: Path
) -> None:
    _make_version_1(path, "INSERT INTO entry VALUES ('a@b', 'b', 'accepted', 1, 90000, '{}');")
    store = await open_store()

    assert CHARGE == await store.spend((CHARGE,), None, 500.0)
    assert await store.spend((CHARGE,), None, 500.0 + CHARGE.rate.interval_s) is None


SPENDING = """
import os
from itertools import count
from ringback.values.calls import Call
from ringback.values.query import Purpose

async def main():
    sys.stdin.readline()
    store = await open_store(sys.argv[1])
    charges = (Charge("host", Rate(400), "x"), Charge("all", Rate(1000), "x"))
    numbers = count()

    def spend():
        name = f"{os.getpid()}-{next(numbers)}"
        call = Call(name, name, 0.0, "a@b.example", "b.example", "", "", Purpose.SENDER)
        return store.spend(charges, call, time.monotonic())

    print("started", flush=True)
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        outcomes = await asyncio.gather(*(spend() for _ in range(5)))
        print("spent\\n" * outcomes.count(None), end="", flush=True)
    await store.close()

asyncio.run(main())
"""


def _let_spend(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


@pytest.mark.slow
def test_processes_that_spend_one_budget_never_exceed_it(path: Path) -> None:
    children = [_start(SPENDING, str(path), "1.0") for _ in range(2)]
    for child in children:
        _let_spend(child)
    said = [child.communicate(timeout=60)[0].count("spent") for child in children]

    assert [0, 0] == [child.returncode for child in children]
    assert sum(said) == 100  # the burst; the next comes after twelve seconds


@pytest.mark.slow
async def test_a_kill_in_the_middle_of_spending_leaves_no_more_than_the_budget_and_all_calls(
    open_store: Open, path: Path, elapsed: list[float]
) -> None:
    child = _start(SPENDING, str(path), "60")
    _let_spend(child)
    assert child.stdout is not None
    said = [await asyncio.to_thread(child.stdout.readline) for _ in range(20)]
    child.kill()
    said += child.communicate(timeout=60)[0].splitlines()
    elapsed[0] = time.monotonic()
    store = await open_store()
    host = Charge("host", Rate(400), "x")

    kept = await store.search_calls("b.example", 0.0, 999)

    assert len(said) <= 101
    assert said.count("spent") + said.count("spent\n") <= len(kept) <= 100
    assert host == await store.spend((host,), None, elapsed[0])
    assert await store.spend((host,), None, elapsed[0] + host.rate.interval_s) is None


def _markers(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if "-open-" in file.name]


@pytest.mark.filterwarnings("error")
async def test_an_opening_that_is_broken_off_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "ringback.db"

    def open_it() -> Coroutine[None, None, SqliteStore]:
        return SqliteStore.open(
            path,
            memory_entries=10,
            audit_keep_s=60.0,
            sink=lambda _: None,
            clock=lambda: 0.0,
            elapsed=lambda: 0.0,
            boot="a boot",
        )

    opening = asyncio.create_task(open_it())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    gc.collect()

    assert _markers(tmp_path) == []
    store = await open_it()
    assert await store.spend((Charge("k", Rate(100), "k"),), None, 1.0) is None  # bursts are full
    await store.close()
