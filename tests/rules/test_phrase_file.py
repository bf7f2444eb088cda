"""Reading phrases.toml."""

from datetime import date

import pytest

from phrase_texts import GONE, NARROW
from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrasebook import Level
from ringback.values.evidence import Meaning


def test_an_entry_has_its_fields() -> None:
    gone, narrow = parse_phrasebook(GONE + NARROW).phrases

    assert (gone.meaning, gone.level, gone.rule) == (
        Meaning.UNKNOWN_USER,
        Level.PLAIN,
        "phrase gone",
    )
    assert (narrow.level, narrow.rule, narrow.seen) == (
        Level.HINT,
        "provider acme narrow",
        date(2026, 11, 21),
    )
    assert gone.seen == date(2026, 11, 1)
    assert (narrow.lang, narrow.weak, narrow.of_sender) == ("en", True, True)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no .*phrase"),
        ("phrase = 3", "no .*phrase"),
        ("phrase = [3]", "is a table"),
        ("[[phrase", "Expected"),
        ("words = 3", "words"),
        ('words = {box = "user"}', "'box'"),
        ("rules = 3", "unknown table 'rules'"),
        (GONE + GONE.partition("[[")[2].join(["[[", ""]), "twice"),
        ('[[phrase]]\nid = "gone"', "'meaning' is missing"),
        (GONE.replace("date =", "day ="), "'day'"),
        (GONE.replace('"our lab"', "3"), "'source'"),
        (GONE.replace('"our lab"', '""'), "'source'"),
        (GONE + "weak = 1", "'weak'"),
        (GONE + "codes = [550]", "'codes'"),
        (GONE.replace("unknown_user", "unknown_cat"), "unknown_cat"),
        (GONE + 'stages = ["lunch"]', "lunch"),
        (GONE + 'level = "loud"', "LOUD"),
        (GONE.replace("2026-11", "lately"), "lately"),
        (GONE.replace("<box> unknown", "(user"), r"without brackets, .*'\(user'"),
        (GONE.replace("<box> unknown", "<cat>"), "'cat'"),
        (GONE.replace("<box> unknown", ""), "1 to"),
        (NARROW.replace('"later"', '["later"]'), "'match'"),
    ],
)
def test_nonsense_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_phrasebook(text)
