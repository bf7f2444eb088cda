"""How findings are shown, whatever was found."""

import json
from pathlib import Path

import click
import pytest

from ringback.doors.cli import examining
from ringback.doors.configuration import Loaded, load_settings
from ringback.values.fitness import Severity


@pytest.fixture
def loaded(lab_settings: Path) -> Loaded:
    return load_settings(str(lab_settings), {})


def test_every_severity_has_a_colour_of_its_own() -> None:
    assert set(Severity) == set(examining._COLOURS)
    assert len(Severity) == len(set(examining._COLOURS.values()))


def test_severities_stand_in_one_column(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    status = examining.run(loaded, as_json=False)
    findings = click.unstyle(capsys.readouterr().out).split("\n\n")[0].splitlines()

    assert 0 == status
    assert {"ok", "warning", "unknown", ""} >= {line[:9].strip() for line in findings}


def test_json_is_all_ascii(loaded: Loaded, capsys: pytest.CaptureFixture[str]) -> None:
    examining.run(loaded, as_json=True)
    out = capsys.readouterr().out

    assert out.isascii()
    assert json.loads(out)["fit"]
