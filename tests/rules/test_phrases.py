"""What phrases.toml itself must keep."""

import re
from importlib.resources import files
from random import Random

import pytest

from ringback.rules.folding import plain
from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrase_table import encode_table
from ringback.rules.phrasebook import Level, Phrase
from ringback.rules.wording import Pattern
from ringback.values.evidence import Meaning

RULES = files("ringback.rules")
BOOK = parse_phrasebook(RULES.joinpath("phrases.toml").read_text("utf-8"))
LISTED, OPTION = re.compile(r"<([a-z_]+)>"), re.compile(r"([^(){}|])\?")
INNERMOST = re.compile(r"([({])([^(){}]*)[)}](\??)")
CONDEMNING = {Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED}


def test_what_is_read_at_a_start_is_what_is_written_here() -> None:
    assert RULES.joinpath("phrases.json").read_bytes() == encode_table(BOOK), "run make docs"


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


def say(pattern: Pattern, random: Random) -> str:
    """Return something that `pattern` is to match."""

    def choose(choice: re.Match[str]) -> str:
        opening, options, may_be_missing = choice.groups()
        times = random.randint(0, 2) if opening == "{" else random.randint(not may_be_missing, 1)
        return "".join(random.choice(options.split("|")) for _ in range(times))

    text = plain(pattern.written)
    while listed := LISTED.search(text):
        words = plain(pattern.words[listed[1]].written)
        text = f"{text[: listed.start()]}({words}){text[listed.end() :]}"
    text = OPTION.sub(lambda option: random.choice(("", option[1])), text)
    while INNERMOST.search(text):
        text = INNERMOST.sub(choose, text)
    for sign, saying in (("~", "en"), ("%", "17"), ("$", "zed"), ("*", " of zed ")):
        text = text.replace(sign, saying)
    return " ".join(text.split())


@pytest.mark.slow
def test_what_a_pattern_matches_is_not_passed_over_for_want_of_its_anchors() -> None:
    random, said = Random(1), 0
    for pattern in (pattern for phrase in BOOK.phrases for pattern in phrase.patterns):
        text = say(pattern, random)
        if not re.search(pattern.regex, text):
            continue  # a word that nothing divides from the next
        said += 1

        assert pattern.found_in(text)
        assert all(any(word in text for word in group) for group in pattern.anchors)
    assert said > 0.95 * sum(len(phrase.patterns) for phrase in BOOK.phrases)
