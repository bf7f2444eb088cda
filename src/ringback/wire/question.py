"""What is asked of a host, and by whom it is decided. Not here: putting it to the host (wire/probe.py)."""

from collections.abc import Sequence
from typing import Protocol

from ..values.evidence import About, Exchange, Reading, Stage
from ..values.record import Record
from .reply import Reply


class Question(Record, frozen=True):
    """One mailbox to ask for. `sender` "" is the null sender."""

    about: About
    recipient: str
    sender: str = ""
    vrfy: bool = False

    @property
    def needs_smtputf8(self) -> bool:
        return not (self.recipient.isascii() and self.sender.isascii())


class Guide(Protocol):
    """What the rules decide in the middle of a conversation."""

    def read(self, stage: Stage, reply: Reply) -> Reading:
        """Say what `reply` means."""
        ...

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        """Say what to ask after all that was `said`; None ends the conversation with QUIT."""
        ...
