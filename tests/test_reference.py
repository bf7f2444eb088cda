"""The reference pages are what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ringback.doors.configuration import KEYS

ROOT = Path(__file__).parent.parent


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with a folder of its own to write to."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path / "reference")
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", ["settings.md", "cli.md"])
def test_the_pages_are_up_to_date(reference: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert page == reference.PAGES[name](), "run `make docs`"


def test_every_setting_has_a_row(reference: ModuleType) -> None:
    page = reference.write_settings()

    assert all(f"| `{key.partition('.')[2]}` |" in page for key in KEYS)


@pytest.mark.slow
def test_a_page_that_differs_is_found(
    reference: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = reference.main(["--check"])
    written = reference.main([]), reference.main(["--check"])
    (reference.FOLDER / "cli.md").write_text("old")
    differs = reference.main(["--check"])

    assert (1, (0, 0), 1) == (absent, written, differs)
    assert (
        "docs/reference/settings.md is out of date: run make docs\n"
        "docs/reference/cli.md is out of date: run make docs\n"
        "docs/reference/cli.md is out of date: run make docs\n"
    ) == capsys.readouterr().err
