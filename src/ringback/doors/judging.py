"""From a question of an MTA to the action that it is told: verify, choose, bound, observe, tell the log.

Whatever goes wrong on our side, mail passes, or where its recipient was to be asked about, comes back.
Not here: who is asked and what comes of it (engine/verifier.py), which action follows (rules/actions.py),
how an MTA is told it (the doors).
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol

from ..engine.ports import Clock, Sink
from ..errors import StoreError
from ..rules.actions import DUNNO, Action, Kind, choose, failed
from ..rules.forwarding import Routes
from ..values.events import Decided, Trouble
from ..values.query import Query, Report
from ..values.record import Record
from ..values.settings import Mode, Settings

# What the engine may exceed answer_within_s by before it counts as stuck.
GRACE_S = 1.0

# As SENDER in values/query.py.
_ENFORCE: Final = Mode.ENFORCE
_DEFER_IF_PERMIT: Final = Kind.DEFER_IF_PERMIT


class Waits(Protocol):
    """One who waits for a callout. `until_at` is by the loop's clock: it is over by then, whatever comes."""

    def begin(self, heed: Callable[[], None], until_at: float, /) -> None:
        """Have `heed` called when it is over, but not at once."""
        ...

    def leave(self) -> None:
        """Wait no longer."""
        ...

    def report(self) -> Report:
        """What is told him, when it is over."""
        ...

    async def wait(self, until_at: float, /) -> Report:
        """All that, for whom a task waits."""
        ...


class Verifies(Protocol):
    """What a door needs of engine/verifier.py."""

    @property
    def helo_name(self) -> str: ...

    async def verify(self, asked: Query, /) -> Report: ...

    async def ask(self, query: Query, /) -> Report | Waits:
        """The same up to where it waits for a callout."""
        ...

    def verify_nowait(self, asked: Query, /) -> Report | None:
        """The same, if it waits for nobody."""
        ...

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        """Say whether a mail may be told once more to come back, and count it. Raises StoreError."""
        ...


class Matter(Record, frozen=True):
    """One question that is being judged."""

    query: Query
    started_at: float  # Unix seconds
    # By the loop's clock: when the engine counts as stuck, however the other is set.
    limit_at: float
    settings: Settings  # a reload may come meanwhile


class Ruling(Record, frozen=True):
    """What was concluded of one question, and what follows."""

    report: Report
    action: Action  # what `enforce` says
    told: Action  # what the MTA is told: DUNNO while observing


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
        self._guard = _Guard(self)
        self.adopt(verifier, settings)

    def adopt(self, verifier: Verifies, settings: Settings) -> None:
        """Judge by another engine and other settings from the next question on."""
        self.verifier, self.settings = verifier, settings
        self._routes = Routes.of(settings.recipient.route)
        self.has_routes = bool(self._routes.by_domain)  # there is a host behind us to be asked

    def forwards(self, recipient: str) -> bool:
        """Say whether the host behind us can be asked about `recipient`."""
        return self._routes.has(recipient)

    @property
    def answer_by_at(self) -> float:
        """When a question that is raised now is to be answered."""
        return self._clock.now() + self.settings.smtp.answer_within_s

    async def judge(self, query: Query, known: Report | None = None) -> Ruling | None:
        """Judge one question, by what is `known` of it already if anything is; None if we failed."""
        matter = self.open(query)
        found = known or await self.ask(matter)
        if found is not None and not isinstance(found, Report):
            waits, found = found, None
            with self._guard:
                found = await waits.wait(matter.limit_at)
        return await self.conclude(matter, found) if found else None

    def open(self, query: Query) -> Matter:
        """Begin to judge one question."""
        limit_at = asyncio.get_running_loop().time() + self.limit_s
        return Matter(query, self._clock.now(), limit_at, self.settings)

    async def ask(self, matter: Matter) -> Report | Waits | None:
        """Ask the engine, up to where it waits for a callout; None if we failed."""
        with self._guard:
            async with asyncio.timeout_at(matter.limit_at):
                query, enforces = matter.query, _enforces(matter.settings)
                if query.puts_off != enforces:
                    query = query.but(puts_off=enforces)
                return await self.verifier.ask(query)
        return None

    def wait(self, matter: Matter, found: Waits, heed: Callable[[], None]) -> bool:
        """Have `heed` called when what was found may be concluded from; False if we failed."""
        with self._guard:
            found.begin(heed, matter.limit_at)
            return True
        return False

    async def conclude(self, matter: Matter, found: Report | Waits) -> Ruling | None:
        """Judge a question by what was found; None if we failed."""
        query = matter.query
        with self._guard:
            report = found if isinstance(found, Report) else found.report()
            action = choose(report, query.purpose, matter.settings.etiquette)
            if _puts_off(action, matter.settings):
                async with asyncio.timeout_at(matter.limit_at):
                    # A mail that was told to come back often enough is let through.
                    action = action if await self._may_defer(query) else DUNNO
            return self._ruling(matter, report, action)
        return None

    def conclude_nowait(self, matter: Matter, found: Report | Waits) -> Ruling | None:
        """The same, if it waits for nobody; None also where we fail, which `conclude` will tell."""
        try:
            report = found if isinstance(found, Report) else found.report()
            action = choose(report, matter.query.purpose, matter.settings.etiquette)
            if _puts_off(action, matter.settings):
                return None
            return self._ruling(matter, report, action)
        except Exception:  # a bug of ours; `conclude` meets it again, and tells
            return None

    async def rule(self, query: Query) -> tuple[Action, Action]:
        """Judge one question; return what follows, and what the MTA is told, also where we failed."""
        return self.follows(query, await self.judge(query))

    def follows(self, query: Query, ruling: Ruling | None) -> tuple[Action, Action]:
        """What follows from a ruling, and what the MTA is told; None: we failed."""
        if ruling:
            return ruling.action, ruling.told
        action = failed(query.purpose)
        return action, _told(action, self.settings)

    def rule_nowait(self, query: Query) -> tuple[Action, Decided] | None:
        """What the MTA is told if that waits for nobody, and what is told of it when it has been.

        None also where we fail, which is told here or by `rule`.
        """
        started_at, settings = self._clock.now(), self.settings
        try:
            report = self.verifier.verify_nowait(query)
        except Exception as error:  # as in _Guard: a bug of ours must not cost the mail
            self.tell_bug(error)  # `rule` asks in another way, and need not meet it
            return None
        if report is None:
            return None
        try:
            action = choose(report, query.purpose, settings.etiquette)
            if _puts_off(action, settings):
                return None
            told = _told(action, settings)
            return told, self._decided(query, started_at, report, action, told)
        except Exception:  # a bug of ours; `rule` meets it again, and tells
            return None

    async def recall(self, query: Query) -> Report | None:
        """Return what is known by now of a question that was judged before; None if we failed."""
        now = self._clock.now()
        with self._guard:
            async with asyncio.timeout(self.limit_s):
                return await self.verifier.verify(query.but(answer_by_at=now))
        return None

    @property
    def limit_s(self) -> float:
        """How long the engine may take to answer, whatever the clock on the wall does meanwhile."""
        return self.settings.smtp.answer_within_s + self._grace_s

    def tell(self, what: str, remedy: str) -> None:
        """Tell the operator what failed of ours."""
        self._sink(Trouble(self._door, what, remedy))

    def tell_bug(self, error: BaseException) -> None:
        self._sink(Trouble.of_bug(self._door, error))

    async def _may_defer(self, query: Query) -> bool:
        client = query.client.address if query.client else ""
        return await self.verifier.may_defer(client, query.address, query.recipient)

    def _ruling(self, matter: Matter, report: Report, action: Action) -> Ruling:
        told = _told(action, matter.settings)
        self._sink(self._decided(matter.query, matter.started_at, report, action, told))
        return Ruling(report, action, told)

    def _decided(
        self, query: Query, started_at: float, report: Report, action: Action, told: Action
    ) -> Decided:
        said, client = str(action), query.client
        return Decided(
            self._door,
            query.purpose,
            query.address,
            client.address if client else "",
            said,
            said if told is action else str(told),
            report,
            max(0.0, self._clock.now() - started_at),  # clocks are set back at times
        )


class _Guard:
    """Around a question: what goes wrong in it is told, and costs neither its mail nor other questions."""

    __slots__ = ("_judge",)

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        match error:
            case None:
                return False
            case TimeoutError():
                what = f"no verdict within {self._judge.limit_s:g} s"
                self._judge.tell(what, "mail passes unasked")
            case StoreError():
                self._judge.tell(str(error), "mail passes unasked until it can be used again")
            case asyncio.CancelledError():
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    return False
                # Something that we waited for was cancelled, and not we: nobody would answer the MTA.
                self._judge.tell_bug(error)
            case Exception():  # a bug of ours, which is told with all we know of it
                self._judge.tell_bug(error)
            case _:
                return False
        return True


def _puts_off(action: Action, settings: Settings) -> bool:
    """Say whether the mail would be told to come back: whether it may be once more is in the store."""
    return action.kind is _DEFER_IF_PERMIT and _enforces(settings)


def _told(action: Action, settings: Settings) -> Action:
    return action if _enforces(settings) else DUNNO


def _enforces(settings: Settings) -> bool:
    return settings.policy.mode is _ENFORCE
