"""Callouts under way: one for each question, however many ask it, and what is remembered of how it ended.

A callout goes on when its askers have lost patience, so that the next one finds its answer in the store.
Not here: who may ask (engine/verifier.py), and how a callout goes (engine/callout.py).
"""

import asyncio
from collections.abc import Collection
from typing import Self

from ..errors import StoreError
from ..rules import reports
from ..rules.conclude import conclude
from ..rules.forwarding import (
    AT_ROUTES_S,
    Routes,
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
from ..values.address import Address
from ..values.events import CalledOut, Trouble
from ..values.evidence import Exchange
from ..values.query import Purpose, Query, Report
from ..values.settings import Settings
from ..values.verdict import Conclusion, Reason, Verdict
from .alarms import Alarms
from .asker import Asker
from .callout import Callout
from .flight import Flight
from .outside import Outside
from .ports import Sink
from .recall import Recall
from .walk import News

# Callouts under way or waiting for their turn. Each holds a few kilobytes; past this, questions pile up
# faster than they can ever be answered, and mail is better let through.
MAX_FLIGHTS = 20_000

# How long a host whose answer is known may take for its goodbye: to leave without QUIT is rude.
QUIT_WAIT_S = 2.0

# Of no use to the next asker: they speak of our own state, not of the address.
_NOT_KEPT = frozenset(
    {Reason.OVER_BUDGET, Reason.IDENTITY_UNFIT, Reason.OPTED_OUT, Reason.NOT_ASKED}
)


class Flights:
    """Those of one engine, and of the one `before`, which it replaces: they share them.

    But what hosts of a route are asked nobody shares who asks by other settings. `retire_nowait` has it
    forgotten how they answer, for it would overwrite what the route's new host says.
    """

    def __init__(
        self,
        settings: Settings,
        outside: Outside,
        routes: Routes,
        callout: Callout,
        recall: Recall,
        sink: Sink,
        before: Self | None = None,
    ) -> None:
        self._settings, self._outside, self._routes = settings, outside, routes
        self._callout, self._recall, self._sink = callout, recall, sink
        self._flights: dict[str, Flight] = before._flights if before else {}
        self._generation: int = before._generation + 1 if before else 0
        self._is_retired = False
        self._tasks: dict[asyncio.Task[None], Flight] = {}
        self._alarms = Alarms(sink)
        # Bound once: there may be thousands of callouts.
        self._on_news, self._on_end = self._tell, self._land

    def __len__(self) -> int:
        return len(self._flights)

    def key_of(self, query: Query, address: Address) -> str:
        """Who has the same question. What a mail's own sender meets with is no answer for another's.

        Of a question that mail or an operator has raised about a sender, it is the address's own key.
        """
        key = key_of(address, query.purpose)
        if query.purpose is not Purpose.RECIPIENT:
            return key
        route = self._routes.find(address.domain)
        sender = sender_for(route, query, address) if route else ""
        return f"{key} {sender} {self._generation}"

    def find(self, key: str) -> Flight | None:
        """The callout that questions with the same key share."""
        return self._flights.get(key)

    def start(
        self,
        key: str,
        query: Query,
        address: Address,
        passed: Passed,
        old: Entry | None,
        asker: Asker,
    ) -> Flight | None:
        """Begin a callout; None if there are too many."""
        if len(self) >= MAX_FLIGHTS:
            return None
        flight = Flight(
            key,
            address,
            query,
            passed,
            old,
            asker,
            self._outside.clock.now(),
            self._on_news,
        )
        self._flights[flight.key] = flight
        task = asyncio.create_task(self._fly(flight), name="callout")
        self._tasks[task] = flight
        task.add_done_callback(self._on_end)
        return flight

    def retire_nowait(self) -> None:
        """Give way to another engine, which may have other routes."""
        self._is_retired = True

    async def close(self, drain_s: float) -> None:
        """Let callouts finish for `drain_s` seconds, then end them."""
        await _wait_all(self._tasks, drain_s)
        for task, flight in self._tasks.items():
            if flight.report is None:
                task.cancel()
        await _wait_all(self._tasks, QUIT_WAIT_S)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _heading(self, flight: Flight) -> Heading:
        return Heading(flight.address.key, self._outside.clock.now())

    def _land(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._sink(Trouble.of_bug("callout", bug))

    # Ten thousand of these wait, for hosts that are silent: so it holds nothing but its flight.
    async def _fly(self, flight: Flight) -> None:
        try:
            evidence = await self._callout.run(
                flight.address, flight.query, flight.passed, flight.pass_on, flight.asker
            )
            self._take_in(flight, evidence)
        except StoreError as error:
            flight.conclude(store_failed(self._heading(flight), error, self._sink))
        finally:
            self._end(flight)

    def _end(self, flight: Flight) -> None:
        del self._flights[flight.key]
        if flight.report is None:
            # A bug of ours, which is told when the task has ended, or the end of the service.
            rule = "the callout was broken off"
            flight.conclude(reports.unasked(self._heading(flight), Reason.OUR_TROUBLE, rule))

    def _take_in(self, flight: Flight, evidence: tuple[Exchange, ...]) -> None:
        report = flight.report or self._finish(flight, conclude(evidence), evidence)
        took_s = self._outside.clock.now() - flight.started_at
        self._sink(_called_out(flight, report, evidence, took_s))
        self._alarms.raise_for(flight.query.purpose, evidence)

    def _tell(self, flight: Flight, news: News) -> None:
        """Let askers go who need not wait for the rest of the conversation."""
        conclusion = conclude(news.evidence)
        control_is_lost = conclusion.settled and not conclusion.final
        if news.complete and not control_is_lost:
            self._finish(flight, conclusion, news.evidence)
        elif conclusion.settled:
            heading = self._heading(flight)
            rule = "accepted; the control is still open"
            open_end = conclusion.but(reason=Reason.DEADLINE, final=False, rule=rule)
            report = reports.from_conclusion(heading, open_end, news.evidence)
            flight.accept(report)

    def _finish(
        self, flight: Flight, conclusion: Conclusion, evidence: tuple[Exchange, ...]
    ) -> Report:
        """Remember what the callout taught, and answer all who still wait."""
        heading = self._heading(flight)
        report, kept = self._conclude(flight, heading, conclusion, evidence)
        if not (self._is_retired and flight.query.purpose is Purpose.RECIPIENT):
            self._learn(flight, evidence, conclusion, heading.now)
            if kept is not None and kept is not flight.old:
                self._outside.store.save(kept)
        flight.conclude(report)
        return report

    def _conclude(
        self,
        flight: Flight,
        heading: Heading,
        conclusion: Conclusion,
        evidence: tuple[Exchange, ...],
    ) -> tuple[Report, Entry | None]:
        """The report of a callout, and the entry to keep of it, if any."""
        forward = flight.query.purpose is Purpose.RECIPIENT
        if conclusion.reason in _NOT_KEPT or (forward and not is_kept(conclusion)):
            report = reports.from_conclusion(heading, conclusion, evidence)
            if conclusion.reason is Reason.OVER_BUDGET:
                report = report.but(reason=without_place(flight.query))
            return self._instead_of(flight, report, flight.old), None
        new = remember(
            key_of(flight.address, flight.query.purpose),
            conclusion,
            evidence,
            heading.now,
            flight.old,
            self._recall.ages[flight.query.purpose],
            AT_ROUTES_S if forward else self._settings.etiquette.recheck_after_s,
            spared_counts=flight.query.purpose is not Purpose.BULK,
        )
        new = new.but(attempts=0) if forward else new  # our own host is never given up
        kept = merge(flight.old, new)
        return self._instead_of(flight, reports.from_callout(heading, new, kept), kept), kept

    def _instead_of(self, flight: Flight, report: Report, kept: Entry | None) -> Report:
        """The report of a callout, or of a recipient what is `kept` where nothing was learned."""
        learned = report.verdict is not Verdict.UNKNOWN or report.settled
        if learned or (report.because and is_answer(report.because)):
            return report
        instead = self._recall.instead(flight.query, flight.address, kept)
        return instead.but(callouts=report.callouts) if instead else report

    def _learn(
        self,
        flight: Flight,
        evidence: tuple[Exchange, ...],
        conclusion: Conclusion,
        now: float,
    ) -> None:
        store, purpose = self._outside.store, flight.query.purpose
        subject = subject_of(flight.address.domain, purpose)
        lessons = learn(subject, evidence, conclusion, now, self._settings.cache.facts)
        lessons = kept_of(lessons) if purpose is Purpose.RECIPIENT else lessons
        for fact in lessons.learned:
            store.save_fact(fact)
        for subject, kind in lessons.unlearned:
            store.forget_fact(subject, kind)


def _called_out(
    flight: Flight, report: Report, evidence: tuple[Exchange, ...], took_s: float
) -> CalledOut:
    return CalledOut(
        address=flight.address.key,
        purpose=flight.query.purpose,
        connections=reports.connections(evidence),
        hosts=tuple(dict.fromkeys([said.host for said in evidence if said.connection])),
        reason=report.reason,
        rule=report.rule,
        took_s=took_s,
        evidence=evidence,
        askers=flight.served,
    )


def without_place(query: Query) -> Reason:
    """Why nobody was asked: to hosts of our own there is no budget, there are only so many connections."""
    return Reason.DEADLINE if query.purpose is Purpose.RECIPIENT else Reason.OVER_BUDGET


def store_failed(heading: Heading, error: StoreError, sink: Sink) -> Report:
    """Tell the operator, and answer that we could not."""
    sink(Trouble("store", str(error), "mail passes unasked until it can be used again"))
    return reports.unasked(heading, Reason.OUR_TROUBLE, "the store cannot be used")


async def _wait_all(tasks: Collection[asyncio.Task[None]], timeout_s: float) -> None:
    if tasks:
        await asyncio.wait(set(tasks), timeout=timeout_s)
