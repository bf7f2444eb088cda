"""Options that commands share."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ringback.doors.cli.options import config_option, json_option, load, require_contact
from ringback.doors.configuration import load_settings
from ringback.errors import ConfigError


@click.command()
@config_option
@json_option
def show(config_path: str | None, as_json: bool) -> None:
    """Print the port, as a command would."""
    loaded = load(config_path)
    click.echo(f"{loaded.settings.smtp.port} {loaded.sources['smtp.port']} {as_json}")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.toml"
    path.write_text("[smtp]\nport = 2525\n")
    return path


@pytest.mark.usefixtures("config_file")
def test_the_file_named_is_read(other: Path) -> None:
    ended = CliRunner().invoke(show, ["--config", str(other), "--json"])

    assert f"2525 {other} True\n" == ended.output


@pytest.mark.usefixtures("config_file")
def test_the_environment_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGBACK_SMTP__PORT", "2626")

    ended = CliRunner().invoke(show)

    assert "2626 RINGBACK_SMTP__PORT False\n" == ended.output


def test_those_who_are_called_must_know_whom_to_write_to(other: Path) -> None:
    with pytest.raises(ConfigError, match=r"other\.toml: identity\.contact: it is missing"):
        require_contact(load_settings(str(other), {}))

    require_contact(load_settings(None, {"RINGBACK_IDENTITY__CONTACT": "ann@example.net"}))
