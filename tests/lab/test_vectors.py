"""Dialogues as files: read, refused with the line, and played to callers."""

from itertools import takewhile
from pathlib import Path

import pytest

from ringback.errors import ConfigError
from ringback.lab.caller import calling
from ringback.lab.clock import HandClock
from ringback.lab.mx import Host
from ringback.lab.personas import Then, load_personas
from ringback.lab.record import Ending
from ringback.lab.vectors import Dialogue, ScriptBrain, load_dialogue, parse_dialogue
from ringback.values.evidence import Fault, Meaning
from ringback.values.verdict import Outcome

FILES = sorted((Path(__file__).parents[1] / "vectors" / "smtp").glob("*.txt"))
SAMPLE = """
# Seen once.
# Not twice.
S: 220 mx.example
C: EHLO probe.example
S: 250-mx.example
S: 250 PIPELINING
C: MAIL FROM:<>
C: RCPT TO:<ann@mx.example>
S: 250 Ok
S: 550-No
S: 550 such user
C: QUIT
! closed
= REJECTED unknown_user
"""


def host_of(dialogue: Dialogue) -> tuple[Host, list[ScriptBrain]]:
    brains: list[ScriptBrain] = []

    def think() -> ScriptBrain:
        brains.append(ScriptBrain(dialogue))
        return brains[-1]

    persona = load_personas()["normal"]
    return Host("mx.example", "127.0.0.1", persona, {}, HandClock(), brain=think), brains


def test_a_dialogue_is_read_turn_by_turn() -> None:
    dialogue = parse_dialogue(SAMPLE, "sample")

    assert "Seen once.\nNot twice." == dialogue.head
    assert (Outcome.REJECTED, Meaning.UNKNOWN_USER) == (dialogue.outcome, dialogue.why)
    assert ("ann@mx.example",) == dialogue.recipients
    assert [
        ("", b"220 mx.example\r\n", Then.GO_ON),
        ("EHLO probe.example", b"250-mx.example\r\n250 PIPELINING\r\n", Then.GO_ON),
        ("MAIL FROM:<>", b"250 Ok\r\n", Then.GO_ON),
        ("RCPT TO:<ann@mx.example>", b"550-No\r\n550 such user\r\n", Then.GO_ON),
        ("QUIT", b"", Then.CLOSE),
    ] == [(answer.command, answer.octets, answer.then) for answer in dialogue.answers]


def test_a_second_reply_to_one_command_goes_with_the_first() -> None:
    text = "S: 220 hi\nC: RCPT TO:<x@y>\nS: 250 Ok\nS: 550 no\n= GARBLED out_of_step"

    assert b"250 Ok\r\n550 no\r\n" == parse_dialogue(text, "two").answers[1].octets


def test_what_is_not_smtp_is_kept_as_it_came() -> None:
    dialogue = parse_dialogue("S: HTTP/1.1 400\nS: Server: x\n! closed\n= GARBLED not_smtp", "web")

    assert b"HTTP/1.1 400\r\nServer: x\r\n" == dialogue.answers[0].octets
    assert Then.CLOSE is dialogue.answers[0].then
    assert Fault.NOT_SMTP is dialogue.why


def test_a_host_may_fall_silent() -> None:
    dialogue = parse_dialogue("! silent\n= UNREACHABLE timeout", "mute")

    assert Then.SILENCE is dialogue.answers[0].then


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("S: 220 hi", "line 1: no outcome"),
        ("S: 220 hi\n= REJECTED maybe", "line 2: no such outcome"),
        ("S: 220 hi\n= rejected? unknown_user", "line 2: no such outcome"),
        ("S: 220 hi\nX: what", "line 2: cannot read"),
        ("S: 220 hi\n! exploded", "line 2: cannot read"),
        ("= REJECTED unknown_user\nS: 220 hi", "line 2: something after"),
    ],
)
def test_a_mistake_is_shown_with_its_line(text: str, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse_dialogue(text, "bad")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_every_vector_is_played_as_it_is_written(file: Path) -> None:
    dialogue = load_dialogue(file)
    mx, brains = host_of(dialogue)
    in_clear = list(takewhile(lambda answer: answer.then is not Then.TLS, dialogue.answers))

    async with mx, calling(mx.ip, mx.port) as caller:
        said = b""
        for answer in in_clear:
            if answer.command:
                caller.say(answer.command)
            said += await caller.reader.readexactly(len(answer.octets))

    assert dialogue.head
    assert b"".join(answer.octets for answer in in_clear) == said
    assert [] == brains[0].strays


async def test_what_a_script_does_not_have_is_noted_and_refused() -> None:
    dialogue = parse_dialogue("S: 220 hi\nC: EHLO x\nS: 250 hi\n= UNSURE unclear", "short")
    mx, brains = host_of(dialogue)

    async with mx:
        async with calling(mx.ip, mx.port) as caller:
            await caller.hear()
            codes = await caller.codes("EHLO y", "VRFY ann", "RSET", "QUIT")
        await mx.wait_ended()

    assert [250, 503, 250, 221] == codes
    assert ["VRFY ann"] == brains[0].strays
    assert Ending.QUIT is mx.sessions[0].ending
