"""From a question of an MTA to the action that it is told: verify, choose, bound, observe, tell the log.

Whatever goes wrong on our side, mail passes, or where its recipient was to be asked about, comes back.
Not here: who is asked and what comes of it (engine/verifier.py), which action follows (rules/actions.py),
how an MTA is told it (the doors).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from ..engine.ports import Clock, Sink
from ..errors import StoreError
from ..rules.actions import DUNNO, Action, Kind, choose, failed
from ..rules.forwarding import Routes
from ..values.events import Decided, Trouble
from ..values.query import Query, Report
from ..values.settings import Mode, Settings

# What the engine may exceed answer_within_s by before it counts as stuck.
GRACE_S = 1.0

Answer = TypeVar("Answer")


class Verifies(Protocol):
    """What a door needs of engine/verifier.py."""

    @property
    def helo_name(self) -> str: ...

    async def verify(self, asked: Query, /) -> Report: ...

    def verify_nowait(self, asked: Query, /) -> Report | None:
        """The same, if it waits for nobody."""
        ...

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        """Say whether a mail may be told once more to come back, and count it. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Ruling:
    """What was concluded of one question, and what follows."""

    report: Report
    action: Action  # what `enforce` says
    told: Action  # what the MTA is told: DUNNO while observing


Judging = Coroutine[None, None, Ruling | None]


class Judge:
    """Judges mail for one door."""

    def __init__(
        self,
        door: str,
        verifier: Verifies,
        clock: Clock,
        sink: Sink,
        *,
        settings: Settings,
        grace_s: float = GRACE_S,
    ) -> None:
        self._door, self._clock, self._sink = door, clock, sink
        self._grace_s = grace_s
        self.adopt(verifier, settings)

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Judge by another engine and other settings from the next question on."""
        self.verifier, self.settings = verifier, settings
        self._routes = Routes.of(settings.recipient.route)

    def forwards(self, recipient: str) -> bool:
        """Say whether the host behind us can be asked about `recipient`."""
        return self._routes.has(recipient)

    @property
    def answer_by_at(self) -> float:
        """When a question that is raised now is to be answered."""
        return self._clock.now() + self.settings.smtp.answer_within_s

    def judge(self, query: Query, known: Report | None = None) -> Judging:
        """Judge one question, by what is `known` of it already if anything is; None if we failed."""
        return self._guard(self._judge(query, known))

    async def rule(self, query: Query) -> tuple[Action, Action]:
        """Judge one question; return what follows, and what the MTA is told, also where we failed."""
        ruling = await self.judge(query)
        if ruling:
            return ruling.action, ruling.told
        action = failed(query.purpose)
        return action, self._told(action, self.settings)

    def rule_nowait(self, query: Query) -> tuple[Action, Action] | None:
        """The same, if it waits for nobody; None also where we fail, which `rule` will tell."""
        started_at = self._clock.now()
        try:
            report = self.verifier.verify_nowait(query)
        except Exception as error:  # as in _guard: a bug of ours must not cost the mail
            self._sink(Trouble.of_bug(self._door, error))
            return None
        action = report and choose(report, query.purpose, self.settings.etiquette)
        if not (report and action) or action.kind is Kind.DEFER_IF_PERMIT:
            return None  # whether a mail is told to come back again is in the store
        ruling = self._ruling(query, report, action, started_at, self.settings)
        return ruling.action, ruling.told

    async def recall(self, query: Query) -> Report | None:
        """Return what is known by now of a question that was judged before; None if we failed."""
        now = self._clock.now()
        return await self._guard(self.verifier.verify(replace(query, answer_by_at=now)))

    async def _guard(self, asking: Coroutine[None, None, Answer]) -> Answer | None:
        limit_s = self.settings.smtp.answer_within_s + self._grace_s
        try:
            async with asyncio.timeout(limit_s):
                return await asking
        except TimeoutError:
            self._sink(
                Trouble(self._door, f"no verdict within {limit_s:g} s", "mail passes unasked")
            )
        except StoreError as error:
            remedy = "mail passes unasked until it can be used again"
            self._sink(Trouble(self._door, str(error), remedy))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Something that we waited for was cancelled, and not we: nobody would answer the MTA.
            self._sink(Trouble.of_bug(self._door, error))
        except Exception as error:
            # Here and in rule_nowait any error is caught: a bug of ours in one question must cost neither
            # this mail nor the others of its connection. It is told with all we know of it.
            self._sink(Trouble.of_bug(self._door, error))
        return None

    def _told(self, action: Action, settings: Settings) -> Action:
        return action if settings.policy.mode is Mode.ENFORCE else DUNNO

    async def _judge(self, query: Query, known: Report | None) -> Ruling:
        started_at = self._clock.now()
        settings = self.settings  # a reload may come meanwhile
        enforces = settings.policy.mode is Mode.ENFORCE
        report = known or await self.verifier.verify(replace(query, puts_off=enforces))
        action = choose(report, query.purpose, settings.etiquette)
        if action.kind is Kind.DEFER_IF_PERMIT and enforces:
            # A mail that was told to come back often enough is let through.
            client = query.client.address if query.client else ""
            told_again = await self.verifier.may_defer(client, query.address, query.recipient)
            action = action if told_again else DUNNO
        return self._ruling(query, report, action, started_at, settings)

    def _ruling(
        self, query: Query, report: Report, action: Action, started_at: float, settings: Settings
    ) -> Ruling:
        told = self._told(action, settings)
        self._sink(
            Decided(
                door=self._door,
                purpose=query.purpose,
                address=query.address,
                client=query.client.address if query.client else "",
                action=str(action),
                told=str(told),
                report=report,
                took_s=max(0.0, self._clock.now() - started_at),  # clocks are set back at times
            )
        )
        return Ruling(report, action, told)
