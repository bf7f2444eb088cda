"""What a host offers in its reply to EHLO."""

import pytest

from ringback.wire.extensions import Extensions, parse_extensions
from ringback.wire.reply import Reply, parse_reply


def read(*lines: str) -> Extensions:
    return parse_extensions(Reply(250, lines))


def test_what_a_callout_can_use_is_read_and_the_rest_is_not() -> None:
    lines = ("mx.example", "SIZE 10240000", "PIPELINING", "STARTTLS", "SMTPUTF8", "8BITMIME", "DSN")

    assert read(*lines) == Extensions(starttls=True, pipelining=True, smtputf8=True)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("STARTTLS", Extensions(starttls=True)),
        ("starttls", Extensions(starttls=True)),
        ("Pipelining", Extensions(pipelining=True)),
        ("SMTPUTF8 and words", Extensions(smtputf8=True)),
        ("XSTARTTLS", Extensions()),
        ("AUTH STARTTLS", Extensions()),
        ("", Extensions()),
    ],
)
def test_a_keyword_is_the_first_word_of_its_line(line: str, expected: Extensions) -> None:
    assert read("mx.example", line) == expected


def test_the_first_line_greets_and_offers_nothing() -> None:
    assert read("STARTTLS") == Extensions()
    assert read("PIPELINING mx.example", "8BITMIME") == Extensions()


def test_a_reply_as_it_arrives() -> None:
    reply = parse_reply("250-mx.example at your service\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n")

    assert parse_extensions(reply) == Extensions(pipelining=True, smtputf8=True)


def test_of_the_ways_to_log_in_only_those_that_we_know_count() -> None:
    reply = Reply(250, ("mx", "AUTH cram-md5 plain LOGIN", "AUTH=XOAUTH2"))

    assert {"PLAIN", "LOGIN"} == parse_extensions(reply).auth
