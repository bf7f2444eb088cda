"""What is settled before the first question, as dialogues: TLS where it is wanted; and logins."""

import pytest

from probe_dialogue import (
    ACCEPTED,
    ANN,
    ASK_ANN,
    BYE,
    CONTROL,
    OFFER,
    SECURED,
    joined,
    play,
    start,
)
from ringback.values.endpoint import PLAINLY, Login, Manner
from ringback.values.evidence import About, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.moves import Move
from ringback.wire.reply import Reply
from ringback.wire.steps import Step
from ringback.wire.terms import Terms

LOGIN = Login("gateway", "s3cret")


def test_tls_is_left_alone_where_nobody_requires_it() -> None:
    for tls in (TlsPolicy.WHEN_REQUIRED, TlsPolicy.NEVER):
        assert play(joined(OFFER, ASK_ANN, BYE), start(tls=tls)).probe.closed


def test_opportunistic_tls_is_used_where_it_is_offered() -> None:
    tls = TlsPolicy.OPPORTUNISTIC

    secure = play(joined(OFFER, SECURED, ASK_ANN, BYE), start(tls=tls))
    clear = play(ACCEPTED, start(tls=tls))

    assert [stage for stage, _ in secure.said[3:6]] == ["starttls", "tls", "ehlo"]
    assert secure.probe.transcript[4].text == "TLSv1.3"
    assert clear.probe.closed


@pytest.mark.parametrize("code", [454, 501, 554])
def test_refused_tls_is_not_asked_for_again(code: int) -> None:
    refused = f"""
    C: STARTTLS
    S: {code} TLS not available
    """

    played = play(joined(OFFER, refused, ASK_ANN, BYE), start(tls=TlsPolicy.OPPORTUNISTIC))

    assert played.said[3] == ("starttls", str(code))


def test_an_odd_answer_to_starttls_ends_it() -> None:
    odd = """
    C: STARTTLS
    S: 334 go on
    """

    played = play(joined(OFFER, odd, BYE), start(tls=TlsPolicy.OPPORTUNISTIC))

    assert played.probe.closed


WANTS_TLS_AT_MAIL = """
    C: MAIL FROM:<>
    S: 530 5.7.0 Must issue a STARTTLS command first
"""
WANTS_TLS_AT_RCPT = """
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<ann@mx.example>
    S: 550 5.7.10 needs STARTTLS
"""


@pytest.mark.parametrize("wants", [WANTS_TLS_AT_MAIL, WANTS_TLS_AT_RCPT], ids=["mail", "rcpt"])
def test_required_tls_is_started_and_the_question_put_again(wants: str) -> None:
    played = play(joined(OFFER, wants, SECURED, ASK_ANN, BYE), start())

    assert played.said[-2:] == [("rcpt", "250"), ("quit", "221")]


def test_what_was_offered_before_tls_is_forgotten() -> None:
    offer = OFFER.replace("250 STARTTLS", "250-PIPELINING\n    S: 250 STARTTLS")

    played = play(joined(offer, SECURED, ASK_ANN, BYE), start(tls=TlsPolicy.OPPORTUNISTIC))

    assert played.probe.closed


def test_login_before_tls_is_forgotten() -> None:
    login = """
    C: AUTH PLAIN AGdhdGV3YXkAczNjcmV0
    S: 235 2.7.0 Welcome
    """
    offer = OFFER.replace("250 STARTTLS", "250-STARTTLS\n    S: 250 AUTH PLAIN")
    secured = SECURED.replace("250 mx.example", "250-mx.example\n    S: 250 AUTH PLAIN")
    dialogue = joined(offer, login, WANTS_TLS_AT_MAIL, secured, login, ASK_ANN, BYE)

    assert play(dialogue, start(manner=Manner(login=LOGIN))).said[-2] == ("rcpt", "250")


def test_required_tls_that_is_not_offered_or_not_allowed_ends_it() -> None:
    not_offered = OFFER.replace("STARTTLS", "SIZE")

    assert play(joined(not_offered, WANTS_TLS_AT_MAIL, BYE), start()).probe.closed
    never = start(tls=TlsPolicy.NEVER)
    assert play(joined(OFFER, WANTS_TLS_AT_MAIL, BYE), never).probe.closed


@pytest.mark.parametrize("wants", [WANTS_TLS_AT_MAIL, WANTS_TLS_AT_RCPT], ids=["mail", "rcpt"])
def test_tls_required_and_refused_is_no_endless_loop(wants: str) -> None:
    refused = """
    C: STARTTLS
    S: 454 4.7.0 TLS not available
    """
    again = wants if wants is WANTS_TLS_AT_MAIL else "C: RSET\nS: 250 Ok\n" + wants.strip()

    played = play(joined(OFFER, wants, refused, again, BYE), start())

    assert [stage for stage, _ in played.said].count("starttls") == 1


@pytest.mark.parametrize("wants", [WANTS_TLS_AT_MAIL, WANTS_TLS_AT_RCPT], ids=["mail", "rcpt"])
def test_tls_required_within_tls_is_no_endless_loop(wants: str) -> None:
    secured = SECURED.replace("S: 250 mx.example", "S: 250-mx.example\n    S: 250 STARTTLS")

    played = play(joined(OFFER, wants, secured, wants, BYE), start())

    assert [stage for stage, _ in played.said].count("starttls") == 1


def test_a_wish_for_tls_at_quit_comes_too_late() -> None:
    bye = BYE.replace("221 Bye", "530 Must issue a STARTTLS command first")

    played = play(joined(OFFER, ASK_ANN, bye), start())

    assert played.probe.closed


def test_helo_may_follow_the_handshake() -> None:
    secured = SECURED.replace("S: 250", "S: 500 what?\n    C: HELO probe.example\n    S: 250")

    played = play(joined(OFFER, secured, ASK_ANN, BYE), start(tls=TlsPolicy.OPPORTUNISTIC))

    assert ("helo", "250") in played.said


def test_what_breaks_for_the_controls_sake_is_not_about_the_address() -> None:
    wants = """
    C: RSET
    S: 250 Ok
    C: MAIL FROM:<>
    S: 530 STARTTLS first
    C: STARTTLS
    S: 220 Go ahead
    """
    handshake = play(joined(OFFER, ASK_ANN, wants, "! broken"), start(ANN, CONTROL))
    starttls = play(
        joined(OFFER, ASK_ANN, wants.replace("S: 220 Go ahead", "! closed")), start(ANN, CONTROL)
    )
    ehlo = play(
        joined(OFFER, ASK_ANN, wants, "! tls", "C: EHLO probe.example", "! closed"),
        start(ANN, CONTROL),
    )

    for played in (handshake, starttls, ehlo):
        assert played.probe.transcript[-1].about is About.CONTROL


# What is said before the first question.


def offering(*words: str, tls: TlsPolicy = TlsPolicy.NEVER, manner: Manner = PLAINLY) -> Terms:
    terms = Terms(tls, manner)
    terms.hear(Stage.EHLO, Reply(250, ("mx.example", *words)))
    return terms


def test_nothing_comes_before_the_question_where_nothing_is_wanted() -> None:
    assert offering("STARTTLS", "AUTH PLAIN").before_asking() is Move.ASK


def test_tls_comes_before_a_login_and_the_login_before_the_question() -> None:
    manner = Manner(secret=True, login=LOGIN)
    terms = offering("STARTTLS", tls=TlsPolicy.OPPORTUNISTIC, manner=manner)
    moves = [terms.before_asking()]
    terms.begin_anew()
    moves.append(terms.before_asking())
    terms.hear(Stage.AUTH, Reply(235, ("Welcome",)))
    moves.append(terms.before_asking())

    assert moves == [Move.SAY_STARTTLS, Move.LOG_IN, Move.ASK]


def test_what_must_not_be_said_in_clear_is_refrained_from() -> None:
    manner = Manner(secret=True, login=LOGIN)

    assert offering(tls=TlsPolicy.OPPORTUNISTIC, manner=manner).before_asking() is Move.REFRAIN


@pytest.mark.parametrize(
    ("offered", "login", "commands"),
    [
        ("AUTH LOGIN PLAIN", LOGIN, ["AUTH PLAIN (secret)"]),
        ("AUTH LOGIN", LOGIN, ["AUTH LOGIN", "(secret)", "(secret)"]),
        ("AUTH CRAM-MD5", LOGIN, []),
        ("AUTH LOGIN PLAIN", None, []),
    ],
)
def test_a_login_takes_a_form_that_is_offered(
    offered: str, login: Login | None, commands: list[str]
) -> None:
    terms, steps = offering(offered, manner=Manner(login=login)), list[Step]()
    step = terms.log_in(About.ADDRESS)
    while step:
        steps.append(step)
        step = terms.answer_challenge(About.ADDRESS)

    assert [step.command for step in steps] == commands
