"""What a host of the lab remembers of a session, for tests to look at. Not here: having it (mx.py)."""

from dataclasses import dataclass, field
from enum import StrEnum

from .personas import Step


class Ending(StrEnum):
    """How a session ended."""

    QUIT = "quit"
    PEER_LEFT = "peer_left"
    WE_LEFT = "we_left"


@dataclass(slots=True)
class Heard:
    """One line from the client, and the answer. `at` is in Unix seconds."""

    at: float
    step: Step
    line: str
    pipelined: bool  # came before the answer to the line before it
    answer: str = ""


@dataclass(slots=True)
class Session:
    """All that was said in one connection. Lines of a message after DATA are not kept."""

    client: str
    opened_at: float
    heard: list[Heard] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    greeting: str = ""
    secure: bool = False
    ending: Ending | None = None  # None: it goes on

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(said.line for said in self.heard)

    @property
    def verbs(self) -> tuple[str, ...]:
        return tuple(line.partition(" ")[0].upper() for line in self.lines)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those of RCPT, in order, as sent, without angle brackets."""
        asked = (line for line in self.lines if line.upper().startswith("RCPT TO:"))
        return tuple(line[line.find("<") + 1 : line.rfind(">")] for line in asked)
