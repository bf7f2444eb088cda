"""verify(query) → Report: the one use case that every door calls.

From the store if it can, else, if the gates let it, by a callout that all askers of one address share.
Not here: what becomes of a callout (engine/flights.py), what the MTA is told (rules/actions.py).
"""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Self

from ..errors import AddressError, StoreError
from ..rules import reports
from ..rules.exemptions import Exemptions, Refusal
from ..rules.gates import Gate, Passed
from ..rules.reach import gate_of
from ..rules.reports import Heading
from ..values.address import Address, parse_address
from ..values.evidence import Exchange
from ..values.query import Purpose, Query, Report
from ..values.settings import Settings
from ..values.verdict import Reason
from .asker import Asker
from .askers import Askers
from .callout import Callout
from .deferrals import Deferrals
from .flight import Flight
from .flights import Flights, store_failed, without_place
from .gatekeeper import Gatekeeper
from .outside import Outside
from .ports import Sink
from .progress import UnderWay
from .recall import Recall
from .refresher import Refresher
from .timekeeper import Timekeeper


class Verifier:
    """Answers queries. One object serves all doors; who asks it shares the callouts of the one `before`."""

    def __init__(
        self,
        settings: Settings,
        outside: Outside,
        exemptions: Exemptions,
        sink: Sink,
        before: Self | None = None,
    ) -> None:
        self._settings, self._outside, self._sink = settings, outside, sink
        self._exemptions = exemptions
        self._callout: Callout = Callout(
            settings, outside, exemptions, sink, before._callout if before else None
        )
        self._deferrals = Deferrals(
            outside.store, outside.clock, settings.etiquette, outside.organisation
        )
        self._gatekeeper = Gatekeeper(
            settings,
            exemptions,
            self._deferrals,
            outside,
        )
        self.askers, self.timekeeper = Askers(), Timekeeper()
        self._refresher = Refresher(self._refresh, sink)
        tell = self._refresher.tell_nowait
        self._recall = Recall(settings, outside.store, outside.clock, tell)
        self._flights: Flights = Flights(
            settings,
            outside,
            exemptions.routes,
            self._callout,
            self._recall,
            sink,
            before._flights if before else None,
        )

    @property
    def helo_name(self) -> str:
        """The name under which we call."""
        return self._settings.identity.helo_name

    @property
    def patience_s(self) -> float:
        """How long a mail that is asked about now may take to the end of its callout."""
        return self._settings.smtp.answer_within_s + self._settings.smtp.callout_deadline_s

    async def verify(self, asked: Query | str) -> Report:
        """Answer one query. What peers do, and a store that fails, end in a Report."""
        found = await self.ask(Query(asked) if isinstance(asked, str) else asked)
        return found if isinstance(found, Report) else await found.wait()

    async def ask(self, query: Query) -> "Report | Waiting":
        """The answer, or one who waits for a callout: what led to it holds no memory by then."""
        exempt = self._exemptions.exempt(query)
        if exempt is not None:
            return self._spared(query, exempt)
        try:
            address = parse_address(query.address)
        except AddressError as error:
            return reports.unasked(self._heading(query.address), Reason.BAD_SYNTAX, str(error))
        asker = Asker(self._outside.resolver)
        try:
            with self.askers:
                found = await self._answer(query, address, asker)
        except StoreError as error:
            found = store_failed(self._heading(query.address), error, self._sink)
        if isinstance(found, Report):
            return _as_asked(found, query, asker)
        return Waiting(self, query, asker, found)

    def verify_nowait(self, query: Query) -> Report | None:
        """The answer of `verify`, if it waits for nobody: that of a gate, or of a fresh entry in memory."""
        exempt = self._exemptions.exempt(query)
        if exempt is not None:
            return self._spared(query, exempt)
        try:
            return self._recall.at_hand(query, parse_address(query.address))
        except AddressError:
            return None

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        """Say whether a mail may be told once more to come back, and count it. Raises StoreError."""
        return await self._deferrals.may_defer(client_address, sender, recipient)

    @property
    def under_way(self) -> int:
        """Callouts under way or waiting for their turn."""
        return len(self._flights)

    def progress_nowait(self, most: int) -> tuple[UnderWay, ...]:
        """How far the oldest of them have come."""
        return self._callout.progress_nowait(most)

    def concluded_nowait(self, address: str) -> "asyncio.Future[Report] | None":
        """The conclusion to come of the callout about an address that is under way, if one is.

        It is shared by all who wait: shield it from cancellation.
        """
        try:
            # The one that mail or an operator has raised.
            flight = self._flights.find(parse_address(address).key)
        except AddressError:
            return None
        return flight.concluded if flight else None

    async def call_own(self, address: Address) -> tuple[Exchange, ...]:
        """Ask for an address of ours, whoever is exempt, and return what was said: the doctor's callout.

        Nothing is remembered of it but what it cost. Raises StoreError.
        """
        query, passed = Query(address.key), Passed((gate_of(self.helo_name),))
        with self.askers:
            return await self._callout.run(address, query, passed, lambda _: None)

    def retire_nowait(self) -> None:
        """Answer who has asked, and leave it to the one that replaces this to remember of routes."""
        self._flights.retire_nowait()

    async def close(self, drain_s: float = 0.0) -> None:
        """Let questions and callouts finish for `drain_s` seconds, then end them."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + drain_s
        await self._refresher.close()
        # Who stands at a gate has no callout yet, and may begin one.
        await self.askers.wait_gone(drain_s)
        await self._flights.close(max(0.0, give_up_at - loop.time()))
        await self._outside.resolver.close()

    def _spared(self, query: Query, exempt: Refusal) -> Report:
        rule = f"never asked: {exempt.gate}"
        return reports.unasked(self._heading(query.address), exempt.reason, rule, exempt.gate)

    async def _answer(self, query: Query, address: Address, asker: Asker) -> Report | Flight:
        """The answer, or the callout to wait for."""
        known, old = await self._recall.look_up(query, address)
        if known:
            return known
        key = self._flights.key_of(query, address)
        if flight := self._flights.find(key):
            return flight
        try:
            async with asyncio.timeout(self.left_s(query)):
                said = await self._gatekeeper.admit(query, address, asker)
        except TimeoutError:
            rule = "the DNS did not say in time who may be called"
            return reports.unasked(self._heading(address.key), Reason.DEADLINE, rule)
        if isinstance(said, Refusal):
            return reports.refused(self._heading(address.key), said)
        if asker.asked:  # meanwhile another asker may have had his answer
            known, old = await self._recall.look_again(query, address, old)
            if known:
                return known
        # Between this look and the flight's start nothing waits, so that two askers never start two.
        flight = self._flights.find(key)
        flight = flight or self._flights.start(key, query, address, said, old, asker)
        return flight or self._without_place(query, address)

    def _without_place(self, query: Query, address: Address) -> Report:
        rule = "too many callouts are under way"
        heading, gate = self._heading(address.key), Gate.CONNECTIONS
        return reports.unasked(heading, without_place(query), rule, gate)

    def left_s(self, query: Query) -> float | None:
        """How long the asker still waits; None: as long as it takes."""
        if query.answer_by_at is None:
            return None
        return max(0.0, query.answer_by_at - self._outside.clock.now())

    def _heading(self, address: str) -> Heading:
        return Heading(address, self._outside.clock.now())

    async def _refresh(self, query: Query) -> None:
        await self.verify(query)

    def without_news(self, query: Query, flight: Flight) -> Report:
        """What is told an asker whose time is up."""
        if instead := self._recall.instead(query, flight.address, flight.old):
            return instead
        rule = "no answer in time; the callout goes on"
        return reports.unasked(self._heading(query.address), Reason.DEADLINE, rule)


def _as_asked(report: Report, query: Query, asker: Asker | None = None) -> Report:
    """The key of an answer has its domain folded; what the DNS was asked for it shows at its end."""
    if asker and asker.asked:
        report = report.but(questions=asker.asked)
    return report if report.address == query.address else report.but(address=query.address)


class Waiting:
    """One who waits for a callout, inside the engine: he begins, and is called for his report, or leaves."""

    __slots__ = ("_asker", "_flight", "_heed", "_news", "_query", "_verifier", "due_at")

    def __init__(self, verifier: Verifier, query: Query, asker: Asker, flight: Flight) -> None:
        self._verifier, self._query, self._asker, self._flight = verifier, query, asker, flight
        self._heed: Callable[[], None] | None = None
        self._news: Report | None = None
        self.due_at = inf  # by the loop's clock

    @property
    def is_early(self) -> bool:
        """Say whether an acceptance serves him, whatever the control shows."""
        return self._query.purpose is not Purpose.BULK and self._query.client is not None

    def begin(self, heed: Callable[[], None], until_at: float = inf) -> None:
        """Have `heed` called when there is a report, when his time is up or it is `until_at` at the latest.

        By the loop's clock: the one on the wall may be set back meanwhile.
        """
        self._heed = heed
        self._verifier.askers.enter()
        try:
            left_s = self._verifier.left_s(self._query)
            self.due_at = min(until_at, inf if left_s is None else _now() + left_s)
            self._flight.join(self)
            if self.due_at < inf:
                self._verifier.timekeeper.add(self)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Wait no longer."""
        if self._heed is None:
            return
        self._heed = None
        self._verifier.timekeeper.discard(self)
        self._flight.leave(self)
        self._verifier.askers.leave()

    def report(self) -> Report:
        """What he is told: the news, or that his time is up."""
        report = self._news or self._verifier.without_news(self._query, self._flight)
        return _as_asked(report, self._query, self._asker)

    async def wait(self, until_at: float = inf) -> Report:
        """Do all that, for whom a task waits."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begin(lambda: None if over.done() else over.set_result(None), until_at)
        try:
            await over
        finally:
            self.leave()
        return self.report()

    def tell(self, news: Report | None) -> None:
        """The callout has come to an end, or far enough."""
        if heed := self._heed:
            self.leave()
            self._news = news
            heed()

    def lose_patience(self) -> None:
        """His time is up."""
        self.tell(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
