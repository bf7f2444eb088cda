"""Connections that several callouts share: who waits for the same host is asked for in one session.

There is a line for each host, and a session takes from its head when it gets a place among the connections:
one callout that began it, and others that came meanwhile. Where it is shared or has to wait for its place, a
task of its own holds it, so that nobody who leaves takes it along. Not here: who of a line go together
(engine/line.py), what is asked (engine/chain.py), whether at all (engine/visit.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf

from ..errors import StoreError
from ..rules.gates import Gate
from ..values.endpoint import Patience
from ..values.evidence import Fault
from ..values.settings import Smtp
from ..wire.probe import Probe
from .chain import Chain
from .ledger import Ledger
from .line import Line
from .pacer import Pacer
from .ports import Dialer
from .session import NONE, Guest, Session
from .timekeeper import Timekeeper
from .visit import Visit, Way


class Sessions:
    """One serves all callouts."""

    def __init__(
        self, smtp: Smtp, helo_name: str, dialer: Dialer, pacer: Pacer, ledger: Ledger
    ) -> None:
        self._smtp, self._helo_name = smtp, helo_name
        self._dialer, self._pacer, self._ledger = dialer, pacer, ledger
        self._note_refused = ledger.note_refused
        self._lines: dict[Way, Line] = {}
        self._timekeeper = Timekeeper()
        self._on_late = self._give_up  # bound once: thousands may wait

    async def line_up(self, visit: Visit) -> Awaitable[None]:
        """Have the host asked when it is its turn: what is returned is over when that is.

        To be awaited at once, by who comes here: it takes part. Raises StoreError, and so does the wait.
        """
        guest = Guest(visit, asyncio.get_running_loop().create_future(), self._on_late)
        line = self._lines.get(visit.way)
        if line is None:
            line = self._lines[visit.way] = Line(visit.way)
        line.waiting[guest] = None
        if line.next_session is None and line.may_go(guest) and self._pacer.take_slot(line.way.ip):
            session = await self._open(line, guest)
            if session.guests == (guest,):  # mostly, and then it takes no task
                return self._hold(line, session, guest)
            if guest in line.waiting:  # others went first
                self._be_patient(guest)
        else:
            self._begin(line, [guest])
            self._be_patient(guest)
        return self._wait(line, guest)

    async def _wait(self, line: Line, guest: Guest) -> None:
        """Wait until it is over for `guest`."""
        try:
            await guest.ended
        finally:
            self._end_wait(guest)
            if guest.ended.cancelled():
                await self._leave(line, guest)
            guest.session = None  # which knows its guests, and would keep them

    async def _open(self, line: Line, guest: Guest) -> Session:
        """Begin a session where there is a place for it; who shares it with nobody is to hold it."""
        line.next_session = session = Session()
        try:
            await asyncio.sleep(0)  # who comes at the same moment shares it
        except asyncio.CancelledError:
            del line.waiting[guest]
            raise
        finally:
            self._fill(line, session)
            if session.guests != (guest,):
                session.begin(self._hold(line, session))
        return session

    def _begin(self, line: Line, waiting: Iterable[Guest]) -> None:
        """Have a session wait for a place, if any of those who wait can use it."""
        if line.next_session is None and any(map(line.may_go, waiting)):
            line.next_session = session = Session()
            session.begin(self._hold_in_turn(line, session))
        elif line.is_over and self._lines.get(line.way) is line:
            del self._lines[line.way]

    def _be_patient(self, guest: Guest) -> None:
        """Have `guest` wait until its callout has no time left."""
        guest.due_at = guest.visit.deadline_at
        self._timekeeper.add(guest)

    def _end_wait(self, guest: Guest) -> None:
        """It waits no more: who is in a session has as much time as the session."""
        if guest.due_at < inf:
            self._timekeeper.discard(guest)
            guest.due_at = inf

    def _give_up(self, guest: Guest) -> None:
        """The callout of one who waits has no time left."""
        line = self._lines[guest.visit.way]
        del line.waiting[guest]
        guest.visit.note(Fault.OVER_BUDGET, Gate.CONNECTIONS, "connections at a time")
        guest.settle()
        self._stop_waiting(line)

    def _stop_waiting(self, line: Line) -> None:
        """End the wait of a session that nobody needs any more."""
        if line.next_session is not None and not line.waiting:
            line.next_session.cancel()
            line.next_session = None
        self._begin(line, line.waiting)

    async def _leave(self, line: Line, guest: Guest) -> None:
        """A callout was broken off: its session goes on for the others, if there are any."""
        if guest in line.waiting:
            del line.waiting[guest]
            self._stop_waiting(line)
        if guest.session is not None:
            await guest.session.leave()

    async def _hold_in_turn(self, line: Line, session: Session) -> None:
        """Wait for a place, and hold a session there."""
        await self._pacer.wait_slot(line.way.ip)
        self._fill(line, session)
        await self._hold(line, session)

    def _fill(self, line: Line, session: Session) -> None:
        """Have a session take from its line, now that there is a place for it."""
        session.guests = line.take()
        session.controlled = _controlled_by(session.guests)
        for guest in session.guests:
            guest.session = session
            self._end_wait(guest)
        line.next_session = None
        line.sessions += 1
        line.controlled = line.controlled | session.controlled or NONE
        self._begin(line, line.waiting)

    # Ten thousand hosts may let us wait: nothing but this and what it calls waits there with them.
    async def _hold(self, line: Line, session: Session, own: Guest | None = None) -> None:
        """Have the conversation for those who take part, and give the place back.

        `own`: who alone takes part, where his callout holds it, in which is raised what went wrong for him.
        """
        try:
            if ready := await self._ready(line, session):
                chain = Chain(ready, session.allowed, self._note_refused)
                first, probe = ready[0].visit, self._probe(ready, line.way, chain)
                await self._dialer.call(first.endpoint, probe, self._patience(ready[0]))
                chain.end(probe.transcript)
                await self._see_off(line, chain)
        finally:
            self._close(line, session)
        if own is not None:
            await self._wait(line, own)  # it is over for him: nobody goes before him

    def _close(self, line: Line, session: Session) -> None:
        """Give back what a session has held."""
        if session.allowed:
            self._ledger.end_pledge(line.way.ip, session.allowed)
        for guest in session.guests:
            guest.visit.end_trial()
        self._pacer.release(line.way.ip)
        line.controlled = line.controlled - session.controlled or NONE
        line.sessions -= 1
        self._begin(line, line.waiting)

    async def _ready(self, line: Line, session: Session) -> Sequence[Guest]:
        """Those of whom there is anything to ask, as far as the host's budgets go."""
        session.allowed = await self._pledge(line.way, session.guests)
        # After the wait, in which others may have had the answer.
        left = await self._those_who(Visit.prepare, session.guests)
        if session.allowed == 0:
            _refrain(left)
            return ()
        return await self._charge(left)

    async def _pledge(self, way: Way, guests: Sequence[Guest]) -> int | None:
        """How many recipients the host may refuse; None: any number."""
        if way.is_of_ours or not guests:
            return None
        # One more than there are guests: a weak refusal has a second recipient asked for.
        until_at = min(guest.visit.deadline_at for guest in guests)
        return await self._ledger.pledge(way.ip, len(guests) + 1, until_at)

    async def _charge(self, guests: Sequence[Guest]) -> Sequence[Guest]:
        """Those whose part in the session the budgets allow."""
        ready: Sequence[Guest] = ()
        while guests and not ready:
            ready = await self._those_who(lambda visit: visit.charge(""), guests[:1])
            guests = guests[1:]
        if not guests:
            return ready
        session = ready[0].visit.session
        return [*ready, *await self._those_who(lambda visit: visit.charge(session), guests)]

    def _probe(self, guests: Sequence[Guest], way: Way, chain: Chain) -> Probe:
        first = guests[0].visit
        probe = Probe(first.endpoint, first.connection, self._helo_name, way.tls, chain, way.manner)
        for guest in guests:
            guest.visit.take_part(probe)
        return probe

    def _patience(self, guest: Guest) -> Patience:
        whole_s = max(0.0, guest.visit.deadline_at - guest.ended.get_loop().time())
        return Patience(self._smtp.stage_timeout_s, whole_s)

    async def _see_off(self, line: Line, chain: Chain) -> None:
        """Let those go who got what the host said as an answer; the others go back to the line."""
        for guest in chain.served:
            await guest.visit.learn()
        for guest in chain.served:
            guest.settle()
        if left := chain.not_served:
            self._send_back(line, left)

    async def _those_who(
        self, may: Callable[[Visit], Awaitable[bool]], guests: Sequence[Guest]
    ) -> Sequence[Guest]:
        """The guests whose visits may go on; for the others it is over."""
        if len(guests) == 1:  # mostly, and then no task is needed
            return guests if await self._ask_of(guests[0], may) else ()
        answers = await asyncio.gather(*(self._ask_of(guest, may) for guest in guests))
        return [guest for guest, yes in zip(guests, answers, strict=True) if yes]

    async def _ask_of(self, guest: Guest, may: Callable[[Visit], Awaitable[bool]]) -> bool:
        if guest.is_gone:
            return False
        try:
            goes_on = await may(guest.visit)
        except StoreError as error:
            if not guest.is_gone:
                guest.ended.set_exception(error)
            return False
        if not goes_on:
            guest.settle()
        return goes_on and not guest.is_gone

    def _send_back(self, line: Line, guests: list[Guest]) -> None:
        """Who was not served heads the line, and takes no part in another's session."""
        late = asyncio.get_running_loop().time()
        for guest in guests:
            guest.visit.break_off(())
            guest.goes_first = True
        line.put_back(guests)
        for guest in guests:
            if guest.visit.deadline_at <= late:
                self._give_up(guest)
            else:
                self._be_patient(guest)


def _controlled_by(guests: Iterable[Guest]) -> frozenset[str]:
    """The domains whose control a session asks for. No other session does: see Line.take."""
    return frozenset(guest.visit.domain for guest in guests if guest.visit.plan.control) or NONE


def _refrain(guests: Iterable[Guest]) -> None:
    """The host has refused too many recipients."""
    for guest in guests:
        guest.visit.note(
            Fault.OVER_BUDGET, Gate.REFUSED_RECIPIENTS, "refused recipients of this host"
        )
        guest.settle()
