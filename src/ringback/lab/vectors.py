"""Dialogues with mail hosts as text files, and a host's brain that plays one.

    # Where and when this was seen.
    S: 220 mx.example ESMTP
    C: EHLO probe.example
    S: 250 mx.example
    ! closed
    = UNREACHABLE closed

"S:" is a line of the host, "C:" one of the caller; "! closed", "! silent" and "! tls" say what the
host did after its last reply, or instead of one. The last line is the outcome, and the meaning or
fault that led to it.
Not here: drawing that conclusion (rules/).
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError
from ..values.evidence import Fault, Meaning
from ..values.verdict import Outcome
from .dialogue import Act
from .personas import Rule, Step, Then

_FINAL = re.compile(r"[0-9]{3}(?: .*)?")
_EVENTS = {"closed": Then.CLOSE, "silent": Then.SILENCE, "tls": Then.TLS}
_STEPS = {step.upper(): step for step in Step}
_WHYS: dict[str, Meaning | Fault] = {
    **{meaning.value: meaning for meaning in Meaning},
    **{fault.value: fault for fault in Fault},
}
# What a script need not spell out.
_ASIDE = {"QUIT": "221 2.0.0 Bye", "RSET": "250 2.0.0 Ok", "NOOP": "250 2.0.0 Ok"}
_STRAY = "503 5.5.1 not in the script"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host does about one command; the greeting has the command ""."""

    command: str
    octets: bytes
    then: Then = Then.GO_ON

    @property
    def verb(self) -> str:
        return self.command.partition(" ")[0].upper()


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One vector. `head` is its comment, `lines` the conversation as it stands in the file."""

    name: str
    head: str
    lines: tuple[str, ...]
    answers: tuple[Answer, ...]
    outcome: Outcome
    why: Meaning | Fault

    @property
    def commands(self) -> tuple[str, ...]:
        return tuple(answer.command for answer in self.answers if answer.command)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those of RCPT, in the order of their first; the first of all is the address in question."""
        asked = (line for line in self.commands if line.upper().startswith("RCPT TO:"))
        return tuple(dict.fromkeys(line[line.find("<") + 1 : line.rfind(">")] for line in asked))


def load_dialogue(path: Path) -> Dialogue:
    """Read one file. Raises ConfigError."""
    return parse_dialogue(path.read_text("utf-8"), path.stem)


def parse_dialogue(text: str, name: str) -> Dialogue:
    """Read one dialogue. Raises ConfigError, with the number of the line."""
    script = _Script(name)
    for number, line in enumerate(text.splitlines(), start=1):
        script.take(line, number)
    return script.end()


class _Script:
    """Gathers a dialogue line by line: commands wait until the host's next block answers them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._head: list[str] = []
        self._lines: list[str] = []
        self._waiting = [""]  # the greeting is the answer to nothing
        self._block: list[str] = []  # lines of the host not yet made into answers
        self._answers: list[Answer] = []
        self._verdict: tuple[Outcome, Meaning | Fault] | None = None

    def take(self, line: str, number: int) -> None:
        if not line.strip():
            return
        mark, _, rest = line.partition(" ")
        if self._verdict is not None:
            raise self._wrong(number, "something after the outcome", "end with the line = …")
        if mark == "#":
            self._head.append(rest)
            return
        if mark == "=":
            self._verdict = self._judge(rest, number)
            return
        self._lines.append(line)
        if mark == "S:":
            self._block.append(rest)
        elif mark == "C:":
            self._answer_waiting()
            self._waiting.append(rest)
        elif mark == "!" and rest in _EVENTS:
            self._answer_waiting()
            self._turn(_EVENTS[rest])
        else:
            raise self._wrong(number, f"cannot read {line[:40]!r}", "begin with #, S:, C:, ! or =")

    def end(self) -> Dialogue:
        self._answer_waiting()
        if self._verdict is None:
            raise self._wrong(len(self._lines), "no outcome", "end with = OUTCOME meaning")
        head, lines = "\n".join(self._head), tuple(self._lines)
        return Dialogue(self._name, head, lines, tuple(self._answers), *self._verdict)

    def _judge(self, words: str, number: int) -> tuple[Outcome, Meaning | Fault]:
        outcome, _, why = words.partition(" ")
        if outcome.lower() not in set(Outcome) or why not in _WHYS:
            remedy = "name an Outcome in capitals, then a Meaning or a Fault"
            raise self._wrong(number, f"no such outcome: {words}", remedy)
        return Outcome(outcome.lower()), _WHYS[why]

    def _answer_waiting(self) -> None:
        """Pair the block of the host with the commands before it, the last one taking what is left."""
        if not self._block:
            return
        replies = _split(self._block)
        self._block.clear()
        while replies and self._waiting:
            command = self._waiting.pop(0)
            taken = replies if not self._waiting else replies[:1]
            replies = replies[len(taken) :]
            self._answers.append(Answer(command, b"".join(taken)))

    def _turn(self, then: Then) -> None:
        if self._waiting:
            self._answers.append(Answer(self._waiting.pop(0), b"", then))
        else:
            last = self._answers.pop()
            self._answers.append(Answer(last.command, last.octets, then))

    def _wrong(self, number: int, problem: str, remedy: str) -> ConfigError:
        return ConfigError(self._name, f"line {number}", problem, remedy)


def _split(block: list[str]) -> list[bytes]:
    """Cut lines of the host into replies, each ending where SMTP says so, or at the end."""
    replies, reply = [], b""
    for line in block:
        reply += line.encode("utf-8", "surrogateescape") + b"\r\n"
        if _FINAL.fullmatch(line):
            replies.append(reply)
            reply = b""
    return [*replies, reply] if reply else replies


class ScriptBrain:
    """Plays a dialogue to whoever calls: commands are matched by verb, in order.

    `strays` are the commands that the dialogue does not have.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._left = list(dialogue.answers)
        self.strays: list[str] = []

    def greet(self, now: float) -> Act:
        return _act(Step.GREETING, self._left.pop(0))

    def hear(self, line: str, *, pipelined: bool, now: float) -> Act:
        heard = Answer(line, b"")
        step = _STEPS.get(heard.verb, Step.UNKNOWN)
        if self._left and self._left[0].verb == heard.verb:
            return _act(step, self._left.pop(0))
        if heard.verb not in _ASIDE:
            self.strays.append(line)
        said = _ASIDE.get(heard.verb, _STRAY).encode("ascii") + b"\r\n"
        return _act(step, Answer(line, said, Then.CLOSE if step is Step.QUIT else Then.GO_ON))

    def enter_tls(self) -> None:
        """The script goes on; it knows of the handshake already."""


def _act(step: Step, answer: Answer) -> Act:
    # A QUIT that was answered ends the session, whether or not the script says so.
    ends = step is Step.QUIT and answer.then is Then.GO_ON
    return Act(step, Rule(then=Then.CLOSE if ends else answer.then), answer.octets)
