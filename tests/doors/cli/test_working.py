"""What `ringback bulk` does where a list does not go as planned."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from ringback.assemble import running_lists
from ringback.doors.cli import working
from ringback.doors.cli.progress import Stand
from ringback.doors.cli.working import MAX_COMPLAINTS, run
from ringback.doors.configuration import Loaded, load_settings
from ringback.doors.lists.opening import Wish
from ringback.engine.bulk import Bulk
from ringback.engine.ports import Sink
from ringback.errors import UsageError
from ringback.values.events import Lifecycle, Trouble
from ringback.values.job import JobList, Task
from ringback.values.settings import Bulk as BulkSettings
from ringback.values.settings import Settings, StoreSettings


class Watch:
    """Where progress is shown; at the first, or where there is none, `number` is raised."""

    def __init__(self, number: int = 0) -> None:
        self.told: list[str] = []
        self.number = number

    def show(self, stand: Stand) -> None:
        if self.number:
            signal.raise_signal(self.number)

    def tell(self, line: str) -> None:
        self.told.append(line)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()

    @contextmanager
    def shown() -> Iterator[Watch]:
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


def test_ragged_rows_are_told(loaded: Loaded, tmp_path: Path, watch: Watch) -> None:
    wanted = wish(tmp_path, b"email,n\nnonsense\n", "list.csv")

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

    run(loaded, wish(tmp_path, b"nonsense\n"))

    assert MAX_COMPLAINTS == watch.told.count("ringback: breaker: refuses us; wait")
    assert "ringback: 2 warnings more not shown" == watch.told[-1]


def test_a_tsv_has_tabs(loaded: Loaded, tmp_path: Path, watch: Watch) -> None:
    wanted = wish(tmp_path, b"nonsense\n")

    run(loaded, wanted.but(out=str(tmp_path / "out.tsv")))

    assert (tmp_path / "out.tsv").read_text().startswith("address\tverdict\t")
