"""phrases.json: what is written is read again."""

from phrase_texts import GONE, NARROW
from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrase_table import decode_table, encode_table
from ringback.rules.phrasebook import Phrase

# One pattern has a choice, of which either may be heard.
BOOK = parse_phrasebook(GONE.replace("<box> unknown", "(no|not a) <box>") + NARROW)


def bare(phrase: Phrase) -> Phrase:
    return phrase.but(patterns=())


def test_a_book_is_read_as_it_was_written() -> None:
    read = decode_table(encode_table(BOOK))

    assert [bare(phrase) for phrase in BOOK.phrases] == [bare(phrase) for phrase in read.phrases]
    for written, again in zip(BOOK.phrases, read.phrases, strict=True):
        assert [(it.written, it.anchors, it.regex) for it in written.patterns] == [
            (it.written, it.anchors, it.regex) for it in again.patterns
        ]


def test_a_book_is_always_written_alike() -> None:
    assert encode_table(BOOK) == encode_table(decode_table(encode_table(BOOK)))


def test_a_pattern_stands_beside_its_anchors() -> None:
    assert b'"(no|not a) <box>": [\n    "account mailbox user",\n    "no"\n   ]' in encode_table(
        BOOK
    )
