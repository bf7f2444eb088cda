"""What is asked and answered between an MTA and a policy service, from the asker's side."""

import pytest

from ringback.errors import LocalProtocolError, RemoteProtocolError
from ringback.wire.policy import PolicyReader, PolicyRequest
from ringback.wire.policy_asking import (
    MAX_ANSWER_BYTES,
    MAX_TEXT_CHARS,
    AnswerReader,
    encode_request,
    parse_refusal,
)


def test_a_question_is_what_the_service_reads() -> None:
    attributes = {"request": "smtpd_access_policy", "sender": "grün=a@b.example", "recipient": ""}

    assert [
        PolicyRequest(request="smtpd_access_policy", sender="grün=a@b.example")
    ] == PolicyReader().feed(encode_request(attributes))


@pytest.mark.parametrize("value", ["a\nsender=b", "a\0"])
def test_a_value_cannot_be_another_attribute(value: str) -> None:
    with pytest.raises(LocalProtocolError):
        encode_request({"sender": value})


ANSWERS = b"action=DUNNO\n\nnote=x\naction=550 5.1.7 no=such\n\nact"


def test_answers_do_not_depend_on_how_the_stream_was_cut() -> None:
    reader = AnswerReader()
    actions = [action for octet in ANSWERS for action in reader.feed(bytes([octet]))]

    assert ["DUNNO", "550 5.1.7 no=such"] == actions == AnswerReader().feed(ANSWERS)


@pytest.mark.parametrize("answer", [b"\n\n", b"note=x\n\n", b"action=\n\n", b"action\n\n"])
def test_an_answer_has_an_action(answer: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="without an action"):
        AnswerReader().feed(answer)


@pytest.mark.parametrize("end", [b"", b"\n\n"])
def test_an_answer_is_bounded(end: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="more than"):
        AnswerReader().feed(b"action=" + b"x" * MAX_ANSWER_BYTES + end)


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("DUNNO", None),
        ("ok", None),
        ("PREPEND X-Seen: yes", None),
        ("550 5.1.7 no such mailbox", "550 5.1.7 no such mailbox"),
        ("450 wait", "450 wait"),
        ("550", "550 Access denied"),
        ("REJECT", "550 5.7.1"),
        ("reject 5.1.7 no", "550 5.1.7 no"),
        ("DEFER 4.1.1 later", "450 4.1.1 later"),
        ("DEFER_IF_PERMIT 4.1.7 later", "450 4.1.7 later"),
        ("DEFER_IF_PERMIT later", "450 4.7.1 later"),
        ("550 5.1.7 \x1b[31mred\r grün", "550 5.1.7 ?[31mred? gr?n"),
    ],
)
def test_actions_are_replies(action: str, reply: str | None) -> None:
    assert reply == parse_refusal(action)


def test_a_reply_is_bounded() -> None:
    reply = parse_refusal("550 " + "x" * 5_000)

    assert "550 " + "x" * MAX_TEXT_CHARS == reply


@pytest.mark.parametrize("action", ["", "250 fine", "5500 no", "HOLD on", "nonsense"])
def test_an_action_that_is_none_is_told(action: str) -> None:
    with pytest.raises(RemoteProtocolError, match="an action that is none"):
        parse_refusal(action)
