"""What the tests of commands share: `ringback` run within this process, as a shell would see it."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringback.doors.cli import main

# Status, standard output, standard error.
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file of settings, which commands read; nothing else of this machine's is read."""
    for name in [name for name in os.environ if name.startswith("RINGBACK_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "ringback.toml"
    path.write_text("")
    monkeypatch.setenv("RINGBACK_CONFIG", str(path))
    return path


@pytest.fixture
def run(config_file: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    def run_once(*arguments: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    # A uvloop that is closed leaves its handlers behind, and who waits for some would find those.
    before = [
        (one, signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ]
    yield run_once
    for number, handler in before:
        signal.signal(number, handler)
