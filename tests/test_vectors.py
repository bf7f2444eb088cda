"""Every dialogue of tests/vectors/smtp, held with our own probe and read by our own rules.

Those named real_* were captured from servers that Debian ships (tests/real/capture); their last line is
what a person made of them. tests/vectors/commands has what the same servers say to single commands that
come at the wrong time or in the wrong shape.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ringback.assemble import phrasebook
from ringback.lab.personas import Then
from ringback.lab.vectors import Dialogue, ScriptBrain, load_dialogue
from ringback.rules.classify import classify
from ringback.rules.conclude import conclude
from ringback.rules.outcomes import judge
from ringback.rules.plan import POSTMASTER, Plan
from ringback.values.endpoint import Endpoint
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.settings import TlsPolicy
from ringback.values.verdict import Verdict
from ringback.wire.probe import Probe
from ringback.wire.reply import Reply, ReplyReader

VECTORS = Path(__file__).parent / "vectors" / "smtp"
COMMANDS = VECTORS.with_name("commands")
MAX_TURNS = 100  # no conversation of ours is as long


def plan_for(dialogue: Dialogue) -> Plan:
    """What the caller of the dialogue wanted to know."""
    address, *contrast = dialogue.recipients or ("ann@mx.example",)
    of_postmaster = [other for other in contrast if other.partition("@")[0] == POSTMASTER]
    of_nobody = [other for other in contrast if other not in of_postmaster]
    return Plan(
        phrasebook(), address, control="".join(of_nobody[:1]), postmaster="".join(of_postmaster[:1])
    )


def hold(dialogue: Dialogue) -> tuple[tuple[Exchange, ...], list[str]]:
    """Hold the conversation; return its evidence, and what the caller said that nobody awaited."""
    has_tls = any(answer.then is Then.TLS for answer in dialogue.answers)
    tls = TlsPolicy.WHEN_REQUIRED if has_tls else TlsPolicy.NEVER
    probe = Probe(
        Endpoint("mx.example", "192.0.2.25", 25, 10), 1, "probe.example", tls, plan_for(dialogue)
    )
    brain = ScriptBrain(dialogue)
    probe.connected(at=1.0)
    act = brain.greet(now=1.0)
    out = probe.receive(act.octets, at=1.0)
    _follow(act.rule.then, probe)
    for _ in range(MAX_TURNS):
        if probe.closed:
            break
        acts = [brain.hear(line, pipelined=False, now=1.0) for line in out.decode().splitlines()]
        out = probe.receive(b"".join(act.octets for act in acts), at=1.0)
        out = _follow(acts[-1].rule.then, probe) or out
        if acts[-1].rule.then is Then.TLS:
            brain.enter_tls()
    return probe.transcript, brain.strays


def _go_on(probe: Probe) -> bytes:
    return b""


def _tls(probe: Probe) -> bytes:
    return probe.secured("TLS", at=1.0)


def _lose(fault: Fault) -> Callable[[Probe], bytes]:
    def lose(probe: Probe) -> bytes:
        probe.lose(fault, fault.value, at=1.0)
        return b""

    return lose


_AFTER: dict[Then, Callable[[Probe], bytes]] = {
    Then.CLOSE: _lose(Fault.CLOSED),
    Then.SILENCE: _lose(Fault.TIMEOUT),
    Then.TLS: _tls,
    Then.GO_ON: _go_on,
}


def _follow(then: Then, probe: Probe) -> bytes:
    return b"" if probe.closed else _AFTER[then](probe)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_dialogue_is_read_as_its_last_line_says(path: Path) -> None:
    dialogue = load_dialogue(path)
    evidence, strays = hold(dialogue)
    finding = judge(evidence, About.ADDRESS)

    assert finding is not None
    said = finding.because
    assert (dialogue.outcome, dialogue.why) == (finding.outcome, said.meaning or said.fault), said
    assert [] == strays


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one command, and what it means."""

    command: str
    reply: Reply
    meaning: Meaning

    @property
    def stage(self) -> Stage | None:
        return _STAGES.get(self.command.partition(" ")[0].lower())


_STAGES = {stage.value: stage for stage in Stage}
_ANSWER = re.compile(r"C: (?P<command>.*)\n(?P<reply>(?:S: .*\n)+)= (?P<meaning>\w+)\n")


def answers_in(path: Path) -> list[Answer]:
    found = _ANSWER.finditer(path.read_text("utf-8"))
    return [
        Answer(one["command"], _reply_of(one["reply"]), Meaning(one["meaning"])) for one in found
    ]


def _reply_of(lines: str) -> Reply:
    octets = "".join(f"{line.removeprefix('S: ')}\r\n" for line in lines.splitlines())
    (reply,) = ReplyReader().feed(octets.encode())
    return reply


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.txt")), ids=lambda path: path.stem)
def test_answers_to_ill_timed_and_misshapen_commands_are_read(path: Path) -> None:
    answers = answers_in(path)

    read = [
        classify(
            answer.stage,
            answer.reply,
            phrasebook(),
            null_sender=answer.stage is not Stage.MAIL or answer.command.startswith("MAIL FROM:<>"),
        ).meaning
        for answer in answers
    ]

    assert len(answers) > 50
    assert [answer.meaning for answer in answers] == read


# What may be said of us, of the sender or of the moment, and never counts against a mailbox.
_NOT_OF_THE_MAILBOX = frozenset(
    {
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
)


def test_no_refusal_of_us_condemns_a_mailbox() -> None:
    dialogues = [load_dialogue(path) for path in sorted(VECTORS.glob("*.txt"))]
    of_us = [dialogue for dialogue in dialogues if dialogue.why in _NOT_OF_THE_MAILBOX]

    verdicts = {dialogue.name: conclude(hold(dialogue)[0]).verdict for dialogue in of_us}

    assert len(of_us) > 20
    assert {Verdict.UNKNOWN} == set(verdicts.values()), verdicts
