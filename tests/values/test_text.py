"""Remote text on its way to people."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.values.text import MAX_SHOWN_CHARS, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No such user here", "No such user here"),
        ("Empfänger unbekannt – 用户不存在", "Empfänger unbekannt – 用户不存在"),
        ("first\nsecond", "first second"),
        ("CR\ralone", r"CR\ralone"),
        ("a\tb\x00c\x7f", r"a\tb\x00c\x7f"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x9b31m", r"\x9b31m"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("line\u2028end\u2029", r"line\u2028end\u2029"),
        ("lone \udce9", r"lone \udce9"),
        ("private \ue000, none \uffff", r"private \ue000, none \uffff"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_flood_is_cut() -> None:
    assert printable("x" * MAX_SHOWN_CHARS) == "x" * MAX_SHOWN_CHARS
    assert printable("x" * (MAX_SHOWN_CHARS + 1)) == "x" * (MAX_SHOWN_CHARS - 1) + "…"
    assert printable("\x1b" * 6, limit=10) == r"\x1b\x1b" + r"\…"


@given(st.text(st.characters(codec=None)), st.integers(1, 50))
def test_what_is_shown_is_one_visible_line(text: str, limit: int) -> None:
    shown = printable(text, limit=limit)

    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable(shown, limit=limit) == shown
