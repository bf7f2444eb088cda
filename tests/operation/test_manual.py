"""The manual pages, and completion as shells ask for it. What reads them is tried in test_debian.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from tools import manual
from tools.example import ROUTE

from ringback.doors.cli import COMMANDS
from ringback.doors.configuration import KEYS


def test_every_command_is_in_the_manual(tmp_path: Path) -> None:
    manual.main([str(tmp_path)])
    page = (tmp_path / "ringback.1").read_text("ascii")

    assert all(f".SS ringback {name}".replace("-", "\\-") in page for name in COMMANDS)
    assert ".B \\-\\-explain\n" in page


def test_every_setting_is_in_the_manual() -> None:
    page = manual.write_settings_page()

    assert all(f".B {key.partition('.')[2]}\n" in page for key in KEYS if key != ROUTE)


def test_page_has_the_day_that_the_builder_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")

    assert '.TH RINGBACK 1 "2023-11-14" "ringback ' in manual.write_program_page()


@pytest.mark.parametrize("text", [".TH is no request", "'tis nothing", "back\\slash", "a `.B` b"])
def test_no_prose_is_a_request(text: str) -> None:
    line = manual.as_prose(text)

    assert not line.startswith((".", "'"))
    assert "back\\e" in line or "\\slash" not in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("ringback c", {"check", "cache", "classify", "config"}),
        ("ringback config ", {"check", "show"}),
        ("ringback check --ex", {"--explain"}),
    ],
)
def test_completion_offers_what_there_is_and_imports_little(words: str, offered: set[str]) -> None:
    # What takes long to start has these in common.
    heavy = "sorted({'asyncio', 'sqlite3', 'dns', 'litestar', 'rich'} & set(sys.modules))"
    program = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print({heavy}, file=sys.stderr))\n"
        "from ringback.doors.cli import main\n"
        "main()\n"
    )
    environment = {
        "_RINGBACK_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stdout.split()

    assert offered == {line.partition(",")[2] for line in lines}
    assert "[]\n" == done.stderr
