"""The configuration that a package installs: it loads as it is, and with all that it mentions."""

import re
from pathlib import Path

import pytest
from tools import example

from ringback.doors.configuration import KEYS, LATER, examine_settings, load_settings

PLACE = Path(__file__).parents[2] / "packaging" / "ringback.toml"
# "#" alone stands before a setting, "# " before what is said of it.
_COMMENTED = re.compile(r"^#(?=[a-z\[])", re.MULTILINE)


def test_it_is_up_to_date() -> None:
    assert PLACE.read_text("utf-8") == example.write_example(), "run `make docs`"


def test_it_changes_nothing() -> None:
    loaded = load_settings(str(PLACE), {})

    assert {"default"} == set(loaded.sources.values())


def test_it_has_every_setting_once() -> None:
    section, found = "", []
    for line in _COMMENTED.sub("", PLACE.read_text("utf-8")).splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append(f"{section}.{line.partition(' = ')[0]}")

    assert [key for key in KEYS if key != example.ROUTE] == [
        key for key in found if not key.startswith(f"{example.ROUTE}.")
    ]


def test_it_loads_with_every_setting_in_force(tmp_path: Path) -> None:
    whole = tmp_path / "ringback.toml"
    text = PLACE.read_text("utf-8")
    for later in LATER:  # which a later version brings, and this one refuses by name
        section, _, key = later.key.rpartition(".")
        head = f"#[[{later.key}]]" if later.key == example.ROUTE else f"[{section}]"
        before, _, after = text.partition(head)
        after = (
            "" if later.key == example.ROUTE else after.replace(f"\n#{key} =", f"\n# {key} =", 1)
        )
        text = f"{before}{'' if later.key == example.ROUTE else head}{after}"
    whole.write_text(_COMMENTED.sub("", text), "utf-8")
    loaded, mistakes = examine_settings(str(whole), {})

    assert [] == [str(mistake) for mistake in mistakes]
    assert loaded is not None
    assert "postmaster@example.net" == loaded.settings.identity.contact


@pytest.mark.parametrize("text", ["", "old"])
def test_a_file_that_differs_is_found(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(example, "PLACE", tmp_path / "packaging" / "ringback.toml")
    if text:
        example.PLACE.parent.mkdir()
        example.PLACE.write_text(text)
    differs = example.main(["--check"])

    assert (1, 0, 0) == (differs, example.main([]), example.main(["--check"]))
    assert "packaging/ringback.toml is out of date: run make docs\n" == capsys.readouterr().err
