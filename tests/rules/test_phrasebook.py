"""Finding phrases in a text."""

from phrase_texts import GONE, NARROW
from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrasebook import (
    MAX_KNOWN_CHARS,
    MAX_KNOWN_WORDS,
    Level,
    Phrasebook,
    Said,
    UnreadBook,
)
from ringback.values.evidence import Stage


def found(
    book: Phrasebook,
    folded: str,
    stage: Stage | None = Stage.RCPT,
    code: str = "450",
    enhanced: str | None = "4.7.1",
) -> list[str]:
    said = Said(folded, book.anchors_in(folded), stage, code, enhanced)
    return [it.id for level in Level for it in book.heard_in(said, level, lambda it: (0, it.id))]


def test_a_rule_names_the_phrase_and_whose_it_is() -> None:
    gone, narrow = parse_phrasebook(GONE + NARROW).phrases

    assert ["phrase gone", "provider acme narrow"] == [gone.rule, narrow.rule]


def test_phrases_are_found_with_each_of_their_patterns() -> None:
    book = parse_phrasebook(GONE + NARROW)

    assert found(book, "mailbox unknown, old user removed, try later") == ["gone", "gone", "narrow"]
    assert found(book, "old account removed") == ["gone"]
    assert found(book, "mailbox full") == []
    assert found(book, "unknown") == []


def test_a_phrase_is_found_only_where_it_applies() -> None:
    book = parse_phrasebook(NARROW)

    assert found(book, "later", None) == ["narrow"]
    assert found(book, "later", Stage.MAIL) == []
    assert found(book, "later", code="452") == []
    assert found(book, "later", enhanced=None) == []


def test_long_words_are_read_though_not_remembered() -> None:
    book = parse_phrasebook(GONE)
    word = "x" * MAX_KNOWN_CHARS + "unknown"

    assert {"unknown"} == book.anchors_in(word) == book.anchors_in(word)
    assert found(book, f"{word} mailbox unknown") == ["gone"]


def test_words_are_remembered_up_to_a_bound() -> None:
    book = parse_phrasebook(GONE)
    words = " ".join(f"unknown{number}" for number in range(MAX_KNOWN_WORDS + 1))

    assert book.anchors_in(words) == {"unknown"}
    assert book.anchors_in("account") == {"account"}
    assert found(book, "account unknown") == ["gone"]


def test_the_words_of_a_pattern_alone_are_not_the_pattern() -> None:
    book = parse_phrasebook(GONE)

    assert found(book, "unknown mailbox") == []
    assert found(book, "mailbox account") == []


def test_an_unread_book_is_read_when_something_is_looked_up_in_it() -> None:
    read: list[Phrasebook] = []
    whole = parse_phrasebook(GONE)

    def read_it() -> Phrasebook:
        read.append(whole)
        return whole

    book = UnreadBook(read_it)
    assert [] == read
    said = Said("mailbox unknown", book.anchors_in("mailbox unknown"), Stage.RCPT, "550", None)

    assert ["gone"] == [it.id for it in book.heard_in(said, Level.PLAIN, lambda it: (0, it.id))]
    assert [whole, whole] == read
