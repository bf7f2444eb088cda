"""What phrases.toml itself must keep."""

import re
from importlib.resources import files

import pytest

from ringback.rules.phrasebook import Level, Phrase, parse_phrasebook
from ringback.values.evidence import Meaning

BOOK = parse_phrasebook(files("ringback.rules").joinpath("phrases.toml").read_text("utf-8"))
CONDEMNING = {Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED}


@pytest.mark.parametrize("phrase", BOOK.phrases, ids=lambda phrase: phrase.id)
def test_every_pattern_is_a_regular_expression(phrase: Phrase) -> None:
    for pattern in phrase.patterns:
        assert re.compile(pattern.regex)


def test_only_mailbox_phrases_and_silence_are_weak() -> None:
    weak = {phrase.meaning for phrase in BOOK.phrases if phrase.weak}

    assert weak == {Meaning.UNKNOWN_USER, Meaning.UNCLEAR}


def test_faint_phrases_never_condemn_a_mailbox_by_themselves() -> None:
    faint = [phrase for phrase in BOOK.phrases if phrase.level in {Level.FAINT, Level.EMPTY}]

    assert faint
    assert all(phrase.weak for phrase in faint if phrase.meaning in CONDEMNING)


def test_no_hint_condemns_a_mailbox_without_contrast() -> None:
    hints = [phrase for phrase in BOOK.phrases if phrase.level is Level.HINT]

    assert not [p.id for p in hints if p.meaning in CONDEMNING - {Meaning.MOVED} and not p.weak]


def test_a_deferral_is_not_made_of_a_permanent_code() -> None:
    for phrase in BOOK.phrases:
        if phrase.meaning in {Meaning.GREYLISTED, Meaning.VERIFYING}:
            assert phrase.codes and all(code.startswith("4") for code in phrase.codes)


def test_the_doubt_is_last() -> None:
    assert max(Level) is Level.DOUBT
    assert {p.meaning for p in BOOK.phrases if p.level is Level.DOUBT} == {Meaning.UNCLEAR}
