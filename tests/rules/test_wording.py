"""The language of phrases.toml."""

import pytest

from ringback.rules.folding import fold
from ringback.rules.wording import MAX_PATTERN_CHARS, compile_pattern

WORDS = {"box": "user|mailbox", "gone": "unknown|not found"}


def matches(written: str, text: str) -> bool:
    pattern = compile_pattern(written, WORDS)
    folded = fold(text)
    present = {anchor for group in pattern.anchors for anchor in group if anchor in folded}
    return pattern.is_likely(present) and pattern.found_in(folded)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("user unknown", "550: USER  unknown."),
        ("(user|mailbox) unknown", "mailbox unknown"),
        ("users? unknown", "user unknown"),
        ("users? unknown", "users unknown"),
        ("(the )?user unknown", "user unknown"),
        ("user {is |was |now }unknown", "user is now unknown"),
        ("user {is |was |now }unknown", "user unknown"),
        ("<box> <gone>", "Mailbox not found"),
        ("greylist~", "Greylisting"),
        ("user $ unknown", "user zed unknown"),
        ("wait % seconds", "wait 300 seconds"),
        ("user * unknown", "user, whoever that is, unknown"),
        ("user * unknown", "user unknown"),
        ("user does not exist", "user doesn't exist"),
        ("empfänger unbekannt", "Empfanger unbekannt"),
        ("用户*不存在", "该用户zed不存在"),
        ("滿", "信箱滿了"),
        ("<> refused", "<>: refused"),
    ],
)
def test_a_pattern_that_occurs(written: str, text: str) -> None:
    assert matches(written, text)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("user unknown", "user is unknown"),
        ("user unknown", "superuser unknown"),
        ("user unknown", "user unknowns"),
        ("user", "mailbox"),
        ("user * unknown", "user" + " x" * 40 + " unknown"),
        ("user * unknown", "userunknown"),
        ("user {is |was }unknown", "user" + " is" * 7 + " unknown"),
        ("wait % seconds", "wait some seconds"),
    ],
)
def test_a_pattern_that_does_not_occur(written: str, text: str) -> None:
    assert not matches(written, text)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "1 to"),
        ("x" * (MAX_PATTERN_CHARS + 1), "1 to"),
        ("User", "lower case"),
        ("a * b * c * d * e", "gaps"),
        ("<nobody> unknown", "'nobody'"),
        ("(user", "is missing"),
        ("user)", "unbalanced"),
        ("{user|mailbox * }full", "cannot be repeated"),
        ("?user", "belongs to nothing"),
        ("(user)?", "nothing in it must stand"),
        ("* %", "nothing in it must stand"),
        ("(user|%)", "nothing in it must stand"),
        ("a", "nothing in it must stand"),
    ],
)
def test_nonsense_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        compile_pattern(written, WORDS)


def test_anchors_are_what_must_stand_there() -> None:
    pattern = compile_pattern("(user|username|mailbox) (is )?unknown", {})

    assert set(pattern.anchors) == {frozenset({"user", "mailbox"}), frozenset({"unknown"})}
