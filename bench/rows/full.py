"""A cache of ten million addresses: start, hits, memory, and cleaning, of which nobody should notice much.

The database is made of what a callout of Ringback's own left, with other addresses, in bulk; a twentieth of
it has expired. One kept connection asks the policy port: about addresses that are held in memory, about any,
and about new ones. Marks: start within 1 s, p99 of a hit 1 ms, no answer 20 ms late, memory bounded by what
is set.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, sleep, time

from ringback.store.database import prepare

from .. import places, usage
from ..entrants import MAKERS, NOTHING
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..orders import Outcome
from ..places import ANSWERS_AT_ONCE, mailbox
from ..systems import ringback
from ..systems.system import System
from ..world import World, world

DOMAINS = 1_000
EXPIRED_SHARE = 0.05
MEMORY_ENTRIES = 50_000
# Without a control, what these hosts accept is `unknown`. Longer than any row of `_rows` lives, also where
# the file was kept: a hit that is not fresh begins a callout, which is another row's affair.
KEPT_S = [20_000_000, 20_000_000]
# More than are held in memory, so that each is read from disk; others each time.
FILLS = 60_000
FILL_ASKERS, FILL_S = 32, 300.0
CLEANING_S = 60.0
_GLANCE_S = 2.0
_HEAD = ("", "answers", "p50 ms", "p99 ms", "p99.9 ms", "worst ms", "over 20 ms")
_STALL_MS = 20.0


def run(asked: Options) -> None:
    say(f"a cache of {asked.entries:,} addresses; {describe()}")
    with world() as here:
        store = asked.cache.absolute() if asked.cache else here.home / "full.db"
        known = store.exists()
        _prepare(here, store)
        began_at = perf_counter()
        if known:
            _refill(store, asked.entries)
        else:
            _fill(store, asked.entries)
        did = "filled again" if known else "made"
        say(f"{did} in {perf_counter() - began_at:.0f} s, {store.stat().st_size / 2**30:.1f} GiB")
        _report_starts(here, store, asked.rounds)
        system = _start(here, "full", store)
        _, started_mib = usage.pss_mib(system.pid)
        # Each state has its own addresses, or what the first one read is in memory.
        half = _live(asked.entries) // 2
        rows = [_HEAD, *_measure(system, "cleaning", asked, range(1, half))]
        left = _wait_clean(store)
        say(f"after {CLEANING_S:g} s of cleaning: {left:,} expired left, {_count(store):,} in all")
        state = "quiet" if not left else "cleaning still"
        rows += _measure(system, state, asked, range(half, 2 * half))
        say_table(rows)
        _report_memory(system, started_mib, asked.entries)


def _start(here: World, name: str, store: Path) -> System:
    more = {"cache": {"memory_entries": MEMORY_ENTRIES, "unknown": KEPT_S}}
    return ringback.start(here, name, places.RINGBACK, store=store, more=more)


def _prepare(here: World, store: Path) -> None:
    """Have a callout made whose row is the model of all others."""
    system = _start(here, "model", store)
    say(f"ringback: {system.about}")
    system.warm_up(1, 10.0, 1, first=0)
    system.stop()


def _report_starts(here: World, store: Path, rounds: int) -> None:
    """Until it is ready, from this store and from an empty one, in turns."""
    empty = here.home / "empty.db"
    took_s: dict[Path, list[float]] = {store: [], empty: []}
    for _ in range(rounds):
        for place, each in took_s.items():
            began_at = perf_counter()
            system = _start(here, "start", place)
            each.append(perf_counter() - began_at)
            system.stop()
    say(f"start: {median(took_s[store]):.2f} s; with an empty store {median(took_s[empty]):.2f} s")


def _fill(store: Path, entries: int) -> None:
    """Bring the table of entries to that size, sorted by its key, and make its indices at the end."""
    with _filling(store) as connection:
        model = _model(connection)
        indices = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'entry' AND type = 'index' "
            "AND sql IS NOT NULL"
        ).fetchall()
        connection.execute("DELETE FROM entry")
        for name, _ in indices:
            connection.execute(f"DROP INDEX {name}")
        sorted_by_key = chain.from_iterable(_as_keys_sort(each, entries) for each in range(1, 10))
        _insert(connection, _rows(model, sorted_by_key, _live(entries)))
        for _, made in indices:
            connection.execute(made)


def _refill(store: Path, entries: int) -> None:
    """Put back what was cleaned the last time."""
    with _filling(store) as connection:
        live = _live(entries)
        _insert(connection, _rows(_model(connection), range(live, entries), live))


@contextmanager
def _filling(store: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, without what would keep it safe."""
    with closing(prepare(store).connect()) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    os.sync()  # or the disk is busy with it while answers wait


def _model(connection: sqlite3.Connection) -> dict[str, object]:
    return dict(connection.execute("SELECT * FROM entry LIMIT 1").fetchone())


def _insert(connection: sqlite3.Connection, rows: Iterator[dict[str, object]]) -> None:
    row = next(rows)
    columns = ", ".join(f":{column}" for column in row)
    order = f"INSERT OR REPLACE INTO entry ({', '.join(row)}) VALUES ({columns})"
    connection.executemany(order, chain([row], rows))


def _live(entries: int) -> int:
    """How many have not expired."""
    return round(entries * (1 - EXPIRED_SHARE))


def _rows(
    model: dict[str, object], numbers: Iterable[int], live: int
) -> Iterator[dict[str, object]]:
    now = time()
    for number in numbers:
        address = mailbox(number, ANSWERS_AT_ONCE, DOMAINS)
        yield model | {
            "key": address,
            "domain": address.partition("@")[2],
            "checked_at": now - number % 100_000,
            "expires_at": now + 2_000_000 + number if number < live else now - number % 100_000,
        }


def _as_keys_sort(number: int, most: int) -> Iterator[int]:
    """Numbers below `most` that begin as this one: "u10@" sorts before "u1@"."""
    if number < most:
        for digit in range(10):
            yield from _as_keys_sort(number * 10 + digit, most)
        yield number


def _measure(system: System, state: str, asked: Options, rows: range) -> list[list[str]]:
    with MAKERS[NOTHING](system.world).asked(1, asked.seconds) as nothing:
        pass
    with system.asked(1, asked.seconds, first=1, known=DOMAINS):
        pass
    with system.asked(1, asked.seconds, first=1, known=DOMAINS) as in_memory:
        pass
    with system.asked(1, asked.seconds * 2, first=rows.start, known=len(rows)) as on_disk:
        pass
    # As numbers, the milliseconds of now are new each time, and fewer are asked about in one.
    with system.asked(1, asked.seconds, first=round(time() * 1_000)) as new:
        pass
    return [
        _row(f"{state}, a service that does nothing", nothing),
        _row(f"{state}, held in memory", in_memory),
        _row(f"{state}, any", on_disk),
        _row(f"{state}, new", new),
    ]


def _row(name: str, outcome: Outcome) -> list[str]:
    quantiles = [outcome.quantile_ms(share) for share in (0.5, 0.99, 0.999, 1.0)]
    late = sum(took_ms > _STALL_MS for took_ms in outcome.took_ms)
    return [
        name,
        f"{len(outcome.took_ms):,}",
        *(f"{each:.2f}" for each in quantiles),
        str(late),
    ]


def _wait_clean(store: Path) -> int:
    """Wait until nothing expired is left, for so long; return how much is."""
    give_up_at = monotonic() + CLEANING_S
    while (left := _count(store, time())) and monotonic() < give_up_at:
        sleep(_GLANCE_S)
    return left


def _count(store: Path, expired_at: float | None = None) -> int:
    where = "" if expired_at is None else f" WHERE expires_at <= {expired_at}"
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM entry{where}").fetchone()[0])


def _report_memory(system: System, started_mib: float, entries: int) -> None:
    """Fill what is held in memory, and then go on with others: that should add nothing."""
    held = [started_mib]
    live = _live(entries)
    for turn in range(3):
        first = (1 + turn * FILLS) % live
        with system.asked(FILL_ASKERS, FILL_S, questions=FILLS, first=first):
            held.append(usage.pss_mib(system.pid)[1])
    texts = " → ".join(f"{mib:,.0f}" for mib in held)
    say(
        f"PSS MiB at the start and after each {FILLS:,} others: {texts} (it may hold {MEMORY_ENTRIES:,})"
    )
