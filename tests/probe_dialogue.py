"""The callout's conversation, played from a text: "S:" is the host, "C:" what the probe sends, "!" an event.

The Guide here is a simple one: it asks for a list of mailboxes, and reads a reply by its first digit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ringback.lab.vectors import Dialogue
from ringback.values.endpoint import PLAINLY, Endpoint, Manner
from ringback.values.evidence import About, Exchange, Fault, Meaning, Reading, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe
from ringback.wire.question import Question
from ringback.wire.reply import Reply
from ringback.wire.transcript import VOID_RULE

ENDPOINT = Endpoint("mx.example", "192.0.2.1", 25, 10)
ANN = Question(About.ADDRESS, "ann@mx.example")
CONTROL = Question(About.CONTROL, "nobody@mx.example")
POSTMASTER = Question(About.POSTMASTER, "postmaster@mx.example")
UTF8 = Question(About.ADDRESS, "jürgen@mx.example")
VRFY = Question(About.ADDRESS, "ann@mx.example", vrfy=True)

_MEANINGS = {
    2: Meaning.ACCEPTED,
    3: Meaning.UNCLEAR,
    4: Meaning.SERVER_TROUBLE,
    5: Meaning.UNKNOWN_USER,
}
_EVENTS = {"closed": Fault.CLOSED, "silent": Fault.TIMEOUT, "broken": Fault.TLS_FAILED}


@dataclass
class Asker:
    """Asks one question after the other, whatever is said."""

    questions: tuple[Question, ...] = (ANN,)
    asked: int = 0

    def read(self, stage: Stage, reply: Reply) -> Reading:
        if "TLS" in reply.text and reply.code >= 400:
            return Reading(Meaning.TLS_REQUIRED, "says TLS")
        return Reading(_MEANINGS[reply.code // 100], "first digit")

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        self.asked += 1
        return self.questions[self.asked - 1] if self.asked <= len(self.questions) else None


@dataclass
class Played:
    """A conversation played to its end."""

    probe: Probe
    sent: list[str] = field(default_factory=list)  # what was sent, a flight an item

    @property
    def said(self) -> list[tuple[str, str]]:
        """Stage, and the code or the fault; what was void in brackets."""
        return [(exchange.stage.value, _answer(exchange)) for exchange in self.probe.transcript]


def _answer(exchange: Exchange) -> str:
    if exchange.fault:
        return exchange.fault.value
    code = str(exchange.code or "")
    return f"({code})" if exchange.rule == VOID_RULE else code


def start(
    *questions: Question,
    tls: TlsPolicy = TlsPolicy.WHEN_REQUIRED,
    manner: Manner = PLAINLY,
    connected: bool = True,
) -> Probe:
    probe = Probe(ENDPOINT, 1, "probe.example", tls, Asker(questions or (ANN,)), manner)
    if connected:
        probe.connected(at=1.0)
    return probe


def blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Consecutive lines with the same mark."""
    block: list[str] = []
    mark = ""
    for line in lines:
        if line[:2] != mark and block:
            yield mark, block
            block = []
        mark = line[:2]
        block.append(line[2:].strip())
    yield mark, block


def play(dialogue: str | Dialogue, probe: Probe, *, trickled: bool = False) -> Played:
    """Play the host's lines; whatever the probe sends must stand in the dialogue."""
    lines = dialogue.lines if isinstance(dialogue, Dialogue) else dialogue.strip().split("\n")
    played, out = Played(probe), b""
    for mark, block in blocks([line.strip() for line in lines]):
        if mark == "C:":
            assert out.decode().splitlines() == block
            played.sent.append(out.decode())
            out = b""
            continue
        assert out == b"", f"before {block}, the probe said {out!r}"
        if mark == "S:":
            stream = "".join(f"{line}\r\n" for line in block).encode()
            cuts = [stream[at : at + 1] for at in range(len(stream))] if trickled else [stream]
            out = b"".join(probe.receive(piece, at=2.0) for piece in cuts)
        elif block == ["tls"]:
            out = probe.secured("TLSv1.3", at=2.0)
        else:
            probe.lose(_EVENTS[block[0]], block[0], at=2.0)
    assert out == b""
    return played


ACCEPTED = """
    S: 220 mx.example ESMTP
    C: EHLO probe.example
    S: 250-mx.example
    S: 250 SIZE
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<ann@mx.example>
    S: 250 Ok
    C: QUIT
    S: 221 Bye
"""

OFFER = """
    S: 220 mx.example
    C: EHLO probe.example
    S: 250-mx.example
    S: 250 STARTTLS
"""
SECURED = """
    C: STARTTLS
    S: 220 Go ahead
    ! tls
    C: EHLO probe.example
    S: 250 mx.example
"""
ASK_ANN = """
    C: MAIL FROM:<>
    S: 250 Ok
    C: RCPT TO:<ann@mx.example>
    S: 250 Ok
"""
BYE = """
    C: QUIT
    S: 221 Bye
"""


def joined(*parts: str) -> str:
    return "\n".join(part.strip() for part in parts)
