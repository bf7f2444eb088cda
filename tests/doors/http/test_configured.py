"""The page of the settings, and their sources."""

from pathlib import Path

import pytest

from http_fakes import TOKENS, WITH_TOKEN, HttpSite
from page_fakes import BROWSER, Browser, Reader
from ringback.doors.configuration import load_settings
from ringback.doors.http.configured import sections_of
from ringback.values.settings import Settings

SECRET = "this-is-nobodys-business"
FILE = """
[policy]
mode = "enforce"

[http]
tokens_file = "{folder}/tokens"

[[recipient.route]]
domain = "ours.example"
host = "127.0.0.9"
username = "ringback"
password_file = "{folder}/password"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for name in ("tokens", "password"):
        (tmp_path / name).write_text(SECRET)
    path = tmp_path / "ringback.toml"
    path.write_text(FILE.format(folder=tmp_path))
    return path


async def test_each_setting_has_its_source(site: HttpSite, path: Path) -> None:
    loaded = load_settings(str(path), {"RINGBACK_SMTP__PORT": "2525"})
    site.settings, site.sources = loaded.settings, loaded.sources
    page = await Browser(site).read("/settings")

    assert f"in force now, from {path}." in page.text
    assert "4 of " in page.text
    assert 'policy.mode "enforce"the file the file' in page.text
    assert "smtp.port 2525RINGBACK_SMTP__PORT RINGBACK_SMTP__PORT" in page.text
    assert 4 == len(page.all("tr", **{"class": "set"}))


async def test_no_secret_is_shown(site: HttpSite, path: Path) -> None:
    loaded = load_settings(str(path), {})
    site.settings, site.sources, site.tokens = loaded.settings, loaded.sources, TOKENS
    answer = await site.ask("GET", "/settings", headers={**BROWSER, **WITH_TOKEN})

    assert "password_file" in answer.text
    assert SECRET not in answer.text
    assert WITH_TOKEN["Authorization"].removeprefix("Bearer ") not in answer.text


async def test_where_nothing_is_set_all_are_defaults(site: HttpSite) -> None:
    page: Reader = await Browser(site).read("/settings")

    assert "every setting is its default" in page.text
    assert all(row.is_default for rows in sections_of(Settings(), {}).values() for row in rows)
