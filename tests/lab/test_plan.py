"""Worlds as they are written down."""

from pathlib import Path

import pytest

from ringback.errors import ConfigError
from ringback.lab.mx import Door
from ringback.lab.personas import load_personas
from ringback.lab.plan import Standing, load_plan, make_plan, parse_plan, with_personas


def test_the_shipped_plan_has_what_the_manual_promises() -> None:
    plan = load_plan()

    expected = {
        "real",
        "shop",
        "acceptall",
        "greylist",
        "nobounce",
        "blocklisted",
        "nullmx",
        "nosuch",
        "broken",
    }
    assert expected <= {name.removesuffix(".example") for name in plan.domains}
    assert "example.com" in plan.names


def test_a_plan_is_read_from_toml() -> None:
    plan = parse_plan(
        """
        [domains."a.example"]
        mailboxes = ["ann"]
        mx = [{ host = "mx.a.example", door = "stuck", preference = 5 }]
        [domains."b.example"]
        dns = "silent"
        [names."c.example"]
        by_kind = { AAAA = "servfail" }
        """,
        "mine",
    )

    assert (Door.STUCK, 5) == (
        plan.domains["a.example"].mx[0].door,
        plan.domains["a.example"].mx[0].preference,
    )
    assert Standing.SILENT is plan.domains["b.example"].dns
    assert "servfail" == plan.names["c.example"].by_kind["AAAA"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[domains", "not TOML"),
        ("[domains.x]\npersonna = 'normal'", "personna"),
        ("[domains.x]\ndns = 'maybe'", "maybe"),
        ("[domains.x]\nmx = [{ preference = 1 }]", "host"),
        ("[other]", "other|domains"),
    ],
)
def test_a_mistake_is_shown(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint) as caught:
        parse_plan(text, "mine.toml")

    assert "mine.toml" == caught.value.source


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no-plan.*: cannot be read \(No such file or directory\);"
    ):
        load_plan(tmp_path / "no-plan.toml")


def test_every_persona_without_a_domain_gets_one() -> None:
    plan = make_plan({"domains": {"real.example": {}, "late.example": {"persona": "busy"}}})
    settled = with_personas(plan, load_personas())

    assert "refuses_bounces" == settled.domains["refuses-bounces.example"].persona
    assert "busy.example" not in settled.domains
    assert "normal.example" not in settled.domains
    assert plan.domains["late.example"] is settled.domains["late.example"]


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "world.toml"
    file.write_text('[domains."a.example"]\n', "utf-8")

    assert ["a.example"] == list(load_plan(file).domains)
