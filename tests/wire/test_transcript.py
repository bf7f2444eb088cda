"""What is kept of a conversation."""

from ringback.values.endpoint import Endpoint
from ringback.values.evidence import About, Exchange, Fault, Meaning, Reading, Stage
from ringback.wire.reply import Reply
from ringback.wire.steps import Step
from ringback.wire.transcript import MAX_KEPT_CHARS, VOID_RULE, Transcript

RCPT = Step(Stage.RCPT, about=About.CONTROL, command="RCPT TO:<ann@mx.example>")
REFUSED = Reading(Meaning.UNKNOWN_USER, "no such user", weak=True)


def begin() -> Transcript:
    return Transcript(Endpoint("mx.example", "192.0.2.1", 25, 10), 2)


def test_a_reply_is_kept_with_who_said_it_to_what_and_how_it_was_read() -> None:
    transcript = begin()
    heard = transcript.hear(1.0, RCPT, Reply(550, ("no", "such user"), "5.1.1"), REFUSED)

    assert heard == Exchange(
        at=1.0,
        stage=Stage.RCPT,
        connection=2,
        host="mx.example",
        ip="192.0.2.1",
        preference=10,
        about=About.CONTROL,
        command="RCPT TO:<ann@mx.example>",
        code=550,
        enhanced="5.1.1",
        text="no\nsuch user",
        meaning=Meaning.UNKNOWN_USER,
        rule="no such user",
        weak=True,
    )
    assert transcript.said == [heard]


def test_a_reply_that_was_not_read_is_void() -> None:
    heard = begin().hear(1.0, RCPT, Reply(550, ("no",), "5.1.1"), None)

    assert (heard.code, heard.meaning, heard.rule, heard.weak) == (550, None, VOID_RULE, False)


def test_a_contradicting_enhanced_code_is_not_kept() -> None:
    heard = begin().hear(1.0, RCPT, Reply(550, ("no",), "4.2.1"), REFUSED)

    assert heard.enhanced is None


def test_a_flood_is_kept_in_part() -> None:
    heard = begin().hear(1.0, RCPT, Reply(550, ("x" * (MAX_KEPT_CHARS + 1),)), REFUSED)

    assert heard.text == "x" * MAX_KEPT_CHARS


def test_a_fault_stands_in_place_of_a_reply() -> None:
    transcript = begin()
    transcript.note(1.0, RCPT, "gone", Fault.CLOSED)
    transcript.note(2.0, Step(Stage.CONNECT))

    assert [(one.text, one.fault, one.code) for one in transcript.said] == [
        ("gone", Fault.CLOSED, None),
        ("", None, None),
    ]
