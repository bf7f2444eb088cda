"""What `ringback bulk` does where a list does not go as planned."""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path

import pytest

from ringback.assemble import running_lists
from ringback.doors.cli import working
from ringback.doors.cli.progress import Stand
from ringback.doors.cli.working import MAX_COMPLAINTS, forget, run
from ringback.doors.configuration import DEFAULT, Loaded, load_settings
from ringback.doors.lists import delivery
from ringback.doors.lists.delivery import Delivery
from ringback.doors.lists.opening import Wish
from ringback.engine.bulk import Bulk
from ringback.engine.ports import Sink
from ringback.errors import ConfigError, StoreError, UsageError
from ringback.store.lists import Lists
from ringback.values.events import Lifecycle, Trouble
from ringback.values.job import JobList, Task
from ringback.values.query import Report
from ringback.values.settings import Bulk as BulkSettings
from ringback.values.settings import Settings, StoreSettings


class Watch:
    """Where progress is shown; at the first, or where there is none, `number` is raised."""

    def __init__(self, number: int = 0) -> None:
        self.told: list[str] = []
        self.number = number
        self.beside_results = False

    def show(self, stand: Stand) -> None:
        if self.number:
            signal.raise_signal(self.number)

    def tell(self, line: str) -> None:
        self.told.append(line)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()

    @contextmanager
    def shown(*, beside_results: bool) -> Iterator[Watch]:
        watch.beside_results = beside_results
        yield watch

    monkeypatch.setattr(working, "shown_progress", shown)
    return watch


@pytest.fixture
def loaded(lab_settings: Path) -> Loaded:
    loaded = load_settings(str(lab_settings), {})
    return loaded.but(settings=loaded.settings.but(bulk=BulkSettings(consent=True)))


def wish(folder: Path, octets: bytes = b"ann@greylist.example\n", name: str = "list.txt") -> Wish:
    path = folder / name
    path.write_bytes(octets)
    return Wish(str(path), out=str(folder / f"out{path.suffix}"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(
    loaded: Loaded, tmp_path: Path, watch: Watch, number: signal.Signals
) -> None:
    watch.number = number
    wanted = wish(tmp_path, b"# ours\nann@greylist.example\n")

    assert 128 + number == run(loaded, wanted)
    assert "# ours\n" == Path(wanted.out).read_text()
    said = f"ringback: interrupted; {wanted.out} has the first 1 row; run the same command again to go on"
    assert said in watch.told


def test_a_signal_may_come_before_anybody_is_asked(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_late(bulk: Bulk, digest: str, tasks: Iterable[Task]) -> JobList:
        signal.raise_signal(signal.SIGTERM)
        return await asyncio.Future()

    monkeypatch.setattr(Bulk, "open", open_late)
    wanted = wish(tmp_path)

    assert 128 + signal.SIGTERM == run(loaded, wanted)
    assert not Path(wanted.out).exists()
    said = "ringback: interrupted before anybody was asked; run the same command again"
    assert [said] == watch.told


def test_a_signal_may_come_before_what_is_there_was_found_again(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait_for_ever(delivery: Delivery) -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Future()

    wanted = wish(tmp_path, b"ann@nosuch.example\n")
    run(loaded, wanted)
    octets = Path(wanted.out).read_bytes()
    monkeypatch.setattr(Delivery, "go_on", wait_for_ever)

    assert 128 + signal.SIGTERM == run(loaded, wanted)
    assert octets == Path(wanted.out).read_bytes()
    said = f"ringback: interrupted; {wanted.out} is as it was; run the same command again to go on"
    assert said == watch.told[-1]


def test_a_list_that_changes_meanwhile_is_no_success(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wish(tmp_path, b"ann@nosuch.example\n" * 3)
    begin = Bulk.run

    async def run_late(bulk: Bulk, work: JobList) -> Report | None:
        with os.fdopen(os.open(wanted.file, os.O_WRONLY), "wb") as file:
            file.write(b"other\n" * 3_000)
        return await begin(bulk, work)

    monkeypatch.setattr(delivery, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(Bulk, "run", run_late)

    with pytest.raises(UsageError, match="it changed while it was read, and is another list now"):
        run(loaded, wanted)


def test_a_store_that_is_not_ours_is_refused_and_not_replaced(
    loaded: Loaded, tmp_path: Path
) -> None:
    store = StoreSettings(f"sqlite://{tmp_path}/no/such.db")
    default = {**loaded.sources, "store.url": DEFAULT}
    loaded = loaded.but(settings=loaded.settings.but(store=store), sources=default)

    for work in (run, forget):
        with pytest.raises(
            ConfigError, match=r"store\.url: .*such\.db is not this user's, and keeps"
        ):
            work(loaded, wish(tmp_path))


def test_a_store_in_memory_is_told_to_keep_nothing(
    loaded: Loaded, tmp_path: Path, watch: Watch
) -> None:
    watch.number = signal.SIGINT
    settings = loaded.settings.but(store=StoreSettings("memory:"))

    run(loaded.but(settings=settings), wish(tmp_path))

    assert watch.told[-1].endswith("the first 0 rows; nothing else is kept: store.url is memory:")


def test_who_is_unfit_calls_nobody_and_hears_why(
    loaded: Loaded, tmp_path: Path, watch: Watch
) -> None:
    identity = loaded.settings.identity.but(helo_name="nobody.nosuch.example")
    settings = loaded.settings.but(identity=identity)

    with pytest.raises(UsageError, match="nobody may be called: ") as refused:
        run(loaded.but(settings=settings), wish(tmp_path))

    assert "what would change it: what `ringback doctor` finds; then run the same" in str(
        refused.value
    )


def rows_of(loaded: Loaded, table: str) -> int:
    with closing(sqlite3.connect(loaded.settings.store.sqlite_path or "")) as connection:
        number: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def test_what_is_forgotten_is_gone_when_that_is_said(
    loaded: Loaded, tmp_path: Path, watch: Watch
) -> None:
    wanted = wish(tmp_path, b"ann@nosuch.example\n")
    run(loaded, wanted)
    kept = [rows_of(loaded, table) for table in ("list", "job")]
    forget(loaded, wanted)

    assert [1, 1] == kept
    assert [0, 0] == [rows_of(loaded, table) for table in ("list", "job")]


def test_to_forget_what_was_never_begun_makes_no_list(
    loaded: Loaded, tmp_path: Path, watch: Watch
) -> None:
    wanted = wish(tmp_path, b"ann@nosuch.example\n")
    with pytest.raises(
        UsageError, match="nothing is kept of such a list; what was begun with --col"
    ):
        forget(loaded, wanted)

    assert 0 == rows_of(loaded, "list")
    assert 0 == run(loaded, wanted)
    assert watch.told[-1].startswith("ringback: 1 address: ")


def test_who_is_killed_between_forgetting_and_asking_again_loses_no_address(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = wish(tmp_path, b"ann@nosuch.example\n")
    run(loaded, wanted)

    async def killed(bulk: Bulk, digest: str, tasks: Iterable[Task]) -> JobList:
        raise StoreError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Bulk, "open", killed)
        with pytest.raises(StoreError, match="killed"):
            run(loaded, wanted.but(again=True, force=True))
    Path(wanted.out).unlink()

    assert 0 == run(loaded, wanted)
    assert "ann@nosuch.example" in Path(wanted.out).read_text()


def test_answers_that_cannot_be_read_are_complained_of(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load_none(_: Lists, number: int, tasks: Iterable[Task]) -> dict[str, Report]:
        return {}

    monkeypatch.setattr(Lists, "load_reports", load_none)

    with pytest.raises(StoreError, match="some answers could not be read; run the same list with"):
        run(loaded, wish(tmp_path, b"ann@nosuch.example\n"))


def test_rows_without_an_address_are_told(loaded: Loaded, tmp_path: Path, watch: Watch) -> None:
    assert 0 == run(loaded, wish(tmp_path, b"ann@nosuch.example\nAnn <ann@shop.example>\n"))
    assert (
        "ringback: 1 row without an address to ask, from line 2 on; "
        "they say why where a rule would stand"
    ) == watch.told[-1]


def test_a_bar_would_wipe_results_off_a_terminal(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_terminal in (True, False):
        monkeypatch.setattr("os.isatty", lambda _file, said=is_terminal: said)
        run(loaded, wish(tmp_path, b"ann@nosuch.example\n"))

        assert is_terminal is watch.beside_results


def test_ragged_rows_are_told(loaded: Loaded, tmp_path: Path, watch: Watch) -> None:
    wanted = wish(tmp_path, b"email,n\nann@nosuch.example\n", "list.csv")

    assert 0 == run(loaded, wanted)
    assert (
        "ringback: 1 row with more or fewer cells than the first, from line 2 on; "
        "look whether their addresses were found"
    ) == watch.told[-1]


def test_the_first_troubles_are_told_and_the_others_counted(
    loaded: Loaded, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = running_lists

    @asynccontextmanager
    async def begin_badly(settings: Settings, sink: Sink) -> AsyncIterator[Bulk]:
        for _ in range(MAX_COMPLAINTS + 2):
            sink(Trouble("breaker", "refuses us", "wait"))
        sink(Lifecycle("ready"))
        async with begin(settings, sink) as bulk:
            yield bulk

    monkeypatch.setattr(working, "running_lists", begin_badly)

    run(loaded, wish(tmp_path, b"ann@nosuch.example\n"))

    assert MAX_COMPLAINTS == watch.told.count("ringback: breaker: refuses us; wait")
    assert "ringback: 2 warnings more not shown" == watch.told[-1]


def test_a_tsv_has_tabs(loaded: Loaded, tmp_path: Path, watch: Watch) -> None:
    wanted = wish(tmp_path, b"ann@nosuch.example\n")

    run(loaded, wanted.but(out=str(tmp_path / "out.tsv")))

    assert (tmp_path / "out.tsv").read_text().startswith("address\tverdict\t")
