"""phrases.json: what is written is read again."""

from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrase_table import decode_table, encode_table
from ringback.rules.phrasebook import Phrase

BOOK = parse_phrasebook("""
[words]
box = ["user|mailbox"]
old_box = ["old <box>"]

[[phrase]]
id = "gone"
meaning = "unknown_user"
match = '''
<old_box> removed
(no|not a) <box>
'''
source = "our lab"
date = "2026-11"

[[phrase]]
id = "narrow"
meaning = "greylisted"
match = "later"
source = "our lab"
date = "2026-11-21"
level = "hint"
stages = ["rcpt", "none"]
codes = ["450", "451"]
enhanced = ["4.7.1"]
provider = "acme"
lang = "en"
weak = true
of_sender = true
""")


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
    assert b'"(no|not a) <box>": [\n    "mailbox user",\n    "no"\n   ]' in encode_table(BOOK)
