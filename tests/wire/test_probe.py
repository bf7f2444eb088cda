"""The callout's conversation from the greeting to QUIT, read like a dialogue (tests/probe_dialogue.py).

What TLS is begun for is in test_terms.py.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe_dialogue import (
    ACCEPTED,
    ANN,
    BYE,
    CONTROL,
    ENDPOINT,
    OFFER,
    POSTMASTER,
    UTF8,
    VRFY,
    Asker,
    Played,
    joined,
    play,
    start,
)
from ringback.errors import LocalProtocolError
from ringback.lab.vectors import load_dialogue
from ringback.values.endpoint import Login, Manner
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.settings import RouteProtocol, TlsPolicy
from ringback.wire.probe import Probe
from ringback.wire.question import Question

VECTORS = sorted((Path(__file__).parent.parent / "vectors" / "smtp").glob("*.txt"))
PIPELINED = """
    S: 220-mx.example ESMTP
    S: 220-spam is not welcome
    S: 220 here
    C: EHLO probe.example
    S: 250-mx.example
    S: 250 PIPELINING
    C: MAIL FROM:<>
    C: RCPT TO:<ann@mx.example>
    S: 250 Ok
    S: 250 Ok
    C: RSET
    C: MAIL FROM:<>
    C: RCPT TO:<nobody@mx.example>
    S: 250 Ok
    S: 250 Ok
    S: 550 5.1.1 no such user
    C: QUIT
    S: 221 Bye
"""


def test_one_command_after_the_other_without_pipelining() -> None:
    played = play(ACCEPTED, start())

    assert played.said == [
        ("connect", ""),
        ("greeting", "220"),
        ("ehlo", "250"),
        ("mail", "250"),
        ("rcpt", "250"),
        ("quit", "221"),
    ]
    assert played.probe.closed


def test_a_transaction_is_one_flight_with_pipelining() -> None:
    played = play(PIPELINED, start(ANN, CONTROL))

    assert played.said[3:] == [
        ("mail", "250"),
        ("rcpt", "250"),
        ("rset", "250"),
        ("mail", "250"),
        ("rcpt", "550"),
        ("quit", "221"),
    ]


def test_a_conversation_reads_the_same_octet_by_octet() -> None:
    for dialogue in (ACCEPTED, PIPELINED):
        whole = play(dialogue, start(ANN, *([CONTROL] if dialogue is PIPELINED else [])))
        trickled = play(
            dialogue, start(ANN, *([CONTROL] if dialogue is PIPELINED else [])), trickled=True
        )

        assert whole.probe.transcript == trickled.probe.transcript


def test_an_exchange_keeps_who_was_asked_what_where_and_when() -> None:
    played = play(PIPELINED, start(ANN, CONTROL))

    assert played.probe.transcript[7] == Exchange(
        at=2.0,
        stage=Stage.RCPT,
        connection=1,
        host="mx.example",
        ip="192.0.2.1",
        preference=10,
        about=About.CONTROL,
        command="RCPT TO:<nobody@mx.example>",
        code=550,
        enhanced="5.1.1",
        text="no such user",
        meaning=Meaning.UNKNOWN_USER,
        rule="first digit",
    )
    assert played.probe.transcript[1].text == "mx.example ESMTP\nspam is not welcome\nhere"


def test_answers_count_on_and_stages_move_on() -> None:
    probe = start(connected=False)
    seen = [(probe.stage, probe.answers)]
    probe.connected(at=1.0)
    for octets in (b"", b"220 mx\r\n", b"250-mx\r\n", b"250 PIPELINING\r\n", b"250 Ok\r\n"):
        probe.receive(octets, at=2.0)
        seen.append((probe.stage, probe.answers))

    assert seen == [
        (Stage.CONNECT, 0),
        (Stage.GREETING, 1),
        (Stage.EHLO, 2),
        (Stage.EHLO, 2),
        (Stage.MAIL, 3),
        (Stage.RCPT, 4),
    ]


@pytest.mark.parametrize("code", [500, 502, 504, 550])
def test_helo_follows_any_5xx_to_ehlo(code: int) -> None:
    played = play(
        f"""
        S: 220 mx.example
        C: EHLO probe.example
        S: {code} what?
        C: HELO probe.example
        S: 250 mx.example
        C: MAIL FROM:<>
        S: 250 Ok
        C: RCPT TO:<ann@mx.example>
        S: 550 5.1.1 no
        C: QUIT
        S: 221 Bye
        """,
        start(),
    )

    assert played.said[2:4] == [("ehlo", str(code)), ("helo", "250")]


@pytest.mark.parametrize(
    "dialogue",
    [
        """
        S: 554 5.7.1 go away
        C: QUIT
        S: 221 Bye
        """,
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 451 later
        C: QUIT
        S: 221 Bye
        """,
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 550 no
        C: HELO probe.example
        S: 550 no
        C: QUIT
        S: 221 Bye
        """,
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 250 mx.example
        C: MAIL FROM:<>
        S: 550 5.7.1 no bounces
        C: QUIT
        S: 500 what?
        """,
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 250 mx.example
        C: MAIL FROM:<>
        S: 354 go ahead
        C: QUIT
        S: 221 Bye
        """,
    ],
    ids=["greeting", "ehlo", "helo", "mail", "3xx"],
)
def test_a_refusal_before_rcpt_ends_with_quit(dialogue: str) -> None:
    assert play(dialogue, start(ANN, CONTROL)).probe.closed


def test_a_refused_mail_makes_the_rest_of_its_flight_void() -> None:
    played = play(
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 250-mx.example
        S: 250 PIPELINING
        C: MAIL FROM:<>
        C: RCPT TO:<ann@mx.example>
        S: 550 5.7.1 no bounces here
        S: 550 5.1.1 no such user
        C: QUIT
        S: 221 Bye
        """,
        start(),
    )
    rcpt = played.probe.transcript[4]

    assert played.said[3:5] == [("mail", "550"), ("rcpt", "(550)")]
    assert (rcpt.code, rcpt.meaning, rcpt.weak) == (550, None, False)


def test_a_refused_rset_makes_the_rest_of_its_flight_void() -> None:
    dialogue = PIPELINED.replace(
        """S: 250 Ok
    S: 250 Ok
    S: 550""",
        """S: 500 what?
    S: 250 Ok
    S: 550""",
    )

    played = play(dialogue, start(ANN, CONTROL, POSTMASTER))

    assert played.said[5:8] == [("rset", "500"), ("mail", "(250)"), ("rcpt", "(550)")]
    assert {said.about for said in played.probe.transcript[5:8]} == {About.CONTROL}


def test_a_refused_rset_ends_the_conversation_without_pipelining() -> None:
    dialogue = ACCEPTED.replace(
        "C: QUIT",
        """C: RSET
    S: 502 what?
    C: QUIT""",
    )

    assert play(dialogue, start(ANN, CONTROL)).said[-2:] == [("rset", "502"), ("quit", "221")]


def test_no_rset_before_the_first_transaction_and_one_before_each_other() -> None:
    dialogue = ACCEPTED.replace(
        "C: QUIT",
        """C: RSET
    S: 250 Ok
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<nobody@mx.example>
    S: 452 4.5.3 too many
    C: RSET
    S: 250 Ok
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<postmaster@mx.example>
    S: 250 Ok
    C: QUIT""",
    )

    assert play(dialogue, start(ANN, CONTROL, POSTMASTER)).probe.closed


def test_a_real_sender_is_named() -> None:
    question = Question(About.ADDRESS, "ann@mx.example", sender="probe@ours.example")
    dialogue = ACCEPTED.replace("FROM:<>", "FROM:<probe@ours.example>")

    assert play(dialogue, start(question)).probe.closed


# The host goes, or talks nonsense.


@pytest.mark.parametrize("before", range(7))
def test_421_ends_it_at_any_step(before: int) -> None:
    probe = start(ANN, CONTROL)
    replies = [b"220 mx\r\n", b"250 mx\r\n", *[b"250 Ok\r\n"] * 5]
    for octets in replies[:before]:
        probe.receive(octets, at=2.0)

    assert probe.receive(b"421 4.3.2 closing\r\n", at=3.0) == b""
    assert probe.closed
    assert probe.transcript[-1].code == 421


def test_421_in_a_flight_silences_the_rest_of_it() -> None:
    played = play(
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 250-mx.example
        S: 250 PIPELINING
        C: MAIL FROM:<>
        C: RCPT TO:<ann@mx.example>
        S: 421 4.7.0 too many
        S: 550 5.1.1 no
        """,
        start(),
    )

    assert played.said[3:] == [("mail", "421")]


def test_421_that_nobody_asked_for_is_the_end_however_tcp_cuts_it() -> None:
    def hear(pieces: list[bytes]) -> list[tuple[str, str]]:
        probe = start()
        for octets in (b"220 mx\r\n", b"250 mx\r\n", b"250 Ok\r\n", *pieces):
            probe.receive(octets, at=2.0)
        return Played(probe).said

    whole = hear([b"550 5.1.1 no\r\n421 4.7.0 too many errors\r\n"])
    apart = hear([b"550 5.1.1 no\r\n", b"421 4.7.0 too many errors\r\n"])

    assert whole == apart
    assert whole[-2:] == [("rcpt", "550"), ("quit", "421")]


@pytest.mark.parametrize("answered", range(6))
@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.TIMEOUT, Fault.REFUSED])
def test_a_lost_host_is_lost_at_the_step_that_waits(answered: int, fault: Fault) -> None:
    probe = start(ANN, CONTROL)
    for octets in [b"220 mx\r\n", b"250 mx\r\n", *[b"250 Ok\r\n"] * 4][:answered]:
        probe.receive(octets, at=2.0)
    waits = probe.stage
    probe.lose(fault, "gone", at=3.0)

    last = probe.transcript[-1]
    assert (last.stage, last.fault, last.code, last.meaning) == (waits, fault, None, None)
    assert probe.closed


def test_a_lost_flight_is_lost_at_its_first_open_step() -> None:
    probe = start()
    for octets in (b"220 mx\r\n", b"250-mx\r\n250 PIPELINING\r\n", b"250 Ok\r\n"):
        probe.receive(octets, at=2.0)
    probe.lose(Fault.CLOSED, "gone", at=3.0)

    last = probe.transcript[-1]
    assert (last.stage, last.command) == (Stage.RCPT, "RCPT TO:<ann@mx.example>")


def test_no_connection_is_a_fault_of_connecting() -> None:
    probe = start(connected=False)
    probe.lose(Fault.REFUSED, "connection refused", at=1.0)

    assert Played(probe).said == [("connect", "refused")]


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.TIMEOUT, Fault.NOT_SMTP])
def test_how_the_host_goes_after_quit_is_nothing_to_us(fault: Fault) -> None:
    probe = start()
    for octets in (b"220 mx\r\n", b"250 mx\r\n", b"250 Ok\r\n", b"550 no\r\n"):
        probe.receive(octets, at=2.0)
    before = probe.transcript
    probe.lose(fault, "gone", at=3.0)

    assert probe.transcript == before
    assert probe.closed


def test_nothing_is_added_once_it_is_over() -> None:
    probe = play(ACCEPTED, start()).probe
    before = probe.transcript

    probe.lose(Fault.CLOSED, "gone", at=3.0)
    assert probe.receive(b"250 Ok\r\n", at=3.0) == b""
    assert probe.transcript == before


@pytest.mark.parametrize(
    ("octets", "fault"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", Fault.NOT_SMTP),
        (b"850 whatever\r\n", Fault.NOT_SMTP),
        (b"220-one\r\n250 two\r\n", Fault.NOT_SMTP),
        (b"220 " + b"x" * 70_000, Fault.NOT_SMTP),
        (b"220 one\r\n220 two\r\n", Fault.OUT_OF_STEP),
        (b"220 one\r\n250 two\r\n", Fault.OUT_OF_STEP),
        (b"220 one\r\n25", Fault.OUT_OF_STEP),
        (b"220 one\r\ngarbage\r\n", Fault.OUT_OF_STEP),
        (b"221 one\r\n", Fault.OUT_OF_STEP),
        (b"220 one\r\n421 two\r\n421 three\r\n550 four\r\n", Fault.OUT_OF_STEP),
    ],
)
def test_a_greeting_that_is_none(octets: bytes, fault: Fault) -> None:
    probe = start()

    assert probe.receive(octets, at=2.0) == b""
    assert probe.transcript[-1].fault is fault
    assert probe.closed


@pytest.mark.parametrize(
    "pieces",
    [
        [b"250 ok\r\n250 ok\r\n"],
        [b"250 ok\r\n2", b"50 ok\r\n"],
        [b"2", b"50 ok\r\n250 ok\r\n"],
        [bytes([octet]) for octet in b"250 ok\r\n25"] + [b"0 ok\r\n250 ok\r\n"],
    ],
)
def test_reply_that_comes_before_its_command_is_no_answer_about_anybody(
    pieces: list[bytes],
) -> None:
    probe = start()
    probe.receive(b"220 mx\r\n", at=2.0)
    probe.receive(b"250 mx\r\n", at=2.0)
    for piece in pieces:
        probe.receive(piece, at=3.0)

    assert Fault.OUT_OF_STEP is probe.transcript[-1].fault
    assert (Stage.RCPT, 250) not in [(said.stage, said.code) for said in probe.transcript]


def test_a_vrfy_between_two_transactions_leaves_the_rset_to_the_second() -> None:
    dialogue = ACCEPTED.replace(
        "C: QUIT",
        """C: VRFY ann@mx.example
    S: 252 Cannot VRFY user
    C: RSET
    S: 250 Ok
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<nobody@mx.example>
    S: 550 5.1.1 no
    C: QUIT""",
    )

    assert play(dialogue, start(ANN, VRFY, CONTROL)).probe.closed


@pytest.mark.parametrize("garbage", [b"850 whatever\r\n", b"250-one\r\n550 two\r\n"])
def test_garbage_behind_a_good_reply_of_the_flight_is_not_waited_out(garbage: bytes) -> None:
    probe = start()
    probe.receive(b"220 mx\r\n", at=2.0)
    probe.receive(b"250-mx\r\n250 PIPELINING\r\n", at=2.0)

    assert probe.receive(b"250 Ok\r\n" + garbage, at=3.0) == b""
    assert probe.closed
    last = probe.transcript[-1]
    assert (last.stage, last.fault) == (Stage.RCPT, Fault.NOT_SMTP)


@pytest.mark.parametrize("code", [220, 221])
@pytest.mark.parametrize("answered", range(1, 4))
def test_a_code_that_answers_something_else_is_out_of_step(code: int, answered: int) -> None:
    """A second greeting would shift every answer by one, and the last would be about nobody."""
    probe = start()
    for octets in [b"220 mx\r\n", b"250 mx\r\n", b"250 Ok\r\n"][:answered]:
        probe.receive(octets, at=2.0)
    waits = probe.stage

    assert probe.receive(b"%d mx.example\r\n" % code, at=3.0) == b""
    assert (probe.transcript[-1].stage, probe.transcript[-1].fault) == (waits, Fault.OUT_OF_STEP)


def test_three_replies_to_a_flight_of_two_are_out_of_step() -> None:
    probe = start()
    for octets in (b"220 mx\r\n", b"250-mx\r\n250 PIPELINING\r\n"):
        probe.receive(octets, at=2.0)

    assert probe.receive(b"250 Ok\r\n250 Ok\r\n550 5.1.1 no\r\n", at=3.0) == b""
    assert Played(probe).said[3:] == [("mail", "out_of_step")]


def test_a_reply_before_any_connection_is_out_of_step() -> None:
    for octets in (b"421 bye\r\n", b"220 mx\r\n"):
        probe = start(connected=False)

        assert probe.receive(octets, at=1.0) == b""
        assert Played(probe).said == [("connect", "out_of_step")]


def test_a_contradicting_enhanced_code_is_not_kept() -> None:
    played = play(
        ACCEPTED.replace("S: 250 Ok\n    C: QUIT", "S: 550 4.2.1 no\n    C: QUIT"), start()
    )

    assert played.probe.transcript[4].enhanced is None


def test_speaking_out_of_turn_is_a_bug_of_ours() -> None:
    with pytest.raises(LocalProtocolError, match="while replies were awaited"):
        start().secured("TLSv1.3", at=2.0)


# VRFY and SMTPUTF8.


def test_vrfy_is_a_transaction_of_one_command() -> None:
    played = play(
        """
        S: 220 mx.example
        C: EHLO probe.example
        S: 250-mx.example
        S: 250 PIPELINING
        C: VRFY ann@mx.example
        S: 250 Ann <ann@mx.example>
        C: QUIT
        S: 221 Bye
        """,
        start(VRFY),
    )

    assert played.said[3] == ("vrfy", "250")


@pytest.mark.parametrize("answer", ["252 will attempt", "502 disabled", "450 later", "354 odd"])
def test_rcpt_may_follow_vrfy(answer: str) -> None:
    played = play(
        f"""
        S: 220 mx.example
        C: EHLO probe.example
        S: 250 mx.example
        C: VRFY ann@mx.example
        S: {answer}
        C: MAIL FROM:<>
        S: 250 Ok
        C: RCPT TO:<ann@mx.example>
        S: 251 will forward
        C: QUIT
        S: 221 Bye
        """,
        start(VRFY, ANN),
    )

    assert played.said[-2] == ("rcpt", "251")


def test_smtputf8_is_used_where_it_is_offered() -> None:
    dialogue = (
        ACCEPTED.replace("SIZE", "SMTPUTF8")
        .replace("FROM:<>", "FROM:<> SMTPUTF8")
        .replace("ann@", "jürgen@")
    )

    assert play(dialogue, start(UTF8)).probe.closed


def test_vrfy_names_smtputf8_too() -> None:
    question = Question(About.ADDRESS, "jürgen@mx.example", vrfy=True)
    dialogue = joined(
        OFFER.replace("STARTTLS", "SMTPUTF8"),
        """
    C: VRFY jürgen@mx.example SMTPUTF8
    S: 252 maybe
    """,
        BYE,
    )

    assert play(dialogue, start(question)).probe.closed


def test_smtputf8_that_is_not_offered_is_a_fault_without_a_question() -> None:
    played = play(joined(OFFER, BYE), start(UTF8, CONTROL))
    fault = played.probe.transcript[3]

    assert played.said[3:] == [("rcpt", "no_smtputf8"), ("quit", "221")]
    assert (fault.about, fault.command) == (About.ADDRESS, "")


# Never DATA, never an injection, never for ever.


@pytest.mark.parametrize("char", ["\r\n", "\n", "\r", "\0", "\x7f"])
@pytest.mark.parametrize("vrfy", [False, True])
def test_an_injection_is_stopped_before_any_of_it_is_sent(char: str, vrfy: bool) -> None:
    evil = Question(About.ADDRESS, f"ann@mx.example>{char}DATA{char}", vrfy=vrfy)
    for question in (evil, Question(About.ADDRESS, "ann@mx.example", sender=f"a{char}b")):
        if question.sender and vrfy:
            continue
        probe = start(question)
        probe.receive(b"220 mx\r\n", at=2.0)

        with pytest.raises(LocalProtocolError):
            probe.receive(b"250-mx\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n", at=2.0)


CLOSED_SET = {"EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "VRFY", "RSET", "QUIT"}
CODES = [220, 220, 221, 250, 250, 250, 250, 251, 252, 354, 421, 450, 452, 454, 500, 530, 550, 554]
TEXTS = [b"Ok", b"5.1.1 no", b"STARTTLS first", b"PIPELINING", b"SMTPUTF8", b"STARTTLS", b"DATA"]


@st.composite
def any_reply(draw: st.DrawFn) -> bytes:
    code = draw(st.sampled_from(CODES))
    lines = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4))
    marks = [b"-"] * (len(lines) - 1) + [b" "]
    return b"".join(
        b"%d%b%b\r\n" % (code, mark, text) for mark, text in zip(marks, lines, strict=True)
    )


SPEECHES = st.one_of(any_reply(), any_reply(), any_reply(), st.just(b""), st.binary(max_size=12))
MAX_QUESTIONS = 4
# Connect, greeting, EHLO and HELO twice, STARTTLS, the handshake; each question with RSET, MAIL and
# RCPT, one of them asked twice over TLS; QUIT.
MAX_ANSWERS = 8 + 3 * (MAX_QUESTIONS + 1) + 1


@pytest.mark.slow
@given(
    st.lists(SPEECHES, max_size=40),
    st.lists(st.sampled_from([ANN, CONTROL, POSTMASTER, UTF8, VRFY]), max_size=MAX_QUESTIONS),
    st.sampled_from(TlsPolicy),
    st.booleans(),
)
def test_whatever_the_host_says_it_ends_and_never_reaches_data(
    speeches: list[bytes], questions: list[Question], tls: TlsPolicy, handshake: bool
) -> None:
    probe = Probe(ENDPOINT, 1, "probe.example", tls, Asker(tuple(questions)))
    probe.connected(at=0.0)
    sent = b""
    for octets in speeches:
        sent += probe.receive(octets, at=0.0)
        if probe.stage is Stage.TLS and not probe.closed:
            if handshake:
                sent += probe.secured("TLSv1.3", at=0.0)
            else:
                probe.lose(Fault.TLS_FAILED, "no", at=0.0)
    verbs = {line.split(b" ")[0].decode() for line in sent.split(b"\r\n") if line}

    assert verbs <= CLOSED_SET
    assert sent.count(b"QUIT\r\n") <= 1
    assert sent.count(b"STARTTLS\r\n") <= 1
    assert len(probe.transcript) <= MAX_ANSWERS


@pytest.mark.slow
@given(st.lists(any_reply(), min_size=MAX_ANSWERS, max_size=MAX_ANSWERS))
def test_a_host_that_always_answers_is_done_with_in_bounded_time(replies: list[bytes]) -> None:
    probe, sent = start(*[ANN] * MAX_QUESTIONS, tls=TlsPolicy.OPPORTUNISTIC), b""
    for octets in replies:
        sent += probe.receive(octets, at=0.0)
        if probe.stage is Stage.TLS and not probe.closed:
            sent += probe.secured("TLSv1.3", at=0.0)
    last = probe.transcript[-1]

    assert probe.closed
    assert sent.endswith(b"QUIT\r\n") or last.fault or last.code == 421


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.stem)
@pytest.mark.parametrize("trickled", [False, True])
def test_vectors(vector: Path, trickled: bool) -> None:
    dialogue = load_dialogue(vector)
    asked = zip((About.ADDRESS, About.CONTROL, About.POSTMASTER), dialogue.recipients, strict=False)
    questions = [Question(about, recipient) for about, recipient in asked] or [ANN]

    played = play(dialogue, start(*questions), trickled=trickled)

    assert played.probe.transcript


# Octets where TLS is to be, and handshakes that fail.


@pytest.mark.parametrize("extra", [b"250 Ok\r\n", b"2", b"421 bye\r\n", b"garbage\r\n"])
@pytest.mark.parametrize("apart", [False, True])
def test_octets_in_clear_after_the_reply_to_starttls_are_not_believed(
    extra: bytes, apart: bool
) -> None:
    probe = start(tls=TlsPolicy.OPPORTUNISTIC)
    probe.receive(b"220 mx\r\n", at=2.0)
    probe.receive(b"250-mx\r\n250 STARTTLS\r\n", at=2.0)

    pieces = [b"220 go\r\n", extra] if apart else [b"220 go\r\n" + extra]
    out = b"".join(probe.receive(piece, at=3.0) for piece in pieces)

    assert out == b""
    assert probe.closed
    assert probe.transcript[-1].fault in {Fault.OUT_OF_STEP, Fault.NOT_SMTP}


@pytest.mark.parametrize("fault", [Fault.TLS_FAILED, Fault.TIMEOUT])
def test_a_handshake_that_fails_is_a_fault_of_its_own_stage(fault: Fault) -> None:
    probe = start(tls=TlsPolicy.OPPORTUNISTIC)
    for octets in (b"220 mx\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n"):
        probe.receive(octets, at=2.0)
    probe.lose(fault, "no protocols in common", at=3.0)

    last = probe.transcript[-1]
    assert (last.stage, last.fault, last.text) == (Stage.TLS, fault, "no protocols in common")
    assert probe.closed


# Hosts of routes: LMTP, TLS that must be, a login.

LOGIN = Login("gateway", "s3cret")


def start_with(manner: Manner) -> Probe:
    return start(tls=TlsPolicy.OPPORTUNISTIC, manner=manner)


def test_lmtp_says_lhlo_before_and_after_tls() -> None:
    played = play(
        """
        S: 220 mx.example LMTP
        C: LHLO probe.example
        S: 250-mx.example
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 Go ahead
        !! tls
        C: LHLO probe.example
        S: 250 mx.example
        C: MAIL FROM:<>
        S: 250 Ok
        C: RCPT TO:<ann@mx.example>
        S: 550 5.1.1 <ann@mx.example> User doesn't exist
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(RouteProtocol.LMTP)),
    )

    assert ("rcpt", "550") in played.said


def test_lmtp_has_no_helo_to_fall_back_to() -> None:
    play(
        """
        S: 220 mx.example ESMTP
        C: LHLO probe.example
        S: 500 What?
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(RouteProtocol.LMTP)),
    )


@pytest.mark.parametrize(
    "offer", ["S: 250 mx.example", "S: 250-mx.example\n S: 250 STARTTLS\n C: STARTTLS\n S: 454 No"]
)
def test_what_must_not_be_said_in_clear_is_not_said(offer: str) -> None:
    played = play(
        f"""
        S: 220 mx.example ESMTP
        C: EHLO probe.example
        {offer}
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(secret=True)),
    )

    assert ("starttls", "tls_failed") in played.said


def test_a_login_by_plain_comes_after_tls_and_is_not_shown() -> None:
    played = play(
        """
        S: 220 mx.example ESMTP
        C: EHLO probe.example
        S: 250-mx.example
        S: 250-STARTTLS
        S: 250 AUTH LOGIN PLAIN
        C: STARTTLS
        S: 220 Go ahead
        !! tls
        C: EHLO probe.example
        S: 250-mx.example
        S: 250 AUTH LOGIN PLAIN
        C: AUTH PLAIN AGdhdGV3YXkAczNjcmV0
        S: 235 2.7.0 Welcome
        C: MAIL FROM:<>
        S: 250 Ok
        C: RCPT TO:<ann@mx.example>
        S: 250 Ok
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(secret=True, login=LOGIN)),
    )

    assert ("auth", "235") in played.said
    assert "AGdh" not in repr(played.probe.transcript)


def test_a_login_by_login_answers_its_challenges() -> None:
    played = play(
        """
        S: 220 mx.example ESMTP
        C: EHLO probe.example
        S: 250-mx.example
        S: 250 AUTH LOGIN
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: Z2F0ZXdheQ==
        S: 334 UGFzc3dvcmQ6
        C: czNjcmV0
        S: 235 2.7.0 Welcome
        C: MAIL FROM:<>
        S: 250 Ok
        C: RCPT TO:<ann@mx.example>
        S: 250 Ok
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(login=LOGIN)),
    )

    commands = [it.command for it in played.probe.transcript if it.stage is Stage.AUTH]
    assert ["AUTH LOGIN", "(secret)", "(secret)"] == commands


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (
            "250-mx\n S: 250 AUTH PLAIN\n C: AUTH PLAIN AGdhdGV3YXkAczNjcmV0\n S: 535 5.7.8 No",
            "535",
        ),
        ("250-mx\n S: 250 AUTH PLAIN\n C: AUTH PLAIN AGdhdGV3YXkAczNjcmV0\n S: 334 ", "no_login"),
        ("250-mx\n S: 250 AUTH CRAM-MD5", "no_login"),
    ],
)
def test_who_does_not_get_in_asks_nothing(offer: str, said: str) -> None:
    played = play(
        f"""
        S: 220 mx.example ESMTP
        C: EHLO probe.example
        S: {offer}
        C: QUIT
        S: 221 Bye
        """,
        start_with(Manner(login=LOGIN)),
    )

    assert ("auth", said) in played.said
    assert "rcpt" not in [stage for stage, _ in played.said]
