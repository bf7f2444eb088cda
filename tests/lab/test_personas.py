"""Personas are data: read, resolved, and refused with a hint where they make no sense."""

from pathlib import Path

import pytest

from ringback.errors import ConfigError
from ringback.lab.personas import Manner, Scope, Step, Then, load_personas, parse_personas

SHIPPED = load_personas()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_persona_answers_every_step(name: str) -> None:
    persona = SHIPPED[name]

    assert persona.about
    assert set(Step) == set(persona.rules)
    assert all(rules[-1].unconditional for rules in persona.rules.values())


def test_what_a_persona_does_not_say_its_like_says() -> None:
    made = parse_personas(
        '[a]\nlike = "b"\nquit = "221 bye"\n[b]\nlike = "accept_all"\nmail = "250 b"',
        "mine",
        SHIPPED,
    )

    assert "221 bye" == made["a"].rules[Step.QUIT][0].say
    assert "250 b" == made["a"].rules[Step.MAIL][0].say
    assert SHIPPED["accept_all"].rules[Step.RCPT] == made["a"].rules[Step.RCPT]
    assert SHIPPED["accept_all"].about == made["a"].about
    assert {"a", "b", *SHIPPED} == set(made)


def test_rules_are_read_with_all_they_may_say() -> None:
    text = """
    [full]
    offers = []
    strict = false
    [full.rcpt]
    from = "null"
    to = "known"
    tls = true
    pipelined = false
    after = 1
    refused = 2
    of = "host"
    greylist_s = 3
    raw = "250 ok\\r\\n"
    manner = "pieces"
    every_s = 0.5
    delay_s = 4
    then = "reset"
    """
    persona = parse_personas(text, "mine", SHIPPED)["full"]
    rule = persona.rules[Step.RCPT][0]

    assert ((), False) == (persona.offers, persona.strict)
    assert ("null", "known", True, False) == (rule.sender, rule.recipient, rule.tls, rule.pipelined)
    assert (1, 2, Scope.HOST, 3.0) == (rule.after, rule.refused, rule.scope, rule.greylist_s)
    assert (Manner.PIECES, 0.5, 4.0, Then.RESET) == (
        rule.manner,
        rule.every_s,
        rule.delay_s,
        rule.then,
    )


def test_replies_are_drawn_out_when_read() -> None:
    text = '[long]\nrcpt = { say = "550 no", repeat_lines = 3, pad_chars = 9 }'
    rule = parse_personas(text, "mine", SHIPPED)["long"].rules[Step.RCPT][0]

    assert "550 no\nno\nnoxxxxxxx" == rule.say


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[a", "not TOML"),
        ("a = 1", "not a table"),
        ("[a]\nrctp = '250 ok'", 'did you mean "rcpt"'),
        ("[a]\nxyzzy = '250 ok'", "known are"),
        ("[a]\nrcpt = 'ok'", "reply code"),
        ("[a]\nrcpt = { say = '250 ok', raw = 'x' }", "both say and raw"),
        ("[a]\nrcpt = { raw = '\\u1234' }".replace("'", '"'), "U\\+00FF"),
        ("[a]\nrcpt = { from = 'null' }", "says nothing"),
        ("[a]\nrcpt = { say = '250 ok', then = 'dance' }", r"a\.rcpt: .*dance"),
        ("[a]\nrcpt = { say = '250 ok', whne = 1 }", r"a\.rcpt: .*whne.*a rule may have: from, to"),
        ("[a]\nlike = 'b'", 'no persona "b"'),
        ("[a]\nlike = 'a'", "circle"),
        ("[a]\nlike = 'b'\n[b]\nlike = 'a'", "circle"),
        ("[normal]\nrcpt = '250 ok'", "must answer every step"),
    ],
)
def test_a_mistake_is_shown_with_its_place(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint) as caught:
        parse_personas(text, "mine.toml", SHIPPED)

    assert "mine.toml" == caught.value.source


def test_a_file_adds_to_the_shipped_ones(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nlike = "busy"\n', "utf-8")

    assert {"mine", *SHIPPED} == set(load_personas(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gone\.toml: cannot be read \(No such file or directory\);"
    ):
        load_personas(tmp_path / "gone.toml")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xff")

    with pytest.raises(ConfigError, match=r"a\.toml: cannot be read \(it is not UTF-8\);"):
        load_personas(path)
