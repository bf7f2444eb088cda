"""What the HTTP door answers by at this moment: an engine, settings, tokens, a store. Not here: HTTP.

It imports neither Litestar nor uvicorn, which take as long to load as all the rest: opening.py does, where
there is to be such a door.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Protocol

from ...engine.ports import Clock, Sink, Store
from ...engine.progress import UnderWay
from ...values.events import Answered, DoorClosed, Trouble
from ...values.query import Query, Report
from ...values.settings import Settings
from ...values.verdict import Reason
from ..metrics import Metrics
from ..recent import Recent
from .follow_ups import FollowUps
from .limits import Limits
from .problems import ProblemError
from .quotas import Rates, network_of
from .sessions import Sessions
from .tokens import Tokens

DOOR = "http"
# A flood of requests that are refused must not become one of lines in the log, by client network.
_TOLD_PER_HOUR = 60
GRACE_S = 1.0  # what the engine may exceed an asker's patience by before it counts as stuck


def failed(why: str) -> ProblemError:
    """Our failure, as a client sees it."""
    detail = f"{why}; ask again later"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, ("retry-after", "10"))


class Verifies(Protocol):
    """What this door needs of engine/verifier.py."""

    @property
    def helo_name(self) -> str:
        """The name under which we call."""
        ...

    @property
    def under_way(self) -> int:
        """Callouts under way or waiting for their turn."""
        ...

    def progress_nowait(self, most: int, /) -> tuple[UnderWay, ...]:
        """How far the oldest of them have come."""
        ...

    async def verify(self, asked: Query, /) -> Report: ...

    def concluded_nowait(self, address: str, /) -> "asyncio.Future[Report] | None":
        """The conclusion to come of the callout about an address that is under way, if one is."""
        ...


class HttpDoor:
    """What the routes ask. A reload changes it; connections, rates and follow-ups outlast that."""

    def __init__(
        self,
        verifier: Verifies,
        store: Store,
        clock: Clock,
        sink: Sink,
        *,
        settings: Settings,
        sources: Mapping[str, str] = MappingProxyType({}),
        tokens: Tokens | None = None,
        metrics: Metrics | None = None,
        recent: Recent | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.verifier, self.store, self.clock, self.tell = verifier, store, clock, sink
        self.settings, self.sources = settings, sources
        self.tokens = tokens or Tokens()
        self.metrics, self.limits = metrics or Metrics(), limits or Limits()
        self.recent = recent or Recent(clock.now)
        each, known = self.limits.failures_per_hour_each, self.limits.known_clients
        self.sessions = Sessions(clock.elapsed, Rates(each, known, clock.elapsed))
        self.follow_ups = FollowUps(clock.elapsed, sink)
        self._told = Rates(_TOLD_PER_HOUR, self.limits.known_clients, clock.elapsed)

    def adopt(
        self, verifier: Verifies, settings: Settings, sources: Mapping[str, str], tokens: Tokens
    ) -> None:
        """Answer by another engine, other settings and other tokens from the next request on."""
        self.verifier, self.tokens = verifier, tokens
        self.settings, self.sources = settings, sources

    def tell_sent_away(self, peer: str, why: str) -> None:
        """Tell the log of a client that was sent away, if it has not been told of it all day."""
        if self._told.spend(network_of(peer)):
            self.tell(DoorClosed(DOOR, peer, why))

    async def ask(self, query: Query, limit_s: float) -> Report:
        """Ask the engine, and tell of the answer. Raises ProblemError where we failed."""
        started_at = self.clock.elapsed()
        try:
            async with asyncio.timeout(limit_s + GRACE_S):
                report = await self.verifier.verify(query)
        except TimeoutError:
            what = f"no verdict within {limit_s:g} s"
            self.tell(Trouble(DOOR, what, "no answer was given, rather than a wrong one"))
            raise failed(what) from None
        took_s = self.clock.elapsed() - started_at
        client = query.client.address if query.client else ""
        self.tell(Answered(DOOR, query.purpose, query.address, client, report, took_s))
        if report.reason is Reason.OUR_TROUBLE and not report.evidence:
            raise failed(report.rule)  # nobody was asked: that is no report
        return report

    async def ask_again(self, query: Query) -> Report:
        """Ask the engine of this moment, for a follow-up that may outlast another one."""
        return await self.verifier.verify(query)

    async def close(self) -> None:
        """Give up what is followed."""
        await self.follow_ups.close()
