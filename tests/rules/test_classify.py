"""What replies mean: written ones by meaning and language, the scenarios, and what must never happen."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringback.rules.classify import classify
from ringback.rules.phrase_table import decode_table
from ringback.values.evidence import Meaning, Reading, Stage
from ringback.wire.reply import Reply, parse_reply

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
VECTORS = Path(__file__).parent.parent / "vectors" / "replies.toml"
BLIND = Path(__file__).parent.parent / "vectors" / "replies-blind.toml"
MAILBOX = {Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED, Meaning.FULL}


def read(stage: Stage | None, text: str, *, null_sender: bool = True) -> Reading:
    return classify(stage, parse_reply(text), BOOK, null_sender=null_sender)


def vectors() -> list[tuple[str, str, str, str]]:
    """Meaning, language, stage and text of each."""
    written = tomllib.loads(VECTORS.read_text("utf-8"))
    return [
        (meaning, lang, *reply.split(" | ", 1))
        for meaning, languages in written.items()
        for lang, replies in languages.items()
        for reply in replies
    ]


@pytest.mark.parametrize(("meaning", "lang", "stage", "text"), vectors())
def test_a_written_reply_is_read(meaning: str, lang: str, stage: str, text: str) -> None:
    # From the null sender, what is said of the sender would be said of bounces.
    null_sender = meaning != Meaning.SENDER_REJECTED

    assert read(Stage(stage), text, null_sender=null_sender).meaning == meaning


# The rows of the table of scenarios that show a reply: row, stage, reply, meaning, weak.
SCENARIOS = [
    ("2", Stage.RCPT, "550 5.1.1 No such user here", Meaning.UNKNOWN_USER, False),
    ("3", Stage.RCPT, "550 Mailbox unavailable", Meaning.UNKNOWN_USER, True),
    ("3 bare", Stage.RCPT, "550", Meaning.UNCLEAR, True),
    ("6", Stage.GREETING, "554 5.7.1 Service unavailable", Meaning.CLIENT_BLOCKED, False),
    ("7", Stage.GREETING, "521 mx.shop.example", Meaning.CLIENT_BLOCKED, False),
    ("8", Stage.GREETING, "421 mx.shop.example", Meaning.SERVER_TROUBLE, False),
    ("13", Stage.EHLO, "500 what?", Meaning.SYNTAX, False),
    ("13 too", Stage.EHLO, "502 not implemented", Meaning.SYNTAX, False),
    ("14", Stage.EHLO, "550 no", Meaning.CLIENT_BLOCKED, False),
    ("14 HELO", Stage.HELO, "550 mailbox unavailable", Meaning.CLIENT_BLOCKED, False),
    ("15", Stage.EHLO, "421 closing", Meaning.SERVER_TROUBLE, False),
    ("17", Stage.MAIL, "550 5.7.1", Meaning.NULL_SENDER_REFUSED, False),
    ("17 in words", Stage.MAIL, "550 5.7.1 no bounces here", Meaning.NULL_SENDER_REFUSED, False),
    ("18", Stage.MAIL, "553 5.1.8", Meaning.NULL_SENDER_REFUSED, False),
    ("19", Stage.MAIL, "550 5.7.1 your IP is listed", Meaning.CLIENT_BLOCKED, False),
    ("20", Stage.MAIL, "451 4.3.0 local error", Meaning.SERVER_TROUBLE, False),
    ("21", Stage.MAIL, "421 4.3.2 going down", Meaning.SERVER_TROUBLE, False),
    (
        "22",
        Stage.MAIL,
        "530 5.7.0 Must issue a STARTTLS command first",
        Meaning.TLS_REQUIRED,
        False,
    ),
    ("23", Stage.RCPT, "450 4.2.0 Greylisted", Meaning.GREYLISTED, False),
    ("24", Stage.RCPT, "451 4.7.1 Try again later", Meaning.GREYLISTED, False),
    ("25", Stage.RCPT, "452 4.2.2 Mailbox full", Meaning.FULL, False),
    ("26", Stage.RCPT, "552 5.2.2 Mailbox full", Meaning.FULL, False),
    ("27", Stage.RCPT, "550 5.7.1 blocked using a block list", Meaning.CLIENT_BLOCKED, False),
    ("28", Stage.RCPT, "554 5.7.1 Access denied", Meaning.CLIENT_BLOCKED, False),
    ("29", Stage.RCPT, "550 5.7.23 SPF validation failed", Meaning.SENDER_REJECTED, False),
    ("30", Stage.RCPT, "550 5.7.25 no reverse DNS", Meaning.CLIENT_BLOCKED, False),
    (
        "31",
        Stage.RCPT,
        "550 5.4.1 Recipient address rejected: Access denied",
        Meaning.UNKNOWN_USER,
        False,
    ),
    ("31 other words", Stage.RCPT, "550 5.4.1 Rejected", Meaning.UNCLEAR, True),
    ("32", Stage.RCPT, "551 5.1.6 moved", Meaning.MOVED, False),
    ("33", Stage.RCPT, "251 will forward", Meaning.ACCEPTED, False),
    ("34", Stage.RCPT, "252 maybe", Meaning.AMBIGUOUS_ACCEPT, False),
    ("35 syntax", Stage.RCPT, "553 5.1.3 Bad recipient address syntax", Meaning.SYNTAX, False),
    ("35 mailbox", Stage.RCPT, "553 5.1.3 no mailbox of that name", Meaning.UNKNOWN_USER, False),
    ("36", Stage.RCPT, "503 5.5.1 MAIL first", Meaning.SYNTAX, False),
    ("37", Stage.RCPT, "421 too many errors", Meaning.RATE_LIMITED, False),
    ("37 bare", Stage.RCPT, "421 bye", Meaning.SERVER_TROUBLE, False),
    ("41", Stage.RCPT, "450 5.1.1 User unknown", Meaning.UNCLEAR, False),
    ("42", Stage.RCPT, "550 4.2.1 User unknown", Meaning.UNCLEAR, False),
    ("43", Stage.RCPT, "556 5.1.10 null MX", Meaning.UNKNOWN_DOMAIN, False),
    (
        "44 recipient's",
        Stage.RCPT,
        "525 5.7.13 Recipient's account is disabled",
        Meaning.DISABLED_USER,
        False,
    ),
    (
        "44 ours",
        Stage.RCPT,
        "525 5.7.13 Your account is disabled",
        Meaning.CONTENT_OR_POLICY,
        False,
    ),
    ("44 bare", Stage.RCPT, "525 5.7.13", Meaning.CONTENT_OR_POLICY, False),
    ("45", Stage.RCPT, "450 4.1.1 unverified address", Meaning.VERIFYING, False),
    ("83", Stage.RCPT, "553 5.6.7 SMTPUTF8 required", Meaning.SYNTAX, False),
    ("98", Stage.RCPT, "452 4.5.3 Too many recipients", Meaning.RATE_LIMITED, False),
    ("100", Stage.RCPT, "550 too many invalid recipients", Meaning.RATE_LIMITED, False),
]


@pytest.mark.parametrize(("row", "stage", "text", "meaning", "weak"), SCENARIOS)
def test_scenario(row: str, stage: Stage, text: str, meaning: Meaning, weak: bool) -> None:
    reading = read(stage, text)

    assert (reading.meaning, reading.weak) == (meaning, weak)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("250 ok", "code 250"),
        ("252 perhaps", "code 252"),
        ("550 4.2.1 disabled", "contradiction 550 4.2.1"),
        ("550 5.1.1 no such user", "phrase no-such-user"),
        (
            "550 5.4.1 Recipient address rejected: Access denied",
            "provider exchange-online directory-based-edge-blocking",
        ),
        ("550 5.1.1 Zut.", "enhanced 5.1.1"),
        ("556 Zut.", "code 556"),
    ],
)
def test_the_rule_is_named(text: str, rule: str) -> None:
    assert read(Stage.RCPT, text).rule == rule


@pytest.mark.parametrize(
    ("text", "meaning", "weak"),
    [
        ("550 Rejected", Meaning.UNCLEAR, False),
        ("551 Not accepted", Meaning.UNCLEAR, False),
        ("553 5.1.0", Meaning.UNCLEAR, True),
        ("554 Rejected", Meaning.UNCLEAR, False),
        ("554", Meaning.UNCLEAR, False),
        ("550 5.0.0 Rejected", Meaning.UNCLEAR, False),
        ("550 5.7.1 Rejected", Meaning.UNCLEAR, False),
        ("550 5.7.1 Mailbox unavailable", Meaning.UNCLEAR, False),
        ("550 Zut.", Meaning.UNCLEAR, False),
        ("550 5.1.1", Meaning.UNKNOWN_USER, True),
        ("550 5.1.1 Zut.", Meaning.UNKNOWN_USER, True),
        ("450 4.1.1 Zut.", Meaning.UNCLEAR, False),
        ("550 5.1.1 Mailbox unavailable", Meaning.UNKNOWN_USER, True),
        ("554 Mailbox unavailable", Meaning.UNKNOWN_USER, True),
        ("450 Mailbox unavailable", Meaning.UNCLEAR, False),
        ("550 Zut (#5.1.1)", Meaning.UNKNOWN_USER, True),
        ("550 Zut (#4.1.1)", Meaning.UNCLEAR, False),
    ],
)
def test_weak_wording_needs_contrast(text: str, meaning: Meaning, weak: bool) -> None:
    reading = read(Stage.RCPT, text)

    assert (reading.meaning, reading.weak) == (meaning, weak)


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.STARTTLS])
@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 User unknown",
        "550 5.2.2 full",
        "550 Zut.",
        "554",
        "554 5.7.1 <caller.example>: Sender address rejected: Access denied",
    ],
)
def test_a_permanent_refusal_at_the_door_is_of_us(stage: Stage, text: str) -> None:
    assert read(stage, text).meaning is Meaning.CLIENT_BLOCKED


def test_trouble_at_the_door_stays_trouble() -> None:
    assert read(Stage.GREETING, "421 4.3.2 Too busy, try later").meaning is Meaning.SERVER_TROUBLE


def test_no_mailbox_can_be_refused_before_rcpt() -> None:
    assert read(Stage.MAIL, "450 4.1.1 User unknown").meaning is Meaning.SENDER_REJECTED
    assert read(Stage.GREETING, "450 4.1.1 User unknown").meaning is Meaning.CLIENT_BLOCKED


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (Stage.MAIL, "550 5.7.1"),
        (Stage.MAIL, "550 5.7.1 Zut."),
        (Stage.MAIL, "501 5.1.7 Bad sender address syntax"),
        (Stage.RCPT, "550 5.1.8 Sender address rejected: Domain not found"),
    ],
)
def test_a_refusal_of_the_sender_is_of_bounces_only_if_it_was_null(stage: Stage, text: str) -> None:
    assert read(stage, text).meaning is Meaning.NULL_SENDER_REFUSED
    assert read(stage, text, null_sender=False).meaning is not Meaning.NULL_SENDER_REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 SPF check failed",
        "550 5.7.1 your IP is listed at spamhaus",
        "450 4.7.1",
        "451 4.1.8 Domain of sender address does not resolve",
    ],
)
def test_not_every_refusal_at_mail_is_of_bounces(text: str) -> None:
    assert read(Stage.MAIL, text).meaning is not Meaning.NULL_SENDER_REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 mailbox unavailable: your IP is listed at spamhaus",
        "550 5.1.1 User unknown. Sender verification failed",
        "550 5.1.1 No such user. Message classified as spam",
        "550 No such user here (bounces are not accepted)",
        "550 5.1.1 User unknown; too many invalid recipients",
        "550 5.2.1 Account disabled: your host sends spam",
        "550 5.1.1 unknown user, greeting or HELO name rejected",
        "550 5.1.1 User unknown. Relaying denied",
        "550 5.1.1 User unknown, see our abuse policy",
        "550 5.1.1 Greylisted, come back",
        "550 5.1.1 Blocklist",
    ],
)
def test_what_is_said_of_us_outranks_what_is_said_of_the_mailbox(text: str) -> None:
    assert read(Stage.RCPT, text).meaning not in MAILBOX


@pytest.mark.parametrize("local_part", ["no-such-user", "user.unknown", "mailbox_full", "disabled"])
def test_an_echoed_address_says_nothing(local_part: str) -> None:
    reading = read(Stage.RCPT, f"550 5.7.1 <{local_part}@shop.example>: zut")

    assert reading.meaning is Meaning.UNCLEAR


def test_without_a_stage_a_reply_is_read_as_at_rcpt() -> None:
    text = "550 5.1.1 User unknown"

    assert read(None, text) == read(Stage.RCPT, text)


@pytest.mark.parametrize(
    "piece",
    [
        "user unknown ",
        "your ip helo name ",
        "host not ",
        "a ",
        "<a@b.example> ",
        "no such ",
        "\\xe9",
    ],
)
def test_a_hostile_reply_costs_no_more_than_a_long_one(piece: str) -> None:
    reply = Reply(550, ((piece * 65_000)[:65_000],), None)
    classify(Stage.RCPT, reply, BOOK)  # the patterns are compiled at their first use
    before = process_time()
    classify(Stage.RCPT, reply, BOOK)

    assert process_time() - before < 0.2  # seconds; an explosion would take hours


# Refusals of us, of the sender, of the message and of the moment.
NOT_OF_THE_MAILBOX = {
    Meaning.CLIENT_BLOCKED,
    Meaning.SENDER_REJECTED,
    Meaning.NULL_SENDER_REFUSED,
    Meaning.RATE_LIMITED,
    Meaning.GREYLISTED,
    Meaning.VERIFYING,
    Meaning.SERVER_TROUBLE,
    Meaning.CONTENT_OR_POLICY,
    Meaning.TLS_REQUIRED,
    Meaning.AUTH_REQUIRED,
}
MAILBOX_CODES = ["1.0", "1.1", "1.10", "2.1"]
MAILBOX_WORDS = [
    "",
    "<zed@shop.example>: ",
    "zed@shop.example... ",
    "Recipient rejected: ",
    "<zed@shop.example>: Recipient address rejected: ",
    "Mailbox unavailable: ",
    "Requested action not taken: mailbox unavailable - ",
    "Recipient refused (mailbox unavailable); ",
]


def dangerous() -> list[tuple[Meaning, str]]:
    """Meaning and text of all vectors that are not about the mailbox."""
    blind = tomllib.loads(BLIND.read_text("utf-8"))["from"]
    written = [reply.split(" | ", 2) for group in blind for reply in group["replies"]]
    texts = [(meaning, text) for meaning, _, text in written]
    texts += [(meaning, text) for meaning, _, _, text in vectors()]
    return [(Meaning(it), text) for it, text in texts if Meaning(it) in NOT_OF_THE_MAILBOX]


@given(st.sampled_from(dangerous()), st.sampled_from(MAILBOX_CODES), st.sampled_from(MAILBOX_WORDS))
@example((Meaning.CLIENT_BLOCKED, "550 5.7.1 Your IP is listed"), "1.1", "Recipient rejected: ")
@example(
    (Meaning.SERVER_TROUBLE, "454 oops, unknown AUTH back-end (#4.3.0)"),
    "1.1",
    "Mailbox unavailable: ",
)
@example((Meaning.SENDER_REJECTED, "550 addresses in your email are invalid"), "1.1", "")
@settings(max_examples=400)
def test_no_mailbox_words_turn_another_refusal_into_one_of_the_mailbox(
    of: tuple[Meaning, str], code: str, words: str
) -> None:
    digits, text = of[1][:3], re.sub(r"(?m)^\d{3}(?:[ -]|$)", "", of[1])
    rest = re.sub(r"^#?[245]\.\d+\.\d+ ?", "", text)
    reply = Reply(int(digits), tuple(f"{words}{rest}".split("\n")), f"{digits[0]}.{code}")
    reading = classify(Stage.RCPT, reply, BOOK, null_sender=False)

    assert reading.weak or reading.meaning not in MAILBOX - {Meaning.FULL}


def test_words_of_a_mailbox_beside_a_hint_at_something_else_are_weak() -> None:
    reading = read(Stage.RCPT, "550 5.2.0 Mail rejected. Unknown user")

    assert (reading.meaning, reading.weak) == (Meaning.UNKNOWN_USER, True)


def test_what_is_said_to_one_who_logs_in_is_no_word_of_a_mailbox() -> None:
    assert read(Stage.RCPT, "535 5.7.8 User unknown").meaning is Meaning.AUTH_REQUIRED
    assert read(Stage.RCPT, "535 Benutzer unbekannt").meaning is Meaning.AUTH_REQUIRED


@pytest.mark.parametrize(
    ("text", "weak"),
    [
        ("550 Postfach unbekannt", False),
        ("550 Das Postfach ist leider auf dieser Anlage unbekannt", True),
        ("550 Палаве адреса не існує", False),
    ],
)
def test_words_far_apart_need_contrast(text: str, weak: bool) -> None:
    reading = read(Stage.RCPT, text)

    assert (reading.meaning, reading.weak) == (Meaning.UNKNOWN_USER, weak)


def test_a_service_that_closes_speaks_of_no_mailbox() -> None:
    assert read(Stage.RCPT, "421 4.1.1 User unknown").meaning is Meaning.SERVER_TROUBLE


stages = st.none() | st.sampled_from(Stage)
enhanced_codes = st.none() | st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True)
texts = st.text() | st.lists(
    st.sampled_from("user unknown mailbox full your ip blocked sender no such spam @ 5.1.1".split())
).map(" ".join)
replies = st.builds(
    Reply, st.integers(200, 599), st.lists(texts, min_size=1).map(tuple), enhanced_codes
)


@pytest.mark.slow
@given(stages, replies, st.booleans())
def test_every_reply_has_a_reading(stage: Stage | None, reply: Reply, null_sender: bool) -> None:
    reading = classify(stage, reply, BOOK, null_sender=null_sender)

    assert reading.rule
    assert (reading.meaning is Meaning.ACCEPTED) == (reply.code < 300 and reply.code != 252)
    if reading.weak:
        assert reading.meaning in MAILBOX - {Meaning.FULL} | {Meaning.UNCLEAR}
        assert reply.code >= 500
    if reading.meaning in MAILBOX:
        assert reply.code >= 400
        assert stage not in {Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.STARTTLS, Stage.MAIL}
    if reply.code >= 400 and reply.contradicts_itself:
        assert reading.meaning is Meaning.UNCLEAR


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.HELO])
@pytest.mark.parametrize("text", ["5.7.1 We take no bounces", "5.7.1 Your address is refused"])
def test_before_mail_nobody_knows_that_our_sender_is_null(stage: Stage, text: str) -> None:
    reading = classify(stage, Reply(550, (text,)), BOOK)

    assert reading.meaning in {Meaning.CLIENT_BLOCKED, Meaning.SENDER_REJECTED}
    at_mail = classify(Stage.MAIL, Reply(550, (text,)), BOOK)
    assert at_mail.meaning is Meaning.NULL_SENDER_REFUSED
