"""A site's own mail, as its log tells it, taken in several ways side by side, on the log's own time.

Not here: what becomes of one mail in one of them (lane.py), and reading logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..rules.envelopes import Ending, Envelope
from .lane import COURSES, Authorised, Course, Lane, Surroundings

# Lines of several processes are not quite in order, and local time goes back once a year: time goes on, by so
# little that a million mails make no difference. Seconds.
_TICK_S = 1e-4


@dataclass(slots=True)
class Span:
    """When the first and the last envelope came. Unix seconds."""

    first_at: float | None = None
    last_at: float = 0.0

    def note(self, at: float) -> None:
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = max(self.last_at, at)


class Replay:
    """All courses side by side, envelope by envelope. `asks_refused`: also for mail that the site refused."""

    def __init__(
        self,
        around: Surroundings,
        courses: Sequence[Course] = COURSES,
        *,
        asks_refused: bool = False,
    ) -> None:
        self._clock, self._asks_refused = around.clock, asks_refused
        authorised = Authorised(around.resolver, around.organisation)
        self.lanes = [Lane(course, around, authorised) for course in courses]
        self.span = Span()
        self.envelopes = dict.fromkeys(Ending, 0)

    async def meet(self, envelope: Envelope) -> None:
        """Let time pass until an envelope comes, and put it to each course."""
        self.span.note(envelope.at)
        self.envelopes[envelope.ending] += 1
        if envelope.ending is Ending.REFUSED and not self._asks_refused:
            return
        await self._clock.sleep(max(_TICK_S, envelope.at - self._clock.now()))
        for lane in self.lanes:
            await lane.meet(envelope)

    async def close(self) -> None:
        for lane in self.lanes:
            await lane.close()
