"""verify(query) → Report: the one use case that every door calls.

From the store if it can, else by a callout that all askers of one address share. A callout goes on when
its askers have lost patience, so that the next one finds its answer in the store.
Not here: how a callout goes (engine/callout.py), what the MTA is told (rules/actions.py).
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ..errors import AddressError, StoreError
from ..rules import reports
from ..rules.conclude import conclude
from ..rules.exemptions import Exemptions, Refusal
from ..rules.forwarding import (
    AT_ROUTES_S,
    is_answer,
    is_kept,
    kept_of,
    key_of,
    sender_for,
    subject_of,
)
from ..rules.freshness import Entry, merge, remember
from ..rules.gates import Passed
from ..rules.lessons import learn
from ..rules.reports import Heading
from ..values.address import Address, parse_address
from ..values.events import CalledOut, Trouble
from ..values.evidence import Exchange, Fault, Stage
from ..values.query import Purpose, Query, Report
from ..values.settings import Settings
from ..values.text import printable
from ..values.verdict import Conclusion, Reason, Verdict
from .callout import Callout, News, Outside
from .deferrals import Deferrals
from .gatekeeper import Admission, Gatekeeper
from .ports import Sink
from .recall import Recall
from .refresher import Refresher

# Callouts under way or waiting for their turn. Each holds a few kilobytes; past this, questions pile up
# faster than they can ever be answered, and mail is better let through.
MAX_FLIGHTS = 20_000

# How long a host whose answer is known may take for its goodbye: to leave without QUIT is rude.
QUIT_WAIT_S = 2.0

# Of no use to the next asker: they speak of our own state, not of the address.
_NOT_KEPT = frozenset(
    {Reason.OVER_BUDGET, Reason.IDENTITY_UNFIT, Reason.OPTED_OUT, Reason.NOT_ASKED}
)


@dataclass(frozen=True, slots=True)
class _Flight:
    """One callout under way, and the two moments at which its askers may leave with an answer."""

    key: str  # askers with the same one share it
    kept_as: str  # Entry.key
    address: Address
    query: Query  # the first that asked
    passed: Passed  # what let it through
    old: Entry | None  # what was remembered when it started
    accepted: asyncio.Future[Report]  # the address was accepted; the control is still open
    concluded: asyncio.Future[Report]


class Verifier:
    """Answers queries. One object serves all doors."""

    def __init__(
        self, settings: Settings, outside: Outside, exemptions: Exemptions, sink: Sink
    ) -> None:
        self._settings, self._outside, self._sink = settings, outside, sink
        self._exemptions = exemptions
        self._callout = Callout(settings, outside, exemptions, sink)
        self._deferrals = Deferrals(
            outside.store, outside.clock, settings.etiquette, outside.organisation
        )
        self._gatekeeper = Gatekeeper(
            settings,
            exemptions,
            self._deferrals,
            outside,
        )
        self._flights: dict[str, _Flight] = {}
        self._tasks: dict[asyncio.Task[None], _Flight] = {}
        self._refresher = Refresher(self._refresh, sink)
        tell = self._refresher.tell_nowait
        self._recall = Recall(settings, outside.store, outside.clock, tell)

    @property
    def helo_name(self) -> str:
        """The name under which we call."""
        return self._settings.identity.helo_name

    @property
    def patience_s(self) -> float:
        """How long a callout that is under way may take to its end."""
        return self._settings.smtp.callout_deadline_s

    async def verify(self, asked: Query | str) -> Report:
        """Answer one query. What peers do, and a store that fails, end in a Report."""
        query = Query(asked) if isinstance(asked, str) else asked
        heading = self._heading(query.address)
        exempt = self._exemptions.exempt(query)
        if exempt:
            rule = f"never asked: {exempt.gate}"
            return reports.unasked(heading, exempt.reason, rule, exempt.gate)
        try:
            address = parse_address(query.address)
        except AddressError as error:
            return reports.unasked(heading, Reason.BAD_SYNTAX, str(error))
        try:
            report = await self._answer(query, address)
        except StoreError as error:
            report = self._store_failed(query.address, error)
        # As it was asked: the key of the answer has its domain folded.
        return report if report.address == query.address else replace(report, address=query.address)

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        """Say whether a mail may be told once more to come back, and count it. Raises StoreError."""
        return await self._deferrals.may_defer(client_address, sender, recipient)

    @property
    def under_way(self) -> int:
        """Callouts under way or waiting for their turn."""
        return len(self._flights)

    def concluded_nowait(self, address: str) -> "asyncio.Future[Report] | None":
        """The conclusion to come of the callout about an address that is under way, if one is.

        It is shared by all who wait: shield it from cancellation.
        """
        try:
            flight = self._flights.get(parse_address(address).key)
        except AddressError:
            return None
        return flight.concluded if flight else None

    async def call_own(self, address: Address) -> tuple[Exchange, ...]:
        """Ask for an address of ours, whoever is exempt, and return what was said: the doctor's callout.

        Nothing is remembered of it but what it cost. Raises StoreError.
        """
        query = Query(address.key)
        return await self._callout.run(address, query, Passed(("the doctor asks",)), lambda _: None)

    async def close(self, drain_s: float = 0.0) -> None:
        """Let callouts finish for `drain_s` seconds, then end them."""
        await self._refresher.close()
        await _wait_all(self._tasks, drain_s)
        for task, flight in self._tasks.items():
            if not flight.concluded.done():
                task.cancel()
        await _wait_all(self._tasks, QUIT_WAIT_S)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._outside.resolver.close()

    async def _answer(self, query: Query, address: Address) -> Report:
        known, old = await self._recall.look_up(query, address)
        if known:
            return known
        flight = self._flights.get(self._flight_key(query, address))
        if flight is not None:
            return await self._wait(query, flight)
        try:
            async with asyncio.timeout(self._left_s(query)):
                admission = await self._gatekeeper.admit(query, address)
        except TimeoutError:
            rule = "the DNS did not say in time who may be called"
            return reports.unasked(self._heading(address.key), Reason.DEADLINE, rule)
        report = await self._answer_admitted(query, address, admission, old)
        return replace(report, questions=admission.questions)

    async def _answer_admitted(
        self, query: Query, address: Address, admission: Admission, old: Entry | None
    ) -> Report:
        if isinstance(admission.said, Refusal):
            return reports.refused(self._heading(address.key), admission.said)
        if admission.questions:  # meanwhile another asker may have had his answer
            known, old = await self._recall.look_up(query, address)
            if known:
                return known
        # Between this look and the flight's start nothing waits, so that two askers never start two.
        flight = self._flights.get(self._flight_key(query, address))
        if flight is None:
            if len(self._flights) >= MAX_FLIGHTS:
                rule = "too many callouts are under way"
                reason = _without_place(query)
                return reports.unasked(self._heading(address.key), reason, rule)
            flight = self._start(query, admission.said, address, old)
        return await self._wait(query, flight)

    def _flight_key(self, query: Query, address: Address) -> str:
        """Who has the same question. What a mail's own sender meets with is no answer for another's."""
        key = key_of(address, query.purpose)
        if query.purpose is not Purpose.RECIPIENT:
            return key
        route = self._exemptions.routes.find(address.domain)
        return f"{key} {sender_for(route, query, address)}" if route else key

    def _left_s(self, query: Query) -> float | None:
        """How long the asker still waits; None: as long as it takes."""
        if query.answer_by_at is None:
            return None
        return max(0.0, query.answer_by_at - self._outside.clock.now())

    def _heading(self, address: str) -> Heading:
        return Heading(address, self._outside.clock.now())

    def _store_failed(self, address: str, error: StoreError) -> Report:
        self._sink(Trouble("store", str(error), "mail passes unasked until it can be used again"))
        rule = "the store cannot be used"
        return reports.unasked(self._heading(address), Reason.OUR_TROUBLE, rule)

    # Callouts.

    def _start(self, query: Query, passed: Passed, address: Address, old: Entry | None) -> _Flight:
        loop = asyncio.get_running_loop()
        flight = _Flight(
            self._flight_key(query, address),
            key_of(address, query.purpose),
            address,
            query,
            passed,
            old,
            loop.create_future(),
            loop.create_future(),
        )
        self._flights[flight.key] = flight
        task = asyncio.create_task(self._fly(flight))
        self._tasks[task] = flight
        task.add_done_callback(self._land)
        return flight

    def _land(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._sink(Trouble.of_bug("callout", bug))

    async def _fly(self, flight: _Flight) -> None:
        started_at = self._outside.clock.now()
        try:
            evidence = await self._callout.run(
                flight.address,
                flight.query,
                flight.passed,
                lambda news: self._tell(flight, news),
            )
            if not flight.concluded.done():
                self._finish(flight, conclude(evidence), evidence)
            self._sink(_called_out(flight, evidence, self._outside.clock.now() - started_at))
            self._alarm(evidence)
        except StoreError as error:
            _settle(flight.concluded, self._store_failed(flight.address.key, error))
        finally:
            del self._flights[flight.key]
            # A bug of ours, which is told when the task has ended, or the end of the service.
            broken = self._heading(flight.address.key)
            rule = "the callout was broken off"
            _settle(flight.concluded, reports.unasked(broken, Reason.OUR_TROUBLE, rule))

    def _alarm(self, evidence: Sequence[Exchange]) -> None:
        """Tell the operator that our own side is broken: nobody else can mend it."""
        for said in evidence:
            if said.fault is Fault.SOURCE_UNUSABLE:
                remedy = "see identity.source_addresses, and how many files may be open at a time"
                self._sink(Trouble("source address", said.text, remedy))
                return
            if said.stage is Stage.AUTH and (said.fault or (said.code or 0) >= 500):
                what = f"{printable(said.host)} does not let us in: {printable(said.text)}"
                remedy = "see username and password_file of its [[recipient.route]]"
                self._sink(Trouble("route", what, remedy))
                return

    def _tell(self, flight: _Flight, news: News) -> None:
        """Let askers go who need not wait for the rest of the conversation."""
        conclusion = conclude(news.evidence)
        control_is_lost = conclusion.settled and not conclusion.final
        if news.complete and not control_is_lost:
            self._finish(flight, conclusion, news.evidence)
        elif conclusion.settled:
            heading = self._heading(flight.address.key)
            rule = "accepted; the control is still open"
            open_end = replace(conclusion, reason=Reason.DEADLINE, final=False, rule=rule)
            report = reports.from_conclusion(heading, open_end, news.evidence)
            _settle(flight.accepted, report)

    def _finish(
        self, flight: _Flight, conclusion: Conclusion, evidence: tuple[Exchange, ...]
    ) -> None:
        """Remember what the callout taught, and answer all who still wait."""
        self._learn(flight, evidence, conclusion)
        report, kept = self._conclude(flight, conclusion, evidence)
        if kept is not None and kept is not flight.old:
            self._outside.store.save(kept)
        _settle(flight.concluded, report)

    def _conclude(
        self, flight: _Flight, conclusion: Conclusion, evidence: tuple[Exchange, ...]
    ) -> tuple[Report, Entry | None]:
        """The report of a callout, and the entry to keep of it, if any."""
        heading = self._heading(flight.address.key)
        forward = flight.query.purpose is Purpose.RECIPIENT
        if conclusion.reason in _NOT_KEPT or (forward and not is_kept(conclusion)):
            report = reports.from_conclusion(heading, conclusion, evidence)
            if conclusion.reason is Reason.OVER_BUDGET:
                report = replace(report, reason=_without_place(flight.query))
            return self._instead_of(flight, report, flight.old), None
        new = remember(
            flight.kept_as,
            conclusion,
            evidence,
            heading.now,
            flight.old,
            self._recall.ages(flight.query.purpose),
            AT_ROUTES_S if forward else self._settings.etiquette.recheck_after_s,
        )
        new = replace(new, attempts=0) if forward else new  # our own host is never given up
        kept = merge(flight.old, new)
        return self._instead_of(flight, reports.from_callout(heading, new, kept), kept), kept

    def _instead_of(self, flight: _Flight, report: Report, kept: Entry | None) -> Report:
        """The report of a callout, or of a recipient what is `kept` where nothing was learned."""
        learned = report.verdict is not Verdict.UNKNOWN or report.settled
        if learned or (report.because and is_answer(report.because)):
            return report
        instead = self._recall.instead(flight.query, flight.address, kept)
        return replace(instead, callouts=report.callouts) if instead else report

    def _learn(
        self, flight: _Flight, evidence: tuple[Exchange, ...], conclusion: Conclusion
    ) -> None:
        now, store, purpose = self._outside.clock.now(), self._outside.store, flight.query.purpose
        subject = subject_of(flight.address.domain, purpose)
        lessons = learn(subject, evidence, conclusion, now, self._settings.cache.facts)
        lessons = kept_of(lessons) if purpose is Purpose.RECIPIENT else lessons
        for fact in lessons.learned:
            store.save_fact(fact)
        for subject, kind in lessons.unlearned:
            store.forget_fact(subject, kind)

    async def _refresh(self, query: Query) -> None:
        await self.verify(query)

    async def _wait(self, query: Query, flight: _Flight) -> Report:
        """Wait for the flight as long as the asker does, and no longer than his purpose needs."""
        awaited = {flight.concluded}
        if query.purpose is not Purpose.BULK and query.client is not None:
            awaited.add(flight.accepted)
        done, _ = await asyncio.wait(
            awaited, timeout=self._left_s(query), return_when=asyncio.FIRST_COMPLETED
        )
        if flight.concluded in done:
            return flight.concluded.result()
        if done:
            return flight.accepted.result()
        if instead := self._recall.instead(query, flight.address, flight.old):
            return instead
        rule = "no answer in time; the callout goes on"
        return reports.unasked(self._heading(query.address), Reason.DEADLINE, rule)


def _called_out(flight: _Flight, evidence: tuple[Exchange, ...], took_s: float) -> CalledOut:
    report = flight.concluded.result()
    return CalledOut(
        address=flight.address.key,
        purpose=flight.query.purpose,
        connections=reports.connections(evidence),
        hosts=tuple(dict.fromkeys(said.host for said in evidence if said.connection)),
        reason=report.reason,
        rule=report.rule,
        took_s=took_s,
        evidence=evidence,
    )


def _without_place(query: Query) -> Reason:
    """Why nobody was asked: to hosts of our own there is no budget, there are only so many connections."""
    return Reason.DEADLINE if query.purpose is Purpose.RECIPIENT else Reason.OVER_BUDGET


async def _wait_all(tasks: Collection[asyncio.Task[None]], timeout_s: float) -> None:
    if tasks:
        await asyncio.wait(set(tasks), timeout=timeout_s)


def _settle(future: asyncio.Future[Report], report: Report) -> None:
    if not future.done():
        future.set_result(report)
