"""A site's own mail, as its log tells it, taken in several ways side by side, on the log's own time.

Not here: what becomes of one mail in one of them (lane.py), and reading logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..rules.envelopes import Ending, Envelope
from .authorised import Authorised
from .lane import COURSES, Course, Lane, Surroundings

# Lines of several processes are not quite in order: so far behind, mail comes at once, and time goes on by so
# little that a million mails make no difference. Seconds.
_TICK_S = 1e-4
# Further behind is none of that: local time goes back once a year, clocks are set, logs are put together.
# When so much of a log has passed without coming up again, its time goes on from there. Seconds.
BEHIND_S = 600.0


@dataclass(slots=True)
class Span:
    """When the first and the last envelope came. Unix seconds."""

    first_at: float | None = None
    last_at: float = 0.0

    def note(self, at: float) -> None:
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = max(self.last_at, at)


class LogTime:
    """Tells when what is logged comes in a time that never goes back, as a log's may.

    A gap in the log is one there, on either side of where the log goes back.
    """

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._behind_since: float | None = None
        self.out_of_order = 0  # stamped so far behind what stands before

    def due_at(self, at: float, now: float) -> float:
        """When a line comes that is stamped `at`; `now` is how far time has gone on."""
        due_at = at + self._ahead_s
        if due_at >= now - BEHIND_S:
            self._behind_since = None
            return due_at
        self.out_of_order += 1
        if self._behind_since is None or at < self._behind_since:
            self._behind_since = at
        if at - self._behind_since < BEHIND_S:
            return now
        self._ahead_s = now - self._behind_since
        self._behind_since = None
        return at + self._ahead_s


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
        self.span, self.time = Span(), LogTime()
        self.envelopes = dict.fromkeys(Ending, 0)

    async def meet(self, envelope: Envelope, logged_at: float) -> None:
        """Let time pass until an envelope comes, and put it to each course.

        `logged_at` is the stamp of the line that told of it, which may have waited in a queue until then.
        """
        self.span.note(envelope.at)
        self.envelopes[envelope.ending] += 1
        now = self._clock.now()
        due_at = self.time.due_at(logged_at, now) - (logged_at - envelope.at)
        if envelope.ending is Ending.REFUSED and not self._asks_refused:
            return
        await self._clock.sleep(max(_TICK_S, due_at - now))
        for lane in self.lanes:
            await lane.meet(envelope)

    async def close(self) -> None:
        for lane in self.lanes:
            await lane.close()
