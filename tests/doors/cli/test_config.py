"""`ringback config`: the settings in force and their mistakes, as a shell sees them."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.doors.cli import config
from ringback.doors.configuration import KEYS

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

READY = '[identity]\ncontact = "postmaster@example.net"\n[etiquette]\ncall_when = "always"\n'


def test_settings_without_mistake_are_ok(run: Run, config_file: Path) -> None:
    config_file.write_text(READY)

    assert (0, f"ok: {config_file}\n", "") == run("config", "check")


def test_the_option_names_another_file(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(READY)

    assert (0, f"ok: {other}\n", "") == run("config", "check", "--config", str(other))


def test_every_mistake_is_a_line(
    run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text("[smtp]\nprot = 25\n[store]\nurl = 'postgresql://db.example/x'\n")
    monkeypatch.setenv("RINGBACK_SMTP__MAX_HOSTS", "0")

    status, out, err = run("config", "check")

    assert (2, "") == (status, out)
    assert [
        f'ringback: {config_file}: smtp.prot: unknown key; the nearest known key is "smtp.port"',
        "ringback: RINGBACK_SMTP__MAX_HOSTS: smtp.max_hosts: 0 is out of range; "
        "write a whole number from 1 to 100",
        f'ringback: {config_file}: store.url: "postgresql:…" comes with a later version; '
        'write url = "sqlite:///path/to/file" under [store]',
    ] == err.splitlines()


def test_what_the_service_would_refuse_is_a_mistake(run: Run, config_file: Path) -> None:
    status, out, err = run("config", "check")

    assert (2, "") == (status, out)
    assert err.startswith(f"ringback: {config_file}: identity.contact: it is missing")


def test_no_file_at_all_is_no_mistake(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absent = str(tmp_path / "absent.toml")
    monkeypatch.setattr(config, "STANDARD_PATH", absent)
    monkeypatch.delenv("RINGBACK_CONFIG")
    monkeypatch.setenv("RINGBACK_ETIQUETTE__CALL_WHEN", "always")
    monkeypatch.setenv("RINGBACK_IDENTITY__CONTACT", "ann@example.net")

    assert (0, f"ok: defaults, without a file at {absent}\n", "") == run("config", "check")


def test_the_settings_in_force_are_shown_with_their_sources(
    run: Run, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text("[cache]\nunknown = [60, 600]\n")
    monkeypatch.setenv("RINGBACK_SMTP__PORT", "2525")

    status, out, err = run("config", "show")
    lines = [tuple(part.strip() for part in line.split("  # ")) for line in out.splitlines()]

    assert (0, "") == (status, err)
    assert list(KEYS) == [line.partition(" = ")[0] for line, _ in lines]
    assert ("smtp.port = 2525", "RINGBACK_SMTP__PORT") in lines
    assert ("cache.unknown = [60, 600]", str(config_file)) in lines
    assert ('smtp.method = "rcpt"', "default") in lines


def test_what_is_shown_is_toml(run: Run) -> None:
    _, out, _ = run("config", "show")
    tables = tomllib.loads(out)

    assert list(KEYS) == [f"{name}.{key}" for name, table in tables.items() for key in table]


def test_programs_get_json(run: Run, config_file: Path) -> None:
    config_file.write_text("[cache]\nunknown = [60, 600]\n")

    _, out, _ = run("config", "show", "--json")
    shown = json.loads(out)

    assert list(KEYS) == list(shown)
    assert {"value": 25, "source": "default"} == shown["smtp.port"]
    assert {"value": ["127.0.0.1:10040"], "source": "default"} == shown["policy.listen"]
    assert {"value": [60.0, 600.0], "source": str(config_file)} == shown["cache.unknown"]


def test_programs_get_routes_as_tables(run: Run, config_file: Path) -> None:
    config_file.write_text("[[recipient.route]]\ndomain = 'a.example'\nhost = '10.0.0.1'\n")

    _, out, _ = run("config", "show", "--json")
    shown = json.loads(out)["recipient.route"]["value"]

    route = {"domain": "a.example", "host": ["10.0.0.1"], "port": 25}
    login = {"username": "", "password_file": ""}
    assert [
        route | {"protocol": "smtp", "sender": "envelope", "tls": "when_offered"} | login
    ] == shown


def test_what_is_in_force_is_shown_as_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sqlite:///srv/a:b@c/x.db?password=1"
    monkeypatch.setenv("RINGBACK_STORE__URL", url)
    _, out, _ = run("config", "show")
    _, shown, _ = run("config", "show", "--json")

    assert f'store.url = "{url}"' in out
    assert url == json.loads(shown)["store.url"]["value"]


def test_settings_with_a_mistake_are_not_shown(run: Run, config_file: Path) -> None:
    config_file.write_text("[smtp]\nport = 0\n")

    assert (
        2,
        "",
        f"ringback: {config_file}: smtp.port: 0 is out of range; "
        "write a whole number from 1 to 65535\n",
    ) == run("config", "show")
