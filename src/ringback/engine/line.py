"""Who waits for one host, in order of arrival, and who of them share its next session.

Not here: when that begins (engine/sessions.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .session import NONE, Guest, Session
from .visit import Way

# Addresses that are asked for in one session. Servers slow down or hang up after ten to twenty errors.
MAX_PER_SESSION = 10


@dataclass(slots=True, eq=False)
class Line:
    """That of one host."""

    way: Way
    waiting: dict[Guest, None] = field(default_factory=dict)
    next_session: Session | None = None  # it waits for a place
    # Domains whose control is being asked for: others wait for its answer, and need not ask.
    controlled: frozenset[str] = NONE
    sessions: int = 0  # under way

    @property
    def is_over(self) -> bool:
        return not (self.waiting or self.next_session or self.sessions)

    def may_go(self, guest: Guest) -> bool:
        return not guest.visit.plan.control or guest.visit.domain not in self.controlled

    def take(self) -> tuple[Guest, ...]:
        """Take the first, and those behind who have as much time left and need no session of their own."""
        taken: list[Guest] = []
        for guest in self.waiting:
            if self.may_go(guest) and (not taken or _joins(guest, taken[0])):
                taken.append(guest)
            if len(taken) == MAX_PER_SESSION:
                break
        if len(taken) == len(self.waiting):
            self.waiting = {}  # a dict that has been emptied keeps its room
        for guest in taken:
            self.waiting.pop(guest, None)
        return tuple(taken)

    def put_back(self, guests: Iterable[Guest]) -> None:
        """Have `guests` head the line."""
        self.waiting = dict.fromkeys(guests) | self.waiting


def _joins(guest: Guest, first: Guest) -> bool:
    return not guest.goes_first and guest.visit.deadline_at >= first.visit.deadline_at
