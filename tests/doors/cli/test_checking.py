"""What `ringback check` decides by itself: where it remembers."""

import os
from pathlib import Path

import pytest

from ringback.doors.cli import checking
from ringback.doors.cli.checking import Form, Wish, run
from ringback.doors.configuration import Loaded, load_settings
from ringback.values.query import Purpose
from ringback.values.settings import StoreSettings

LINE = Wish(Purpose.SENDER, False, None, Form.LINE)


@pytest.fixture
def loaded(lab_settings: Path) -> Loaded:
    return load_settings(str(lab_settings), {})


def _store_of(loaded: Loaded, path: Path, source: str) -> str:
    settings = loaded.settings.but(store=StoreSettings(f"sqlite://{path}"))
    chosen = checking.with_store(Loaded(settings, {"store.url": source}, None))
    return chosen.store.url


def test_the_store_that_somebody_named_is_used(loaded: Loaded, tmp_path: Path) -> None:
    path = tmp_path / "no" / "such"

    assert f"sqlite://{path}" == _store_of(loaded, path, "a.toml")


@pytest.mark.parametrize("made", [True, False])
def test_the_usual_one_is_used_where_it_is_ours(loaded: Loaded, tmp_path: Path, made: bool) -> None:
    path = tmp_path / "a.db"
    if made:
        path.touch()

    assert f"sqlite://{path}" == _store_of(loaded, path, "default")


def test_nothing_is_made_in_a_folder_of_somebody_else(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_711)

    assert "memory:" == _store_of(loaded, tmp_path / "a.db", "default")
    assert "memory:" == _store_of(loaded, tmp_path / "no" / "such.db", "default")


def test_it_returns_the_status(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(loaded, LINE, ["ann@shop.example"])
    assert 1 == run(loaded, LINE, ["invented@shop.example"])
    assert 3 == run(loaded, LINE, ["ann@busy.example"])
    assert 3 == len(capsys.readouterr().out.splitlines())
