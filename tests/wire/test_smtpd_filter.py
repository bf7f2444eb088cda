"""OpenSMTPD's side of a dialogue, line by line, in the forms of versions 0.5 to 0.7."""

import pytest

from ringback.errors import LocalProtocolError, RemoteProtocolError
from ringback.wire import smtpd_filter
from ringback.wire.smtpd_filter import (
    MAX_ADDRESS_CHARS,
    MAX_IDLE_S,
    MAX_LINE_BYTES,
    MAX_NAME_CHARS,
    MAX_SESSIONS,
    Conversation,
    LineReader,
    RecipientAsked,
    encode_proceed,
    encode_reject,
)

NOON = 1_800_000_000
SESSION, TOKEN = "7641df9771b4ed00", "1ef1c203cc576e5d"
PROCEED = f"filter-result|{SESSION}|{TOKEN}|proceed\n".encode()


def report(event: str, *fields: str, at: float = NOON, session: str = SESSION) -> bytes:
    return "|".join(["report", "0.6", f"{at:.6f}", "smtp-in", event, session, *fields]).encode()


def request(phase: str, *fields: str, at: float = NOON, session: str = SESSION) -> bytes:
    head = ["filter", "0.6", f"{at:.6f}", "smtp-in", phase, session, TOKEN]
    return "|".join([*head, *fields]).encode()


CONNECT = report("link-connect", "mail.shop.example", "pass", "192.0.2.1:33174", "192.0.2.9:25")
HELO = report("link-identify", "EHLO", "mail.shop.example")
MAIL = request("mail-from", "ann@shop.example")
RCPT = request("rcpt-to", "you@ours.example")


def converse(*lines: bytes) -> bytes | RecipientAsked | None:
    """Return the move that the last line calls for."""
    conversation = Conversation()
    move = None
    for line in lines:
        move = conversation.take(line)
    return move


def asked(*lines: bytes) -> RecipientAsked:
    """Return the question after `lines`, within a session."""
    move = converse(CONNECT, *lines, RCPT)
    assert isinstance(move, RecipientAsked)
    return move


def test_the_handshake_ends_with_what_we_want_to_be_told() -> None:
    conversation = Conversation()
    moves = [
        conversation.take(line)
        for line in (b"config|smtpd-version|7.5.0", b"config|protocol|0.7", b"config|ready")
    ]
    registered = moves[-1]

    assert [None, None] == moves[:2]
    assert isinstance(registered, bytes)
    assert [
        "register|report|smtp-in|link-connect",
        "register|report|smtp-in|link-identify",
        "register|report|smtp-in|link-auth",
        "register|report|smtp-in|link-disconnect",
        "register|report|smtp-in|tx-reset",
        "register|filter|smtp-in|mail-from",
        "register|filter|smtp-in|rcpt-to",
        "register|ready",
    ] == registered.decode().splitlines()
    assert conversation.take(b"config|ready") is None


def test_a_recipient_is_a_question_with_all_that_was_told() -> None:
    question = asked(HELO, MAIL)

    assert (
        RecipientAsked(
            session=SESSION,
            token=TOKEN,
            client_address="192.0.2.1",
            client_name="mail.shop.example",
            helo_name="mail.shop.example",
            username="",
            sender="ann@shop.example",
            recipient="you@ours.example",
        )
        == question
    )


def test_a_sender_is_let_pass_until_there_is_a_recipient() -> None:
    assert PROCEED == converse(CONNECT, HELO, MAIL)


@pytest.mark.parametrize(
    ("confirmed", "name", "known"),
    [
        ("pass", "mail.shop.example", "mail.shop.example"),
        ("fail", "mail.shop.example", "unknown"),
        ("error", "<unknown>", "unknown"),
        ("pass", "", "unknown"),
        ("pass", "x" * 256, "unknown"),
        ("pass", "a|pass|b", "a|pass|b"),
        ("fail", "mail.shop.example|pass", "unknown"),
    ],
)
def test_only_a_confirmed_name_is_a_name(confirmed: str, name: str, known: str) -> None:
    connect = report("link-connect", name, confirmed, "192.0.2.1:33174", "192.0.2.9:25")
    question = asked(connect, MAIL)

    assert known == question.client_name


@pytest.mark.parametrize(
    "source", ["[2001:db8::1]:25", "2001:db8::1:25", "[IPv6:2001:db8::1]:25", "IPv6:2001:db8::1:25"]
)
def test_an_ipv6_address_is_bare(source: str) -> None:
    question = asked(report("link-connect", "", "fail", source, "[2001:db8::9]:25"), MAIL)

    assert "2001:db8::1" == question.client_address


def test_a_client_of_this_host_is_not_asked_about() -> None:
    socket = "unix:/var/run/smtpd.sock"
    connect = report("link-connect", "localhost", "pass", socket, socket)

    assert PROCEED == converse(connect, MAIL, RCPT)


@pytest.mark.parametrize(
    ("fields", "username"),
    [
        (("ann", "pass"), "ann"),  # up to 0.6
        (("pass", "ann"), "ann"),  # from 0.7 on
        (("ann", "fail"), ""),
        (("error", "ann"), ""),
        # What somebody who fails may call himself.
        (("pass", "fail"), ""),
        (("fail", "pass"), ""),
        (("pass|ann", "fail"), ""),
        (("fail", "ann|pass"), ""),
        (("ann", "unheard-of"), ""),
    ],
)
def test_who_has_logged_in_reads_one_way_only(fields: tuple[str, ...], username: str) -> None:
    question = asked(report("link-auth", *fields), MAIL)

    assert username == question.username


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        ("", ""),
        ("<>", ""),
        ("<ann@shop.example>", "ann@shop.example"),
        ("a|b@shop.example", "a|b@shop.example"),
        ("@a.example,@b.example:ann@shop.example", "ann@shop.example"),
        ("@shop.example", "@shop.example"),
        ('"a b"@shop.example', '"a b"@shop.example'),
        ('"a\\"@b"@shop.example', '"a\\"@b"@shop.example'),
    ],
)
def test_senders_are_read_as_smtp_writes_them(written: str, sender: str) -> None:
    question = asked(request("mail-from", written))

    assert sender == question.sender


def test_octets_that_are_no_utf_8_are_kept_apart() -> None:
    question = asked(request("mail-from", "ü@a.example"))
    broken = asked(
        request("mail-from").replace(TOKEN.encode(), TOKEN.encode() + b"|\xfc@a.example")
    )

    assert ("ü@a.example", "\ueffc@a.example") == (question.sender, broken.sender)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("ann", id="a-name-that-opensmtpd-completes"),
        pytest.param('"a@b', id="cut-within-its-quotes"),
        pytest.param('"a"b@c', id="more-behind-its-quotes"),
        pytest.param("a" * MAX_ADDRESS_CHARS + "@shop.example", id="too-long"),
    ],
)
def test_senders_that_are_not_to_be_asked_about(written: str) -> None:
    assert PROCEED == converse(CONNECT, request("mail-from", written), RCPT)


def test_a_reset_ends_the_transaction() -> None:
    reset = report("tx-reset", "0000cafe")

    assert PROCEED == converse(CONNECT, MAIL, reset, RCPT)


def test_the_next_sender_takes_the_place_of_the_last() -> None:
    assert "" == asked(MAIL, request("mail-from", "")).sender


def test_a_session_that_was_never_announced_is_let_pass() -> None:
    assert PROCEED == converse(HELO, MAIL, RCPT)


def test_nothing_is_known_of_a_session_that_ended() -> None:
    conversation = Conversation()
    for line in (CONNECT, report("link-disconnect")):
        conversation.take(line)

    assert 0 == len(conversation)
    assert conversation.take(report("link-disconnect")) is None


def test_sessions_are_kept_apart() -> None:
    other = report(
        "link-connect", "", "fail", "198.51.100.7:1", "192.0.2.9:25", session="7641df9771b4ed01"
    )
    question = asked(MAIL, other)

    assert ("192.0.2.1", "ann@shop.example") == (question.client_address, question.sender)


def test_names_that_are_too_long_are_cut() -> None:
    long = "x" * 5_000
    question = asked(report("link-identify", "HELO", long), report("link-auth", long, "pass"), MAIL)

    assert [MAX_NAME_CHARS] * 2 == [len(question.helo_name), len(question.username)]


def test_a_recipient_that_is_too_long_is_cut() -> None:
    move = converse(CONNECT, MAIL, request("rcpt-to", "x" * 5_000))

    assert isinstance(move, RecipientAsked)
    assert MAX_ADDRESS_CHARS == len(move.recipient)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(report("link-tls", "TLSv1.3"), id="an-event-that-we-did-not-want"),
        pytest.param(CONNECT.replace(b"smtp-in", b"smtp-out"), id="mail-going-out"),
    ],
)
def test_what_does_not_concern_us_is_passed_over(line: bytes) -> None:
    assert converse(CONNECT, line) is None


def test_a_phase_that_we_did_not_want_is_let_pass() -> None:
    assert PROCEED == converse(CONNECT, MAIL, request("data"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "no config"),
        (b"nonsense|a|b", "no config"),
        (request("rcpt-to", "a\0b"), "a NUL byte"),
        (b"report|0.6|1.0|smtp-in|link-connect", "report of too few fields"),
        (b"report|0.6|now|smtp-in|link-connect|ab|a|b|c|d", "instant"),
        (b"report|0.6|1e9|smtp-in|link-connect|ab|a|b|c|d", "instant"),
        (report("link-connect", "a", "pass"), "link-connect of too few fields"),
        (report("link-connect", "a", "pass", "c", "d", session="a b"), "token that is none"),
        (b"filter|0.6|1.0|smtp-in|rcpt-to|ab", "request of too few fields"),
        (request("rcpt-to", "x", session=""), "token that is none"),
        (RCPT.replace(TOKEN.encode(), b"?"), "token that is none"),
        (request("data-line", "Hello"), "a line of a message"),
    ],
)
def test_a_line_that_makes_no_sense_leaves_the_next_alone(line: bytes, why: str) -> None:
    conversation = Conversation()
    with pytest.raises(RemoteProtocolError, match=why):
        conversation.take(line)
    for sound in (CONNECT, MAIL):
        conversation.take(sound)

    assert isinstance(conversation.take(RCPT), RecipientAsked)


def test_sessions_whose_end_was_never_told_are_forgotten() -> None:
    conversation = Conversation()
    conversation.take(CONNECT)
    conversation.take(report("link-tls", "x", at=NOON + MAX_IDLE_S, session="ab"))
    kept = len(conversation)
    conversation.take(report("link-tls", "x", at=NOON + MAX_IDLE_S + 1, session="ab"))

    assert (1, 0) == (kept, len(conversation))


def test_of_too_many_sessions_the_longest_silent_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtpd_filter, "MAX_SESSIONS", 3)
    conversation = Conversation()
    for name in ("a1", "a2", "a3"):
        conversation.take(CONNECT.replace(SESSION.encode(), name.encode()))
    for line in (HELO.replace(SESSION.encode(), b"a1"), CONNECT, MAIL):
        conversation.take(line)
    moves = [
        conversation.take(line.replace(SESSION.encode(), name.encode()))
        for name in ("a1", "a2")
        for line in (MAIL, RCPT)
    ]

    assert 3 == len(conversation) < MAX_SESSIONS
    assert isinstance(moves[1], RecipientAsked)
    assert encode_proceed("a2", TOKEN) == moves[3]


def test_a_refusal_is_one_line_whatever_bars_are_in_it() -> None:
    line = encode_reject(SESSION, TOKEN, "550 5.1.7 sender <a|b@shop.example> does not exist")

    assert (
        f"filter-result|{SESSION}|{TOKEN}|reject|"
        "550 5.1.7 sender <a|b@shop.example> does not exist\n"
    ).encode() == line


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "250 Ok",
        "550",
        "550 ",
        "550 a\nb",
        "550 a\r",
        "550 \x1b[1m",
        "550 grün",
        "550 " + "x" * 1_000,
    ],
)
def test_what_is_no_refusal_is_our_own_mistake(reply: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode_reject(SESSION, TOKEN, reply)


STREAM = b"one\n\nthree|\xff\nrest"


def test_lines_do_not_depend_on_how_the_stream_was_cut() -> None:
    whole, by_octet = LineReader(), LineReader()
    lines = [line for octet in STREAM for line in by_octet.feed(bytes([octet]))]

    assert [b"one", b"", b"three|\xff"] == lines == whole.feed(STREAM)
    assert [b"rest and more"] == whole.feed(b" and more\n")


def test_the_end_of_a_line_that_is_too_long_is_dropped() -> None:
    reader = LineReader()
    for _ in range(10):
        assert [] == reader.feed(b"x" * MAX_LINE_BYTES)

    assert [b"x" * MAX_LINE_BYTES, b"next"] == reader.feed(b"y\nnext\n")
