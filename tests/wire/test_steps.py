"""Commands with the stages that their replies belong to."""

import pytest

from ringback.errors import LocalProtocolError
from ringback.values.endpoint import Login
from ringback.values.evidence import About, Stage
from ringback.values.settings import RouteProtocol
from ringback.wire import steps
from ringback.wire.question import Question

ANN = Question(About.ADDRESS, "ann@mx.example")
LOGIN = Login("gateway", "s3cret")


def test_a_greeting_is_said_as_the_protocol_wants_it() -> None:
    said = [steps.greet("x.example", About.ADDRESS, protocol) for protocol in RouteProtocol]

    assert [step.octets for step in said] == [b"EHLO x.example\r\n", b"LHLO x.example\r\n"]
    assert {step.stage for step in said} == {Stage.EHLO}
    assert steps.greet_simply("x.example", About.ADDRESS).command == "HELO x.example"


def test_what_all_hosts_are_told_is_one_step_for_all() -> None:
    first, second = (steps.transaction(ANN, after_another=True) for _ in range(2))

    assert [step.command for step in first] == ["RSET", "MAIL FROM:<>", "RCPT TO:<ann@mx.example>"]
    assert [one is another for one, another in zip(first, second, strict=True)] == [
        True,
        True,
        False,
    ]
    assert steps.leave() is steps.leave()


def test_nothing_precedes_the_first_transaction() -> None:
    stages = [step.stage for step in steps.transaction(ANN, after_another=False)]

    assert stages == [Stage.MAIL, Stage.RCPT]


@pytest.mark.parametrize("after_another", [False, True])
def test_vrfy_is_a_transaction_of_its_own(after_another: bool) -> None:
    question = Question(About.CONTROL, "jürgen@mx.example", vrfy=True)
    (step,) = steps.transaction(question, after_another=after_another)

    assert step.command == "VRFY jürgen@mx.example SMTPUTF8"
    assert (step.stage, step.about) == (Stage.VRFY, About.CONTROL)


def test_a_step_knows_whose_sake_it_is_for() -> None:
    control = Question(About.CONTROL, "nobody@mx.example")
    about = [step.about for step in steps.transaction(control, after_another=True)]

    assert about == [About.CONTROL] * 3
    assert steps.start_tls(About.CONTROL).about is About.CONTROL
    assert steps.leave().about is About.ADDRESS


def test_secrets_are_sent_and_not_shown() -> None:
    plain = steps.log_in_plainly(LOGIN, About.ADDRESS)
    password = steps.say_secret(LOGIN.password, About.ADDRESS)

    assert (plain.octets, plain.command) == (
        b"AUTH PLAIN AGdhdGV3YXkAczNjcmV0\r\n",
        "AUTH PLAIN (secret)",
    )
    assert (password.octets, password.command) == (b"czNjcmV0\r\n", "(secret)")
    assert steps.log_in(About.ADDRESS).command == "AUTH LOGIN"


def test_an_address_that_would_be_a_command_is_none() -> None:
    with pytest.raises(LocalProtocolError):
        steps.transaction(Question(About.ADDRESS, "ann@mx.example>\r\nDATA"), after_another=False)
