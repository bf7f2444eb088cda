"""The page about scenarios is what the scenarios say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page", ROOT / "tools" / "scenarios.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    page = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")

    assert page == script.write_page(), "run `make docs`"


def test_a_page_that_differs_is_found(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "PAGE", tmp_path / "scenarios.md")

    absent = script.main(["--check"])
    written = script.main([]), script.main(["--check"])
    script.PAGE.write_text("old")

    assert (1, (0, 0), 1) == (absent, written, script.main(["--check"]))
    assert 2 == capsys.readouterr().err.count("docs/scenarios.md is out of date: run make docs\n")
